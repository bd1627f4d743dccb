// kernel/exit.c: do_exit and wait4. A dying task becomes a lazy user of its own mm before it drops
// it.

import { costs } from "../operation/costs.ts";
import { mmput } from "../memory/mm-count.ts";
import { type KernelCode, work } from "../operation/operation.ts";
import { lockForReading, unlockForReading } from "../locking/lock.ts";
import { enterKernel } from "../cpu/pti.ts";
import { schedule } from "../cpu/schedule.ts";
import type { Task } from "../state/task.ts";
import { changeAndWake, waitEvent } from "../cpu/wait-event.ts";
import { nameFunctions } from "../operation/origin.ts";
import { mightSleep, needNothingHeld } from "../operation/precondition.ts";

/** do_exit. Never returns: the last schedule() leaves this stack for good. */
export function* exit(task: Task): KernelCode {
  yield* enterKernel(task.cpu);
  yield* needNothingHeld("do_exit");
  yield* work(costs.exitTask);
  yield* exitMm(task);
  const { parent } = task;
  if (parent === null) task.state = "dead";
  else yield* changeAndWake(task, parent.childExits, () => (task.state = "dead"));
  yield* schedule(task.cpu);
}

/** exit_mm: kernel threads have none. */
export function* exitMm(task: Task): KernelCode {
  const mm = task.mm;
  if (mm === null) return;
  yield* mightSleep("exit_mm");
  yield* lockForReading(mm.mmapLock);
  yield* task.cpu.kernel.lazyPolicy.exitMm(task.cpu, task, mm);
  yield* unlockForReading(mm.mmapLock);
  yield* mmput(task.cpu, mm);
}

/** wait4 until every child has exited, and release_task for each. */
export function* waitForChildren(task: Task): KernelCode {
  const { children } = task;
  yield* waitEvent(task, task.childExits, () => children.every((child) => child.state === "dead"));
  for (const _child of children.splice(0)) yield* work(costs.reapTask);
}

/** wait4 for one child. */
export function* waitForChild(task: Task, child: Task): KernelCode {
  yield* waitEvent(task, task.childExits, () => child.state === "dead");
  task.children.splice(task.children.indexOf(child), 1);
  yield* work(costs.reapTask);
}

nameFunctions({ do_exit: exit, exit_mm: exitMm, wait4: [waitForChildren, waitForChild] });
