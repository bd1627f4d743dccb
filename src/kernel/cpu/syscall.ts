// The way into the kernel and back: what every system call costs, and the rescheduling at its end.

import { costs } from "../operation/costs.ts";
import { returnToUser } from "./interrupt.ts";
import { call, type KernelCode, work } from "../operation/operation.ts";
import { enterKernel, leaveKernel } from "./pti.ts";
import type { Task } from "../state/task.ts";
import { nameFunctions } from "../operation/origin.ts";

/** A system call of `task` that runs `body`. */
export function* syscall<T>(task: Task, body: KernelCode<T>): KernelCode<T> {
  const { syscall: cycles } = task.cpu.kernel.machine.description.instruction;
  yield* work({ name: "SYSCALL and SYSRET", cycles });
  yield* enterKernel(task.cpu);
  yield* work(costs.syscallBody);
  const result = yield* call(body);
  yield* returnToUser(task.cpu);
  return result;
}

/** Kernel code that `task` goes into and comes back from by other ways than a system call. */
export function* inKernel<T>(task: Task, body: KernelCode<T>): KernelCode<T> {
  yield* enterKernel(task.cpu);
  const result = yield* body;
  yield* leaveKernel(task.cpu);
  return result;
}

nameFunctions({ syscall, inKernel });
