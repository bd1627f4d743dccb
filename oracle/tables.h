/* The paging-structure entries of a case: in memory before it, read back after it. */
#ifndef TABLES_H
#define TABLES_H

#include <stdint.h>

#include "json.h"

/* Zeroes the pages of tables, writes the entries, and puts the harness into the roots. Returns why
 * the case cannot be run, or NULL. */
const char *tables_build(const struct json *the_case);
/* An entry that the guest writes; its final value is wanted too. */
void tables_note_entry(uint64_t physical, uint64_t value);
void tables_print_final(void);
/* Fills their pages with the marker. */
void tables_remove(void);

/* Finds the place that a store to `address` of `count` bytes changed, and restores the marker
 * there. NOWHERE if nothing is changed, or what was stored equals the marker. */
uint64_t find_store(uint64_t address, int count);

#endif
