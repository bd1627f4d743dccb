// I10: no deadlock. When no CPU can go on, whoever waits for another is reported with what it waits
// for.

import type { KernelEvent, Moment, Observer } from "../kernel/operation/event.ts";
import type { ViolationLog } from "./violation.ts";

export class DeadlockChecker implements Observer {
  constructor(private readonly log: ViolationLog) {}

  observe(event: KernelEvent, { cycle }: Moment): void {
    if (event.kind !== "deadlock") return;
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
}
