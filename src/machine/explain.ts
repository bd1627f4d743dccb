// One access, and how its translation was found: what a person is shown of it.

import type { AccessResult, MachineAccess } from "./access.ts";
import type { Machine } from "./machine.ts";
import type { MachineWalk } from "./walk-log.ts";

export interface AccessExplanation {
  readonly result: AccessResult;
  /**
   * Absent when none was needed: a TLB had the translation, paging is off, or the address is not
   * canonical. Of an access that crosses a page, that of the second unless only the first had one.
   */
  readonly walk?: MachineWalk;
  /** The walk of the first page, if an access that crosses a page took two. */
  readonly firstWalk?: MachineWalk;
}

/** Makes the access, with all that it changes, and tells of its walk. */
export function explainAccess(
  machine: Machine,
  core: number,
  access: MachineAccess,
): AccessExplanation {
  const walksBefore = machine.counters(core).walks;
  const result = machine.access(core, access);
  const walks = machine.counters(core).walks - walksBefore;
  return {
    result,
    ...(walks > 0 && { walk: machine.lastWalk() }),
    ...(walks > 1 && { firstWalk: machine.lastWalk(1) }),
  };
}
