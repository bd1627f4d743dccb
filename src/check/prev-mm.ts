// I6: rq->prev_mm is consumed exactly once: what context_switch leaves there, finish_task_switch
// takes on the other side of switch_to, before the next switch, and leaves nothing behind. Where
// lazy references are counted, a switch from a borrowed mm to a user task must leave one there;
// until Linux 5.3 one to another kernel thread, too.

import { unreachable } from "../base/assert.ts";
import type { Moment } from "../kernel/operation/event.ts";
import type { Kernel } from "../kernel/state/kernel.ts";
import type { Mm } from "../kernel/state/mm.ts";
import { type Restore, saveArray } from "../base/restore.ts";
import type { Task } from "../kernel/state/task.ts";
import { type CheckerOf, type EventOf, lookAtNothing, type Looks } from "./checker.ts";
import type { ViolationLog } from "./violation.ts";

type Watched = "switched" | "prevMmTaken";

/** Only a CPU itself looks at its run queue's prev_mm. */
const LOOKS: Looks<Watched> = { switched: lookAtNothing, prevMmTaken: lookAtNothing };

const nameOf = (mm: Mm | null): string => (mm === null ? "nothing" : mm.name);

export class PrevMmChecker implements CheckerOf<Watched> {
  readonly looksAt = LOOKS;
  /** Per CPU: what finish_task_switch is to take; undefined: no switch is in progress. */
  private readonly owed: (Mm | null | undefined)[];

  constructor(
    private readonly kernel: Kernel,
    private readonly log: ViolationLog,
  ) {
    this.owed = kernel.cpus.map(() => undefined);
  }

  observe(event: EventOf<Watched>, moment: Moment): void {
    switch (event.kind) {
      case "switched":
        return this.left(event.from, event.to, moment);
      case "prevMmTaken":
        return this.taken(event.mm, moment);
      default:
        return unreachable(event);
    }
  }

  save(): Restore {
    return saveArray(this.owed);
  }

  /** context_switch has left what it leaves in rq->prev_mm. */
  private left(from: Task, to: Task, moment: Moment): void {
    const { cpu } = moment;
    const { prevMm } = this.kernel.cpus[cpu]!.runQueue;
    const before = this.owed[cpu];
    this.owed[cpu] = prevMm;
    if (before !== undefined) {
      const what = `switches again before ${nameOf(before)} is taken out of rq->prev_mm`;
      this.report(what, before, moment);
    }
    const { lazyPolicy, protocol } = this.kernel;
    const counts = lazyPolicy.lazyReference === "active-mm";
    const goesOn = to.mm === null && protocol.traits.kernelToKernel === "goes-along";
    const ends = from.mm === null && !goesOn;
    if (counts && ends && prevMm === null) {
      this.report(`ends lazy use by ${from.name} and leaves nothing in rq->prev_mm`, null, moment);
    }
    if (!ends && prevMm !== null) {
      this.report(`ends no lazy use, but ${prevMm.name} is in rq->prev_mm`, prevMm, moment);
    }
  }

  private taken(mm: Mm | null, moment: Moment): void {
    const { cpu } = moment;
    const { prevMm } = this.kernel.cpus[cpu]!.runQueue;
    const owed = this.owed[cpu];
    this.owed[cpu] = undefined;
    const takes = `takes ${nameOf(mm)} out of rq->prev_mm`;
    if (owed === undefined) this.report(`${takes} a second time`, mm, moment);
    else if (owed !== mm) this.report(`${takes}, where ${nameOf(owed)} was left`, owed, moment);
    if (prevMm !== null) this.report(`${takes} and leaves ${prevMm.name} there`, prevMm, moment);
  }

  private report(what: string, mm: Mm | null, { cpu, cycle }: Moment): void {
    const message = `CPU ${cpu} ${what}`;
    this.log.report({ invariant: "I6", message, cycle, cpus: [cpu], mm });
  }
}
