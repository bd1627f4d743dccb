// fs/pipe.c with one-byte messages: what two tasks that take turns block on.

import { costs } from "../operation/costs.ts";
import type { Kernel } from "../state/kernel.ts";
import { type KernelCode, work } from "../operation/operation.ts";
import type { Task } from "../state/task.ts";
import { changeAndWake, waitEvent } from "../cpu/wait-event.ts";
import { WaitQueue } from "../state/wait-queue.ts";
import { nameFunctions } from "../operation/origin.ts";
import { mightSleep } from "../operation/precondition.ts";

export class Pipe {
  readonly queue: WaitQueue;
  /** Bytes in the pipe, guarded by the queue's lock. */
  bytes = 0;

  constructor(kernel: Kernel, name: string, homeCpu: number) {
    this.queue = new WaitQueue(name, kernel.allocateLine(homeCpu));
  }
}

/** pipe_read of one byte; sleeps while there is none. */
export function* readPipe(task: Task, pipe: Pipe): KernelCode {
  yield* mightSleep("pipe_read");
  yield* work(costs.pipeCopy);
  yield* waitEvent(
    task,
    pipe.queue,
    () => pipe.bytes > 0,
    () => pipe.bytes--,
  );
}

/** pipe_write of one byte; wakes the reader. */
export function* writePipe(task: Task, pipe: Pipe): KernelCode {
  yield* mightSleep("pipe_write"); // pipe->mutex
  yield* work(costs.pipeCopy);
  yield* changeAndWake(task, pipe.queue, () => pipe.bytes++);
}

nameFunctions({ pipe_read: readPipe, pipe_write: writePipe });
