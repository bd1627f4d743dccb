/* One operation of a case, decoded: the stub that carries it out, and its operands. */
#ifndef OPERATION_H
#define OPERATION_H

#include <stdint.h>

#include "engine.h"
#include "harness.h"
#include "json.h"

enum kind { READ, WRITE, ADD, EXECUTE, CONTROL, UNKNOWN };

struct operation {
  enum kind kind;
  enum stub stub;
  uint64_t address;
  int bytes;
  struct privilege privilege;
  struct registers registers;
};

/* Of kind UNKNOWN if there is no such operation. */
struct operation operation_decode(const struct json *json);

#endif
