// kernel/sched/core.c: context_switch and finish_task_switch. The four cases of who borrows what
// are the lazy policy's; what stands here is the frame around them.

import { Activation } from "../operation/activation.ts";
import { costs } from "../operation/costs.ts";
import type { Cpu } from "../state/cpu.ts";
import { handOver, spinUnlock } from "../locking/lock.ts";
import { isMutated } from "../state/mutated.ts";
import {
  call,
  enableInterrupts,
  type KernelCode,
  note,
  switchTo,
  work,
} from "../operation/operation.ts";
import { leaveKernel } from "./pti.ts";
import type { Task } from "../state/task.ts";
import { nameFunctions } from "../operation/origin.ts";
import { needInterruptsOff, needSpinLock } from "../operation/precondition.ts";

/**
 * Goes on as `next`. Caller holds the run-queue lock with interrupts off; finish_task_switch, on
 * the other side, gives both up. Returns the CPU on which `prev` runs again.
 */
export function* contextSwitch(cpu: Cpu, prev: Task, next: Task): KernelCode<Cpu> {
  const { lazyPolicy } = cpu.kernel;
  const { lock } = cpu.runQueue;
  yield* needInterruptsOff("context_switch");
  yield* needSpinLock(lock, "context_switch");
  if (next.mm === null) {
    if (prev.mm !== null) yield* call(lazyPolicy.userToKernel(cpu, prev, next));
    else yield* call(lazyPolicy.kernelToKernel(cpu, prev, next));
  } else if (prev.mm !== null) yield* call(lazyPolicy.userToUser(cpu, prev, next));
  else yield* call(lazyPolicy.kernelToUser(cpu, prev, next));
  yield* note({ kind: "switched", from: prev, to: next });
  yield* work(costs.switchTo);
  handOver(lock, prev, next);
  const here = yield* switchTo(next);
  yield* finishTaskSwitch(here);
  return here;
}

/** The executor's part of switch_to: `next` is current, and goes on from its own stack. */
export function makeCurrent(cpu: Cpu, next: Task): void {
  cpu.previous = cpu.current;
  cpu.current = next;
  next.cpu = cpu;
  if (next.stack.length === 0) next.stack.push(new Activation(firstRun(next), "task"));
  else next.stack[next.stack.length - 1]!.result = cpu;
}

/** finish_task_switch: runs on the stack of the task that was switched to. */
function* finishTaskSwitch(cpu: Cpu): KernelCode {
  const { runQueue, kernel } = cpu;
  const mm = runQueue.prevMm;
  if (!isMutated(cpu, "prev-mm-kept")) runQueue.prevMm = null;
  yield* note({ kind: "prevMmTaken", mm });
  yield* spinUnlock(runQueue.lock);
  yield* enableInterrupts();
  yield* kernel.lazyPolicy.finishSwitch(cpu, mm); // outside the lock: it may interrupt other CPUs
}

/** ret_from_fork: the first code of a task. */
function* firstRun(task: Task): KernelCode {
  yield* finishTaskSwitch(task.cpu);
  yield* leaveKernel(task.cpu);
  yield* task.program(task);
}

nameFunctions({
  context_switch: contextSwitch,
  finish_task_switch: finishTaskSwitch,
  ret_from_fork: firstRun,
});
