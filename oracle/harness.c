#include "harness.h"

#include <string.h>

#include "memory.h"

/* ---- descriptors ---- */

enum {
  CODE64_SELECTOR = 0x08,
  DATA_SELECTOR = 0x10,
  USER_CODE64_SELECTOR = 0x1b,
  USER_DATA_SELECTOR = 0x23,
  CODE32_SELECTOR = 0x28,
  USER_CODE32_SELECTOR = 0x33,
  TSS_SELECTOR = 0x38,
};

enum { GDT_LIMIT = 0x4f, IDT64_LIMIT = 0x1ff, IDT32_LIMIT = 0xff };

enum { INTERRUPT_GATE = 0xee }; /* present, DPL 3, type 14 */

/* Without an I/O permission bitmap. */
static void build_tss(void) {
  uint64_t stack = harness_base() + EXCEPTION_STACK;
  memset(ram(TSS64), 0, 0x1000);
  if (is_long_mode()) {
    write64(TSS64 + 4, stack);
    write32(TSS64 + 0x64, 0x680000);
  } else {
    write32(TSS32 + 4, stack);
    write32(TSS32 + 8, DATA_SELECTOR);
    write32(TSS32 + 0x64, 0x680000);
  }
}

static uint64_t gate(uint64_t handler, uint64_t selector) {
  return (handler & 0xffff) | selector << 16 | (uint64_t)INTERRUPT_GATE << 40 |
         (handler >> 16 & 0xffff) << 48;
}

static void build_idt(void) {
  for (int vector = 0; vector < HANDLER_COUNT; vector++) {
    uint64_t handler = harness_base() + HANDLERS + vector * HANDLER_BYTES;
    if (is_long_mode()) {
      write64(IDT64 + vector * 16, gate(handler, CODE64_SELECTOR));
      write64(IDT64 + vector * 16 + 8, handler >> 32);
    } else {
      write64(IDT32 + vector * 8, gate(handler, CODE32_SELECTOR));
    }
  }
}

void build_descriptors(void) {
  uint64_t tss = harness_base() + (is_long_mode() ? TSS64 : TSS32);
  uint64_t gdt[10] = {
      [1] = 0x00af9b000000ffff, /* 64-bit code */
      [2] = 0x00cf93000000ffff, /* data */
      [3] = 0x00affb000000ffff, /* user 64-bit code */
      [4] = 0x00cff3000000ffff, /* user data */
      [5] = 0x00cf9b000000ffff, /* 32-bit code */
      [6] = 0x00cffb000000ffff, /* user 32-bit code */
      [7] = 0x67 | (tss & 0xffffff) << 16 | UINT64_C(0x89) << 40 | (tss >> 24 & 0xff) << 56,
      [8] = tss >> 32,
  };
  memcpy(ram(GDT), gdt, sizeof gdt);
  build_tss();
  build_idt();
}

static void write_pseudo_descriptor(uint64_t physical, uint16_t limit, uint64_t base) {
  memcpy(ram(physical), &limit, sizeof limit);
  memcpy(ram(physical + 2), &base, sizeof base);
}

enum completion load_descriptors(const struct engine *engine) {
  uint64_t base = harness_base(), gdtr = OPERANDS + 0x20, idtr = OPERANDS + 0x30;
  write_pseudo_descriptor(gdtr, GDT_LIMIT, base + GDT);
  write_pseudo_descriptor(idtr, is_long_mode() ? IDT64_LIMIT : IDT32_LIMIT,
                          base + (is_long_mode() ? IDT64 : IDT32));
  struct registers registers = {.rbx = base + gdtr, .rsi = base + idtr, .rax = TSS_SELECTOR};
  struct exception exception;
  return run_stub(engine, STUB_LOAD_DESCRIPTORS, SUPERVISOR, &registers, &exception);
}

/* ---- stubs ---- */

const struct privilege SUPERVISOR = {0};

