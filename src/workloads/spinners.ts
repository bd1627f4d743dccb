// Threads of one process, one on each other CPU, that work on memory of their own until they are
// told to stop: who a shootdown interrupts.

import { cloneThread } from "../kernel/process/fork.ts";
import type { KernelCode } from "../kernel/operation/operation.ts";
import { syscall } from "../kernel/cpu/syscall.ts";
import type { Task } from "../kernel/state/task.ts";
import { Barrier } from "./barrier.ts";
import { mapPages, touchPages, usePages } from "./memory.ts";
import type { Scene } from "./workload.ts";

/** Pages that each thread works on: they fit a first-level TLB together with the stack. */
const WORKING_SET_PAGES = 32;

export interface Spinners {
  /** The threads end after their current piece of work. */
  stop(): void;
}

/** Starts the threads and returns when all of them have touched their memory. */
export function* startSpinners(main: Task, scene: Scene): KernelCode<Spinners> {
  let stopped = false;
  const others = scene.cpus.slice(1);
  const started = new Barrier(scene.kernel, others.length);
  const go = new Barrier(scene.kernel, 1);
  for (const cpu of others) {
    const seed = scene.random.word();
    const thinkCycles = 180 + scene.random.below(41);
    const program = function* (task: Task): KernelCode {
      const memory = yield* mapPages(task, { pageCount: WORKING_SET_PAGES });
      yield* touchPages(memory, "write");
      yield* started.arrive(task);
      yield* go.wait(task);
      while (!stopped) yield* usePages(memory, { accesses: 64, thinkCycles, seed });
    };
    yield* syscall(main, cloneThread(main, { name: `spinner${cpu.id}`, program, cpu }));
  }
  yield* started.wait(main);
  yield* go.arrive(main);
  return { stop: () => void (stopped = true) };
}
