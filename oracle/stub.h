/* The instructions that guests run: each ends in HLT and stands in a 16-byte slot of a page. */
#ifndef STUB_H
#define STUB_H

#include <stdint.h>

enum stub {
  STUB_NONE = -1,
  /* Four sizes each, 1, 2, 4 and 8 bytes in this order. */
  STUB_READ,
  STUB_WRITE = STUB_READ + 4,
  STUB_ADD = STUB_WRITE + 4,
  /* Two sizes each, 4 and 8 bytes. */
  STUB_STACK_READ = STUB_ADD + 4,
  STUB_STACK_WRITE = STUB_STACK_READ + 2,
  STUB_COMPARE = STUB_STACK_WRITE + 2,
  STUB_JUMP = STUB_COMPARE + 2,
  STUB_INVLPG,
  STUB_INVPCID,
  STUB_CR0,
  STUB_CR3,
  STUB_CR4,
  STUB_WRMSR,
  STUB_WRPKRU,
  STUB_WRITE_ENTRY,
  STUB_WRITE_PAE_ENTRY,
  STUB_IRET,
  STUB_LOAD_DESCRIPTORS,
  STUB_COUNT
};

enum { STUB_BYTES = 16, HANDLER_BYTES = 16, HANDLER_COUNT = 32 };

/* Copies them to where supervisor and user find them, and HLTs to where exceptions go. */
void stubs_install(void);

uint64_t supervisor_stub(enum stub stub);
uint64_t user_stub(enum stub stub);
/* Of the HLT, from the start of the stub; -1 if it has none. */
int stub_hlt_offset(enum stub stub);

#endif
