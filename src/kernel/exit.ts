// kernel/exit.c: do_exit and wait4. A dying task becomes a lazy user of its own mm before it drops
// it.

import { costs } from "./costs.ts";
import { mmput } from "./mm-count.ts";
import { type Kernel, work } from "./operation.ts";
import { enterKernel } from "./pti.ts";
import { schedule } from "./schedule.ts";
import type { Task } from "./task.ts";
import { changeAndWake, waitEvent } from "./wait-queue.ts";

/** do_exit. Never returns: the last schedule() leaves this stack for good. */
export function* exit(task: Task): Kernel {
  yield* enterKernel(task.cpu);
  yield* work(costs.exitTask);
  yield* exitMm(task);
  const { parent } = task;
  if (parent === null) task.state = "dead";
  else yield* changeAndWake(task, parent.childExits, () => (task.state = "dead"));
  yield* schedule(task.cpu);
}

/** exit_mm: kernel threads have none. */
export function* exitMm(task: Task): Kernel {
  const mm = task.mm;
  if (mm === null) return;
  yield* task.cpu.kernel.lazyPolicy.exitMm(task.cpu, task, mm);
  yield* mmput(task.cpu, mm);
}

/** wait4 until every child has exited, and release_task for each. */
export function* waitForChildren(task: Task): Kernel {
  const { children } = task;
  yield* waitEvent(task, task.childExits, () => children.every((child) => child.state === "dead"));
  for (const _child of children.splice(0)) yield* work(costs.reapTask);
}

/** wait4 for one child. */
export function* waitForChild(task: Task, child: Task): Kernel {
  yield* waitEvent(task, task.childExits, () => child.state === "dead");
  task.children.splice(task.children.indexOf(child), 1);
  yield* work(costs.reapTask);
}
