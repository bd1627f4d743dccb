#include "operation.h"

#include <string.h>

#include "memory.h"
#include "tables.h"

#define IA32_EFER 0xc0000080

static void decode_access(const struct json *json, const char *name, struct operation *operation) {
  int size = operation->bytes == 1 ? 0 : operation->bytes == 2 ? 1 : operation->bytes == 4 ? 2 : 3;
  int is_stack = !strcmp(json_string(json, "seg", ""), "ss");
  struct registers *registers = &operation->registers;
  registers->rbx = registers->rbp = operation->address;
  registers->rax = json_number(json, "val", 0);
  if (!strcmp(name, "r")) {
    operation->kind = READ;
    operation->stub = is_stack ? STUB_STACK_READ + (size == 3) : STUB_READ + size;
    registers->rax = 0;
  } else if (!strcmp(name, "w")) {
    operation->kind = WRITE;
    operation->stub = is_stack ? STUB_STACK_WRITE + (size == 3) : STUB_WRITE + size;
  } else if (!strcmp(name, "rmw")) {
    operation->kind = ADD;
    operation->stub = STUB_ADD + size;
  } else if (!strcmp(name, "cx")) {
    operation->kind = READ; /* it never stores: eax matches no marker */
    operation->stub = STUB_COMPARE + (size == 3);
    registers->rcx = registers->rax;
    registers->rax = 0x1234;
  } else if (!strcmp(name, "x")) {
    operation->kind = EXECUTE;
    operation->stub = STUB_JUMP;
  }
}

static void decode_entry(const struct json *json, struct operation *operation) {
  struct registers *registers = &operation->registers;
  uint64_t physical = json_number(json, "pa", 0), value = json_number(json, "val", 0);
  tables_note_entry(physical, value);
  registers->rbx = harness_address(physical);
  registers->rax = value;
  if (is_long_mode()) {
    operation->stub = STUB_WRITE_ENTRY;
  } else if (mode == MODE_PAE) {
    operation->stub = STUB_WRITE_PAE_ENTRY;
    registers->rax = value & 0xffffffff;
    registers->rcx = value >> 32;
  } else {
    operation->stub = STUB_WRITE + 2;
  }
}

static void decode_invpcid(const struct json *json, struct operation *operation) {
  operation->stub = STUB_INVPCID;
  operation->registers.rax = json_number(json, "type", 0);
  operation->registers.rbx = harness_base() + OPERANDS;
  write64(OPERANDS, json_number(json, "pcid", 0));
  write64(OPERANDS + 8, operation->address);
}

static void decode_control(const struct json *json, const char *name, struct operation *operation) {
  static const struct {
    const char *name;
    enum stub stub;
  } stubs[] = {{"cr0", STUB_CR0},    {"cr3", STUB_CR3},     {"cr4", STUB_CR4},
               {"efer", STUB_WRMSR}, {"pkru", STUB_WRPKRU}, {"invlpg", STUB_INVLPG}};
  struct registers *registers = &operation->registers;
  for (unsigned i = 0; i < sizeof stubs / sizeof *stubs; i++)
    if (!strcmp(name, stubs[i].name))
      operation->stub = stubs[i].stub;
  uint64_t value = json_number(json, "val", 0);
  registers->rbx = operation->address;
  registers->rax = value;
  if (operation->stub == STUB_WRMSR) {
    registers->rcx = IA32_EFER;
    registers->rax = value & 0xffffffff;
    registers->rdx = value >> 32;
  }
}

struct operation operation_decode(const struct json *json) {
  const char *name = json_string(json, "op", "");
  struct operation operation = {
      .kind = UNKNOWN,
      .stub = STUB_NONE,
      .address = json_number(json, "va", 0),
      .bytes = json_number(json, "sz", is_long_mode() ? 8 : 4),
      .privilege = {.is_user = json_number(json, "cpl", 0) == 3,
                    .alignment_check = json_number(json, "ac", 0)},
  };
  decode_access(json, name, &operation);
  if (operation.kind != UNKNOWN)
    return operation;
  if (!strcmp(name, "pte"))
    decode_entry(json, &operation);
  else if (!strcmp(name, "invpcid"))
    decode_invpcid(json, &operation);
  else
    decode_control(json, name, &operation);
  operation.privilege.is_user = 0;
  if (operation.stub != STUB_NONE)
    operation.kind = CONTROL;
  return operation;
}
