/* Runs one stub at a time in the guest, and sees whether it ended or raised an exception. */
#ifndef HARNESS_H
#define HARNESS_H

#include <stdint.h>

#include "engine.h"
#include "stub.h"

struct exception {
  int vector, has_error_code;
  uint64_t error_code, cr2;
};

enum completion { COMPLETED, RAISED, FAILED };

/* Writes GDT, IDT and TSS of the current mode. */
void build_descriptors(void);
/* Has the guest load them. */
enum completion load_descriptors(const struct engine *engine);

struct privilege {
  int is_user, alignment_check;
};

extern const struct privilege SUPERVISOR;

/* `registers` holds the stub's operands, and then what it left there. */
enum completion run_stub(const struct engine *engine, enum stub stub, struct privilege privilege,
                         struct registers *registers, struct exception *exception);

#endif
