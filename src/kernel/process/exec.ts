// fs/exec.c: exec_mmap. The task goes to a new address space and gives up its user of the old one;
// a kernel thread that becomes a program (kernel_execve) gives up what it borrowed.

import { costs } from "../operation/costs.ts";
import { mmput } from "../memory/mm-count.ts";
import { type KernelCode, work } from "../operation/operation.ts";
import { createMm, mapImage } from "./fork.ts";
import type { Task } from "../state/task.ts";
import { nameFunctions } from "../operation/origin.ts";

/** execve: a fresh image in place of the task's address space. */
export function* exec(task: Task, name: string): KernelCode {
  yield* work(costs.execImage);
  const old = task.mm; // none: kernel_execve
  const next = yield* createMm(task.cpu, name);
  mapImage(next);
  yield* task.cpu.kernel.lazyPolicy.execMm(task.cpu, task, next);
  task.isKernelThread = false;
  if (old !== null) yield* mmput(task.cpu, old);
}

nameFunctions({ begin_new_exec: exec });
