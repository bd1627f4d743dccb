// I10: no deadlock. When no CPU can go on, whoever waits for another is reported with what it waits
// for.

import type { Restore } from "../base/restore.ts";
import type { Moment } from "../kernel/operation/event.ts";
import {
  type CheckerOf,
  type EventOf,
  lookAtNothing,
  type Looks,
  nothingToRestore,
} from "./checker.ts";
import type { ViolationLog } from "./violation.ts";

/** At a deadlock nothing else happens any more. */
const LOOKS: Looks<"deadlock"> = { deadlock: lookAtNothing };

export class DeadlockChecker implements CheckerOf<"deadlock"> {
  readonly looksAt = LOOKS;

  constructor(private readonly log: ViolationLog) {}

  observe(event: EventOf<"deadlock">, { cycle }: Moment): void {
    const cycleOfWaits = event.waits.map(
      (wait) => `CPU ${wait.cpu} (${wait.task}) on ${wait.cell}`,
    );
    const message =
      cycleOfWaits.length === 0
        ? "every CPU is idle and nothing will wake one, yet the run is not over"
        : `no CPU can go on: ${cycleOfWaits.join(", ")}`;
    const cpus = event.waits.map((wait) => wait.cpu);
    this.log.report({ invariant: "I10", message, cycle, cpus, mm: null });
  }

  save(): Restore {
    return nothingToRestore;
  }
}
