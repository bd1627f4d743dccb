// A process with a thread on every CPU ends, again and again. A thread that has ended leaves its
// CPU idle, a lazy user of the address space; the last one tears it down under them.

import { waitForChild, waitForChildren } from "../kernel/process/exit.ts";
import { type KernelCode, note } from "../kernel/operation/operation.ts";
import { cloneThread, fork } from "../kernel/process/fork.ts";
import { syscall } from "../kernel/cpu/syscall.ts";
import type { Task } from "../kernel/state/task.ts";
import { mapMemory, touchPages, usePages } from "./memory.ts";
import type { Scene, Workload } from "./workload.ts";

/** Processes before the measured ones. */
const WARM_UP_ROUNDS = 1;

/** A thread's life: it writes to memory of its own, and works on it for a while. */
function* live(task: Task, scene: Scene): KernelCode {
  const memory = yield* mapMemory(task, scene);
  yield* touchPages(memory, "write");
  const thinkCycles = 20 + scene.random.below(40);
  yield* usePages(memory, { accesses: 16, thinkCycles, seed: task.pid });
}

/** The process: a thread on each CPU but its own and the first, where its parent waits. */
function* lead(leader: Task, scene: Scene): KernelCode {
  for (const cpu of scene.cpus.slice(2)) {
    const program = (thread: Task): KernelCode => live(thread, scene);
    yield* syscall(leader, cloneThread(leader, { name: `${leader.name}.${cpu.id}`, program, cpu }));
  }
  yield* live(leader, scene);
  yield* syscall(leader, waitForChildren(leader));
}

export const exit: Workload = {
  name: "exit",
  summary: "a process with a thread on each CPU ends while they are idle on its mm, round by round",
  program: (scene) =>
    function* (main) {
      const cpu = scene.cpus[1 % scene.cpus.length]!;
      for (let round = -WARM_UP_ROUNDS; round < scene.rounds; round++) {
        if (round === 0) yield* note({ kind: "measureBegin" });
        const program = (task: Task): KernelCode => lead(task, scene);
        const child = yield* syscall(main, fork(main, { name: `process${round}`, program, cpu }));
        yield* syscall(main, waitForChild(main, child));
        yield* note({ kind: "operationDone" });
      }
      yield* note({ kind: "measureEnd" });
    },
};
