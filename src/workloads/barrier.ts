// A sleeping barrier (futex), and a countdown: what threads of a benchmark start and end by.

import type { Kernel } from "../kernel/state/kernel.ts";
import type { KernelCode } from "../kernel/operation/operation.ts";
import { syscall } from "../kernel/cpu/syscall.ts";
import type { Task } from "../kernel/state/task.ts";
import { changeAndWake, waitEvent } from "../kernel/cpu/wait-event.ts";
import { WaitQueue } from "../kernel/state/wait-queue.ts";

export class Barrier {
  private readonly queue: WaitQueue;
  private arrived = 0;

  constructor(
    kernel: Kernel,
    private readonly count: number,
  ) {
    this.queue = new WaitQueue("barrier", kernel.allocateLine(0));
  }

  /** Counts the caller in. */
  *arrive(task: Task): KernelCode {
    yield* syscall(
      task,
      changeAndWake(task, this.queue, () => this.arrived++),
    );
  }

  /** Sleeps until all have arrived. */
  *wait(task: Task): KernelCode {
    yield* syscall(
      task,
      waitEvent(task, this.queue, () => this.arrived >= this.count),
    );
  }

  *arriveAndWait(task: Task): KernelCode {
    yield* this.arrive(task);
    yield* this.wait(task);
  }
}
