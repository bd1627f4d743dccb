// I10 and I11: kernel functions are called as they must be. Whoever waits for other CPUs with
// interrupts off, or sleeps with a spinlock held, may wait for ever, whether or not some CPU did in
// this execution (I10). Whoever goes without a lock, or leaves interrupts on, shares data that it
// has alone by contract (I11); the explorer counts on that contract when it joins steps.

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

type Watched = "preconditionBroken";

/** Whether a contract holds is known by the CPU's own flag and its task's own locks. */
const LOOKS: Looks<Watched> = { preconditionBroken: lookAtNothing };

export class PreconditionChecker implements CheckerOf<Watched> {
  readonly looksAt = LOOKS;

  constructor(private readonly log: ViolationLog) {}

  observe({ callee, how, risk }: EventOf<Watched>, { cpu, cycle }: Moment): void {
    const invariant = risk === "deadlock" ? "I10" : "I11";
    const message = `${callee} called ${how} on CPU ${cpu}`;
    this.log.report({ invariant, message, cycle, cpus: [cpu], mm: null });
  }

  save(): Restore {
    return nothingToRestore;
  }
}
