// I9: references balance. No counter goes below zero, and when a run is over, mm_count of every
// address space still there is what its holders explain.

import type { Restore } from "../base/restore.ts";
import type { Moment } from "../kernel/operation/event.ts";
import type { Kernel } from "../kernel/state/kernel.ts";
import type { Mm } from "../kernel/state/mm.ts";
import {
  type CheckerOf,
  type EventOf,
  lookAtNothing,
  type Looks,
  nothingToRestore,
} from "./checker.ts";
import type { ViolationLog } from "./violation.ts";

/** The operation on the counter has told of itself. */
const LOOKS: Looks<"droppedTwice"> = { droppedTwice: lookAtNothing };

export class ReferenceChecker implements CheckerOf<"droppedTwice"> {
  readonly looksAt = LOOKS;

  constructor(
    private readonly kernel: Kernel,
    private readonly log: ViolationLog,
  ) {}

  observe(event: EventOf<"droppedTwice">, { cpu, cycle }: Moment): void {
    const message = `CPU ${cpu} drops ${event.counter} of ${event.mm.name} below zero`;
    this.log.report({ invariant: "I9", message, cycle, cpus: [cpu], mm: event.mm });
  }

  save(): Restore {
    return nothingToRestore;
  }

  /** At the end of a run that was stopped while nothing was half done but the stopping task. */
  checkBalance(cycle: number): void {
    for (const mm of this.kernel.liveMms) {
      const users = this.kernel.tasks.filter((task) => task.state !== "dead" && task.mm === mm);
      this.compare(mm, "mm_users", mm.mmUsers.value, users.length, cycle);
      const group = mm.mmUsers.value > 0 ? 1 : 0;
      this.compare(mm, "mm_count", mm.mmCount.value, group + this.holders(mm), cycle);
    }
    const { initMm } = this.kernel;
    this.compare(initMm, "mm_count", initMm.mmCount.value, 1 + this.holders(initMm), cycle);
  }

  /** Lazy references on `mm`, and kernel threads that use it. */
  private holders(mm: Mm): number {
    const { kernel } = this;
    const threads = kernel.tasks.filter((task) => task.isKernelThread && task.mm === mm).length;
    if (kernel.lazyPolicy.lazyReference === "none") return threads;
    if (kernel.lazyPolicy.lazyReference === "drop-mm") {
      return threads + kernel.cpus.filter((cpu) => cpu.runQueue.dropMm.value === mm).length;
    }
    const borrowers = [...kernel.tasks, ...kernel.cpus.map((cpu) => cpu.idle)];
    const lazy = borrowers.filter((task) => task.mm === null && task.activeMm === mm).length;
    return threads + lazy + kernel.cpus.filter((cpu) => cpu.runQueue.prevMm === mm).length;
  }

  private compare(mm: Mm, counter: string, value: number, explained: number, cycle: number): void {
    if (value === explained) return;
    const message = `${mm.name} ends with ${counter} ${value}, explained are ${explained}`;
    this.log.report({ invariant: "I9", message, cycle, cpus: [], mm });
  }
}
