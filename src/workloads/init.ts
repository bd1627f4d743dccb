// init: starts a workload as a process of its own, waits for it, lets every CPU come to rest, and
// ends the run. With it every run ends in the exit of all its processes.

import { waitForChildren } from "../kernel/process/exit.ts";
import { mapImage, createUserTask, fork, STACK } from "../kernel/process/fork.ts";
import type { Kernel } from "../kernel/state/kernel.ts";
import type { KernelCode } from "../kernel/operation/operation.ts";
import { syscall } from "../kernel/cpu/syscall.ts";
import { NEED_RESCHED, type Program, type Task } from "../kernel/state/task.ts";
import { touchPages, usePages } from "./memory.ts";

/** Puts init on CPU 0's queue. The run starts with it and stops when it says so. */
export function startInit(kernel: Kernel, name: string, program: Program): void {
  const cpu = kernel.cpus[0]!;
  const mm = kernel.createMm("init", 0);
  mapImage(mm);
  const request = { name: "init", program: (task: Task) => init(task, name, program), cpu };
  const task = createUserTask(null, request, mm);
  task.onQueue = true;
  cpu.runQueue.tasks.push(task);
  cpu.current.flags.value |= NEED_RESCHED;
}

function* init(task: Task, name: string, program: Program): KernelCode {
  yield* touchPages(STACK, "write");
  yield* syscall(task, fork(task, { name, program, cpu: task.cpu }));
  yield* syscall(task, waitForChildren(task));
  // The last exits are still on their way to idle on other CPUs.
  yield* usePages(STACK, { accesses: 100, thinkCycles: 2_000, seed: 1 });
  task.cpu.kernel.stopped = true;
}
