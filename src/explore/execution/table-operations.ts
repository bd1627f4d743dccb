// Operations on the shape of page tables: what they read and write, for the order of steps.

import { unreachable } from "../../base/assert.ts";
import type { TableOperation } from "../../kernel/operation/table-operation.ts";
import type { CpuState } from "./cpu-state.ts";
import type { Execution } from "./execution.ts";
import { readTables } from "./user-accesses.ts";

/** Carries out `operation`. Returns what it returns to the kernel. */
export function performOnTables(
  execution: Execution,
  state: CpuState,
  operation: TableOperation,
): unknown {
  const { touched, locations } = execution;
  const { mm, range } = operation;
  switch (operation.kind) {
    case "presentPages":
      readTables(execution, mm.root);
      return mm.tables.presentPages(range);
    case "tablesOf":
      readTables(execution, mm.root);
      return mm.tables.tablesOf(range, operation.size);
    case "detachTables":
      touched.follow(state.bufferLocation);
      touched.write(locations.ofTables(mm.root));
      return mm.tables.detach(range, (covered) => !mm.areas.overlaps(covered));
    case "detachIfEmpty":
      touched.follow(state.bufferLocation);
      readTables(execution, mm.root);
      touched.write(locations.ofTables(mm.root));
      return mm.tables.detachIfEmpty(range);
    default:
      return unreachable(operation);
  }
}
