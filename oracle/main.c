/* An oracle of x86 paging: reads cases from stdin, one line of JSON each, runs them on a virtual
 * machine, and writes a line for each to stdout. README.md has the format. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"
#include "memory.h"

static const struct engine *engine_named(const char *name) {
  if (!strcmp(name, "kvm"))
    return &kvm_engine;
  if (!strcmp(name, "tcg"))
    return &tcg_engine;
  return NULL;
}

int main(int argc, char **argv) {
  const struct engine *engine = argc == 2 ? engine_named(argv[1]) : NULL;
  if (!engine) {
    fprintf(stderr, "usage: oracle kvm|tcg < cases.jsonl > results.jsonl\n");
    return 2;
  }
  engine->open();
  memory_init();
  char *line = NULL;
  size_t capacity = 0;
  while (getline(&line, &capacity, stdin) > 0)
    if (line[0] == '{')
      run_case(engine, json_parse(line));
  free(line);
  fflush(stdout);
  engine->close();
  return 0;
}