enum { RFLAGS_ALWAYS = 1 << 1, RFLAGS_AC = 1 << 18, USER_STACK_OFFSET = 0xf00 };

enum { GENERAL_PROTECTION = 13, PAGE_FAULT = 14 };

static uint64_t address_mask(void) {
  return is_long_mode() ? ~UINT64_C(0) : 0xffffffff;
}

/* IRET goes to the stub at CPL 3; its frame lies on the supervisor's stack. */
static void enter_user_mode(enum stub stub, uint64_t rflags, struct registers *registers) {
  uint64_t frame = SUPERVISOR_STACK - 0x200;
  uint64_t stack = user_stub_base() + USER_STACK_OFFSET;
  registers->rsp = harness_base() + frame;
  registers->rflags = RFLAGS_ALWAYS;
  if (is_long_mode()) {
    registers->rip = supervisor_stub(STUB_IRET);
    uint64_t values[] = {user_stub(stub), USER_CODE64_SELECTOR, rflags, stack, USER_DATA_SELECTOR};
    memcpy(ram(frame), values, sizeof values);
  } else {
    registers->rip = supervisor_stub(STUB_IRET) + 1;
    uint32_t values[] = {user_stub(stub), USER_CODE32_SELECTOR, rflags, stack, USER_DATA_SELECTOR};
    memcpy(ram(frame), values, sizeof values);
  }
}

static int has_error_code(int vector) {
  return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

/* Reads error code and rip from the exception's frame; returns why it cannot. */
static const char *read_frame(const struct registers *registers, struct exception *exception,
                              uint64_t *rip) {
  uint64_t handlers = harness_base() + HANDLERS;
  if (registers->rip < handlers || registers->rip >= handlers + HANDLER_COUNT * HANDLER_BYTES)
    return "bad-rip";
  uint64_t frame = registers->rsp - harness_base();
  if (!is_harness(frame))
    return "bad-rsp";
  exception->vector = (registers->rip - handlers) / HANDLER_BYTES;
  exception->has_error_code = has_error_code(exception->vector);
  uint64_t values[2] = {0};
  if (is_long_mode()) {
    memcpy(values, ram(frame), sizeof values);
  } else {
    uint32_t narrow[2];
    memcpy(narrow, ram(frame), sizeof narrow);
    values[0] = narrow[0];
    values[1] = narrow[1];
  }
  exception->error_code = exception->has_error_code ? values[0] : 0;
  *rip = values[exception->has_error_code];
  return NULL;
}

enum completion run_stub(const struct engine *engine, enum stub stub, struct privilege privilege,
                         struct registers *registers, struct exception *exception) {
  uint64_t rflags = RFLAGS_ALWAYS | (privilege.alignment_check ? RFLAGS_AC : 0);
  uint64_t start = privilege.is_user ? user_stub(stub) : supervisor_stub(stub);
  /* A jump ends at the HLT of the marker that it finds. */
  uint64_t end = stub == STUB_JUMP ? (registers->rbx + MARKER_HLT_OFFSET) & address_mask()
                                   : start + stub_hlt_offset(stub);
  registers->why = NULL;
  registers->rip = start;
  registers->rflags = rflags;
  registers->rsp = harness_base() + SUPERVISOR_STACK - 0x100;
  registers->stop = stub == STUB_JUMP && !privilege.is_user ? end : 0;
  if (privilege.is_user)
    enter_user_mode(stub, rflags, registers);
  if (engine->run(registers))
    return FAILED;
  if (!privilege.is_user && registers->rip == end)
    return COMPLETED;
  uint64_t rip;
  registers->why = read_frame(registers, exception, &rip);
  if (registers->why)
    return FAILED;
  if (exception->vector == PAGE_FAULT)
    exception->cr2 = engine->cr2();
  /* At CPL 3, HLT raises #GP(0). */
  int is_end = privilege.is_user && exception->vector == GENERAL_PROTECTION &&
               exception->error_code == 0 && rip == end;
  return is_end ? COMPLETED : RAISED;
}
