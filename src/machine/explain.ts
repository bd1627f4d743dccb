// One access, and how its translation was found: what a person is shown of it.

import type { AccessResult, MachineAccess } from "./access.ts";
import type { Machine } from "./machine.ts";
import type { MachineWalk } from "./walk-log.ts";

export interface AccessExplanation {
  readonly result: AccessResult;
  /**
   * Absent when none was needed: a TLB had the translation, paging is off, or the address is not
   * canonical. Of an access that crosses a page, the last walk that it took.
   */
  readonly walk?: MachineWalk;
}

/** Makes the access, with all that it changes, and tells of its walk. */
export function explainAccess(
  machine: Machine,
  core: number,
  access: MachineAccess,
): AccessExplanation {
  const walksBefore = machine.counters(core).walks;
  const result = machine.access(core, access);
  const hasWalked = machine.counters(core).walks > walksBefore;
  return hasWalked ? { result, walk: machine.lastWalk() } : { result };
}
