// kernel/sched/core.c: __schedule and try_to_wake_up over one FIFO per CPU. There are no priorities
// and no time slices: a task runs until it blocks, or until one that was woken preempts it.

import { contextSwitch } from "./context-switch.ts";
import { costs } from "../operation/costs.ts";
import type { Cpu } from "../state/cpu.ts";
import { spinLock, spinUnlock } from "../locking/lock.ts";
import {
  disableInterrupts,
  enableInterrupts,
  type KernelCode,
  load,
  locked,
  sendIpi,
  work,
} from "../operation/operation.ts";
import { restoreInterrupts, saveInterrupts } from "../operation/interrupt-operation.ts";
import { RESCHEDULE_VECTOR } from "../operation/vectors.ts";
import { NEED_RESCHED, POLLING, type Task } from "../state/task.ts";
import { nameFunctions } from "../operation/origin.ts";
import { mightSleep } from "../operation/precondition.ts";

/** __schedule: gives the CPU to the next task. Returns the CPU on which the caller runs again. */
export function* schedule(cpu: Cpu): KernelCode<Cpu> {
  yield* mightSleep("schedule");
  const prev = cpu.current;
  yield* disableInterrupts();
  yield* spinLock(cpu.runQueue.lock);
  yield* locked(prev.flags, (flags) => flags & ~NEED_RESCHED);
  yield* work(costs.pickNextTask);
  if (prev.state !== "running") prev.onQueue = false;
  else if (prev !== cpu.idle) cpu.runQueue.tasks.push(prev);
  const next = cpu.runQueue.tasks.shift() ?? cpu.idle;
  if (next !== prev) return yield* contextSwitch(cpu, prev, next);
  yield* spinUnlock(cpu.runQueue.lock);
  yield* enableInterrupts();
  return cpu;
}

/**
 * preempt_schedule_irq. Kernel code here is preempted nowhere but on its way to user mode; with a
 * mutation by which it could be, this stands for an interrupt that returns to it.
 */
export function* preemptIfNeeded(cpu: Cpu): KernelCode {
  yield* mightSleep("preempt_schedule_irq");
  if (((yield* load(cpu.current.flags)) & NEED_RESCHED) !== 0) yield* schedule(cpu);
}

/** Runs `next` now, whatever else is queued: for replays, where a recording says who runs. */
export function* scheduleTo(cpu: Cpu, next: Task): KernelCode<Cpu> {
  yield* mightSleep("schedule");
  yield* disableInterrupts();
  yield* spinLock(cpu.runQueue.lock);
  yield* work(costs.pickNextTask);
  return yield* contextSwitch(cpu, cpu.current, next);
}

/** try_to_wake_up: makes a sleeping task runnable on its CPU. */
export function* wakeUp(cpu: Cpu, task: Task): KernelCode {
  const target = task.cpu;
  const irqs = yield* saveInterrupts(cpu); // raw_spin_lock_irqsave(&p->pi_lock)
  yield* spinLock(target.runQueue.lock);
  yield* work(costs.wakeUp);
  const wasSleeping = task.state === "sleeping";
  let flags = NEED_RESCHED;
  if (wasSleeping) {
    task.state = "running";
    if (!task.onQueue) {
      task.onQueue = true;
      target.runQueue.tasks.push(task);
      // resched_curr: a polling idle CPU sees the flag, any other needs an interrupt.
      flags = yield* locked(target.current.flags, (old) => old | NEED_RESCHED);
    }
  }
  yield* spinUnlock(target.runQueue.lock);
  if (target !== cpu && (flags & (NEED_RESCHED | POLLING)) === 0) {
    yield* sendIpi([target.id], RESCHEDULE_VECTOR);
  }
  yield* restoreInterrupts(cpu, irqs);
}

/** wake_up_new_task: puts a new task on its CPU's queue. */
export function* wakeUpNew(cpu: Cpu, task: Task): KernelCode {
  task.state = "sleeping";
  yield* wakeUp(cpu, task);
}

nameFunctions({
  __schedule: schedule,
  preempt_schedule_irq: preemptIfNeeded,
  scheduleTo,
  try_to_wake_up: wakeUp,
  wake_up_new_task: wakeUpNew,
});
