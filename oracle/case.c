#include "case.h"

#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "memory.h"
#include "tables.h"

typedef unsigned long long hex; /* for printf */

#define CR4_PAE (UINT64_C(1) << 5)
#define CR4_PCIDE (UINT64_C(1) << 17)
#define CR4_PKE (UINT64_C(1) << 22)
#define IA32_EFER 0xc0000080

/* ---- operations ---- */

enum kind { READ, WRITE, ADD, EXECUTE, CONTROL, UNKNOWN };

struct operation {
  enum kind kind;
  enum stub stub;
  uint64_t address;
  int bytes;
  struct privilege privilege;
  struct registers registers;
};

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

static struct operation decode(const struct json *json) {
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

/* ---- what came of one ---- */

static int first_page_bytes(const struct operation *operation) {
  int left = 4096 - (operation->address & 0xfff);
  return operation->bytes < left ? operation->bytes : left;
}

static void print_exception(const struct operation *operation, const struct exception *exception) {
  printf("{\"vec\":%d", exception->vector);
  if (exception->has_error_code)
    printf(",\"ec\":\"0x%llx\"", (hex)exception->error_code);
  if (exception->vector == 14)
    printf(",\"cr2\":\"0x%llx\"", (hex)exception->cr2);
  /* A store that crosses pages must not have written the first when the second faults. */
  int first = first_page_bytes(operation);
  if ((operation->kind == WRITE || operation->kind == ADD) && first < operation->bytes) {
    uint64_t physical = find_store(operation->address, first);
    if (physical != NOWHERE)
      printf(",\"partial\":\"0x%llx\"", (hex)physical);
  }
  printf("}");
}

static void print_read(const struct operation *operation) {
  uint64_t value = operation->registers.rax;
  if (operation->bytes < 8)
    value &= (UINT64_C(1) << operation->bytes * 8) - 1;
  printf(",\"val\":\"0x%llx\"", (hex)value);
  if (operation->kind != READ || (operation->address & 7))
    return;
  if (operation->bytes == 8 && marker_address(value) != NOWHERE)
    printf(",\"pa\":\"0x%llx\"", (hex)marker_address(value));
  else if (operation->bytes == 4 && (value & 0xff) == 0xb8)
    printf(",\"pfn24\":\"0x%llx\"", (hex)value >> 8);
}

/* A store to where no RAM is was noted by the engine, the others are searched for. */
static uint64_t locate_store(const struct operation *operation, uint64_t address, int count) {
  const struct registers *registers = &operation->registers;
  for (int i = 0; i < registers->mmio_count; i++)
    if (registers->mmio[i].is_write && ((registers->mmio[i].physical ^ address) & 0xfff) == 0)
      return registers->mmio[i].physical;
  return find_store(address, count);
}

static void print_store(const struct operation *operation) {
  int first = first_page_bytes(operation), second = operation->bytes - first;
  uint64_t physical = locate_store(operation, operation->address, first);
  if (physical != NOWHERE)
    printf(",\"pa\":\"0x%llx\"", (hex)physical);
  if (!second)
    return;
  physical = locate_store(operation, operation->address + first, second);
  if (physical != NOWHERE)
    printf(",\"pa2\":\"0x%llx\"", (hex)physical);
}

static void print_completed(const struct operation *operation) {
  printf("{\"ok\":1");
  if (operation->kind == READ || operation->kind == ADD)
    print_read(operation);
  if (operation->kind == WRITE || operation->kind == ADD)
    print_store(operation);
  if (operation->kind == EXECUTE)
    printf(",\"pfn\":\"0x%llx\"", (hex)operation->registers.rax & 0xffffffff);
  printf("}");
}

/* Returns 0 if the case can go on. */
static int run_operation(const struct engine *engine, const struct json *json) {
  struct operation operation = decode(json);
  if (operation.kind == UNKNOWN) {
    printf("{\"fail\":\"bad-op\"}");
    return -1;
  }
  struct exception exception = {0};
  switch (run_stub(engine, operation.stub, operation.privilege, &operation.registers, &exception)) {
  case COMPLETED:
    print_completed(&operation);
    return 0;
  case RAISED:
    print_exception(&operation, &exception);
    return 0;
  default:
    printf("{\"fail\":\"%s\"}", operation.registers.why);
    engine->restart();
    return -1;
  }
}

/* ---- the case ---- */

static enum mode mode_named(const char *name) {
  static const char *const names[] = {"l4", "l5", "pae", "l2"};
  int i = MODE_L4;
  while (i < MODE_L2 && strcmp(name, names[i]))
    i++;
  return i;
}

static enum completion run_control(const struct engine *engine, enum stub stub, uint64_t value,
                                   struct exception *exception) {
  struct registers registers = {.rax = value};
  return run_stub(engine, stub, SUPERVISOR, &registers, exception);
}

/* Reaches the case's control state but for CR3. Returns NULL, or why it is not reached. */
static const char *prepare(const struct engine *engine, const struct json *the_case) {
  static char why[64];
  uint64_t cr4 = json_number(the_case, "cr4", mode == MODE_L2 ? 0 : CR4_PAE);
  struct control control = {
      .is_intel = !strcmp(json_string(the_case, "vendor", "amd"), "intel"),
      .physical_address_bits = json_number(the_case, "maxphy", 48),
      .cr0 = json_number(the_case, "cr0", 0x80010033),
      .cr3 = harness_root(),
      .cr4 = cr4 & ~CR4_PCIDE,
      .efer = json_number(the_case, "efer", is_long_mode() ? 0xd00 : 0),
  };
  struct exception exception;
  build_descriptors();
  if (engine->start(&control, why))
    return why;
  if (engine->loads_descriptors) {
    if (load_descriptors(engine) != COMPLETED) {
      engine->restart();
      return "load-descriptors";
    }
    fill_page(0);
  }
  if ((cr4 & CR4_PKE) &&
      run_control(engine, STUB_WRPKRU, json_number(the_case, "pkru", 0), &exception) != COMPLETED)
    return "wrpkru";
  if ((cr4 & CR4_PCIDE) && run_control(engine, STUB_CR4, cr4, &exception) != COMPLETED)
    return "cr4.pcide";
  return NULL;
}

static void run_operations(const struct engine *engine, const struct json *the_case) {
  const struct json *list = json_get(the_case, "ops");
  for (const struct json *json = list ? list->child : NULL; json; json = json->next) {
    if (run_operation(engine, json))
      return;
    if (json->next)
      printf(",");
  }
}

static void run_prepared(const struct engine *engine, const struct json *the_case) {
  struct registers registers = {.rax = json_number(the_case, "cr3", 0)};
  struct exception exception = {0};
  enum completion load = run_stub(engine, STUB_CR3, SUPERVISOR, &registers, &exception);
  if (load == FAILED) {
    printf(",\"fail\":\"load:%s\"", registers.why);
    engine->restart();
    return;
  }
  if (load == RAISED)
    printf(",\"ld\":{\"vec\":%d,\"ec\":\"0x%llx\"}", exception.vector, (hex)exception.error_code);
  printf(",\"res\":[");
  if (load == COMPLETED)
    run_operations(engine, the_case);
  printf("],\"mem\":[");
  tables_print_final();
  printf("]");
}

static void print_id(const struct json *id) {
  if (id && id->string)
    printf("{\"id\":\"%s\"", id->string);
  else
    printf("{\"id\":%llu", id ? (hex)id->number : 0);
}

void run_case(const struct engine *engine, const struct json *the_case) {
  mode = mode_named(json_string(the_case, "mode", "l4"));
  print_id(json_get(the_case, "id"));
  const char *skip = tables_build(the_case);
  if (!skip)
    skip = prepare(engine, the_case);
  if (skip)
    printf(",\"skip\":\"%s\"", skip);
  else
    run_prepared(engine, the_case);
  printf("}\n");
  tables_remove();
}
