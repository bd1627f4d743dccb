#include "case.h"

#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "memory.h"
#include "operation.h"
#include "tables.h"

typedef unsigned long long hex; /* for printf */

#define CR4_PAE (UINT64_C(1) << 5)
#define CR4_PCIDE (UINT64_C(1) << 17)
#define CR4_PKE (UINT64_C(1) << 22)

/* ---- what came of an operation ---- */

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
  struct operation operation = operation_decode(json);
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
