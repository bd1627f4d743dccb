#include "tables.h"

#include <stdio.h>
#include <string.h>

#include "memory.h"

enum { ENTRIES_MAX = 4096, VALUES_MAX = 8192, PAGES_MAX = 512 };

/* Addresses of entries in the order in which the case names them. */
static uint64_t addresses[ENTRIES_MAX];
static int address_count;
/* All values that entries ever had: one of them maps what was stored to. */
static uint64_t values[VALUES_MAX];
static int value_count;
/* Pages that hold tables instead of the marker. */
static uint64_t pages[PAGES_MAX];
static int page_count;

static int entry_bytes(void) {
  return mode == MODE_L2 ? 4 : 8;
}

static int is_table(uint64_t physical) {
  for (int i = 0; i < page_count; i++)
    if (pages[i] == (physical & ~UINT64_C(0xfff)))
      return 1;
  return 0;
}

static void clear_page(uint64_t physical) {
  uint64_t page = physical & ~UINT64_C(0xfff);
  if (is_table(page) || !ram(page) || page_count == PAGES_MAX)
    return;
  pages[page_count++] = page;
  memset(ram(page), 0, 4096);
}

static void note_value(uint64_t value) {
  if (value_count < VALUES_MAX)
    values[value_count++] = value;
}

void tables_note_entry(uint64_t physical, uint64_t value) {
  note_value(value);
  for (int i = 0; i < address_count; i++)
    if (addresses[i] == physical)
      return;
  if (address_count < ENTRIES_MAX)
    addresses[address_count++] = physical;
}

static int is_operation(const struct json *operation, const char *name) {
  return !strcmp(json_string(operation, "op", ""), name);
}

static const struct json *first(const struct json *object, const char *key) {
  const struct json *list = json_get(object, key);
  return list ? list->child : NULL;
}

const char *tables_build(const struct json *the_case) {
  address_count = value_count = page_count = 0;
  uint64_t cr3 = json_number(the_case, "cr3", 0);
  clear_page(cr3 & root_mask());
  for (const struct json *o = first(the_case, "ops"); o; o = o->next) {
    if (is_operation(o, "cr3"))
      clear_page(json_number(o, "val", 0) & root_mask());
    if (is_operation(o, "pte"))
      clear_page(json_number(o, "pa", 0));
  }
  for (const struct json *entry = first(the_case, "mem"); entry; entry = entry->next) {
    uint64_t physical = entry->child->number;
    if (!ram(physical) || is_harness(physical))
      return "mem-not-ram";
    clear_page(physical);
  }
  for (const struct json *entry = first(the_case, "mem"); entry; entry = entry->next) {
    uint64_t physical = entry->child->number, value = entry->child->next->number;
    memcpy(ram(physical), &value, entry_bytes());
    tables_note_entry(physical, value);
  }
  link_root(cr3);
  for (const struct json *o = first(the_case, "ops"); o; o = o->next)
    if (is_operation(o, "cr3"))
      link_root(json_number(o, "val", 0));
  return NULL;
}

void tables_print_final(void) {
  for (int i = 0; i < address_count; i++) {
    uint64_t value = 0;
    memcpy(&value, ram(addresses[i]), entry_bytes());
    printf("%s[\"0x%llx\",\"0x%llx\"]", i ? "," : "", (unsigned long long)addresses[i],
           (unsigned long long)value);
  }
}

void tables_remove(void) {
  for (int i = 0; i < page_count; i++)
    fill_page(pages[i]);
}

/* ---- where a store went ---- */

static int is_changed(uint64_t physical, int count) {
  const uint8_t *bytes = ram(physical);
  if (!bytes || is_harness(physical) || is_table(physical))
    return 0;
  for (int i = 0; i < count; i++)
    if (bytes[i] != marker_byte(physical + i))
      return 1;
  return 0;
}

/* The physical address if `value` is a leaf that maps a page of so many bits. */
static uint64_t through(uint64_t value, uint64_t address, int page_bits) {
  uint64_t offset_mask = (UINT64_C(1) << page_bits) - 1;
  uint64_t frame = value & (mode == MODE_L2 ? 0xfffff000 : 0x000ffffffffff000);
  if (page_bits == 22) /* PSE-36: bits 20:13 are 39:32 of the address */
    frame |= (value >> 13 & 0xff) << 32;
  return (frame & ~offset_mask) | (address & offset_mask);
}

static uint64_t find_through_values(uint64_t address, int count) {
  static const int page_bits[2][3] = {{12, 21, 30}, {12, 22, 22}};
  for (int i = 0; i < value_count; i++)
    for (int size = 0; size < 3; size++) {
      uint64_t physical = through(values[i], address, page_bits[mode == MODE_L2][size]);
      if (is_changed(physical, count))
        return physical;
    }
  return NOWHERE;
}

/* An engine that translates wrongly may have stored anywhere. */
static uint64_t find_anywhere(uint64_t address, int count) {
  for (int i = 0; i < slot_count; i++)
    for (uint64_t page = 0; page < slots[i].bytes; page += 4096) {
      uint64_t physical = slots[i].physical + page + (address & 0xfff);
      if (is_changed(physical, count))
        return physical;
    }
  return NOWHERE;
}

uint64_t find_store(uint64_t address, int count) {
  uint64_t physical = find_through_values(address, count);
  if (physical == NOWHERE)
    physical = find_anywhere(address, count);
  if (physical != NOWHERE)
    for (int i = 0; i < count; i++)
      ram(physical)[i] = marker_byte(physical + i);
  return physical;
}
