// The measured part of a workload in which every thread does the same: from the moment in which the
// first one starts its rounds until the last one has done them. Wake-ups come one after the other,
// so the first ones are at work before the last ones have started. Who is done waits for the
// others: no exit is measured.

import type { Kernel } from "../kernel/state/kernel.ts";
import { type KernelCode, note } from "../kernel/operation/operation.ts";
import type { Task } from "../kernel/state/task.ts";
import { Barrier } from "./barrier.ts";

export class MeasuredPart {
  private readonly done: Barrier;
  private hasBegun = false;

  constructor(
    kernel: Kernel,
    private threadsLeft: number,
  ) {
    this.done = new Barrier(kernel, threadsLeft);
  }

  /** A thread starts its rounds. */
  *begin(): KernelCode {
    if (this.hasBegun) return;
    this.hasBegun = true;
    yield* note({ kind: "measureBegin" });
  }

  /** `task` has done its rounds. Returns when all have. */
  *end(task: Task): KernelCode {
    if (--this.threadsLeft === 0) yield* note({ kind: "measureEnd" });
    yield* this.done.arriveAndWait(task);
  }
}
