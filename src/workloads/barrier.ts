// A sleeping barrier (futex), and a countdown: what threads of a benchmark start and end by.

import type { KernelState } from "../kernel/kernel.ts";
import type { Kernel } from "../kernel/operation.ts";
import { syscall } from "../kernel/syscall.ts";
import type { Task } from "../kernel/task.ts";
import { changeAndWake, WaitQueue, waitEvent } from "../kernel/wait-queue.ts";

export class Barrier {
  private readonly queue: WaitQueue;
  private arrived = 0;

  constructor(
    kernel: KernelState,
    private readonly count: number,
  ) {
    this.queue = new WaitQueue("barrier", kernel.allocateLine(0));
  }

  /** Counts the caller in. */
  *arrive(task: Task): Kernel {
    yield* syscall(
      task,
      changeAndWake(task, this.queue, () => this.arrived++),
    );
  }

  /** Sleeps until all have arrived. */
  *wait(task: Task): Kernel {
    yield* syscall(
      task,
      waitEvent(task, this.queue, () => this.arrived >= this.count),
    );
  }

  *arriveAndWait(task: Task): Kernel {
    yield* this.arrive(task);
    yield* this.wait(task);
  }
}
