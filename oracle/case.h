/* One case: reads it, runs its operations, prints what came of them. */
#ifndef CASE_H
#define CASE_H

#include "engine.h"
#include "json.h"

void run_case(const struct engine *engine, const struct json *the_case);

#endif
