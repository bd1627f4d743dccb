// The core code around task->active_mm, which four policies share: they differ in how a lazy
// reference is taken and dropped, and in what an IPI or the last drop does about lazy users.

import type { Cpu } from "../state/cpu.ts";
import type { Mm } from "../state/mm.ts";
import { isMutated } from "../state/mutated.ts";
import {
  disableInterrupts,
  enableInterrupts,
  type KernelCode,
  load,
} from "../operation/operation.ts";
import { preemptIfNeeded } from "../cpu/schedule.ts";
import { enterLazyTlb, switchMm } from "../cpu/switch-mm.ts";
import type { Task } from "../state/task.ts";
import type { LazyPolicy } from "../state/lazy-policy.ts";
import { nameFunctions } from "../operation/origin.ts";
import { needInterruptsOn } from "../operation/precondition.ts";

/** mmgrab_lazy_tlb and mmdrop_lazy_tlb. */
export interface LazyReferences {
  grab(cpu: Cpu, mm: Mm): KernelCode;
  drop(cpu: Cpu, mm: Mm): KernelCode;
}

type Switching = Pick<
  LazyPolicy,
  | "userToKernel"
  | "kernelToKernel"
  | "userToUser"
  | "kernelToUser"
  | "finishSwitch"
  | "exitMm"
  | "execMm"
  | "useMm"
  | "unuseMm"
  | "forceInitMm"
  | "finishCpu"
>;

/** kernel/sched/core.c, kernel/exit.c, fs/exec.c and kernel/kthread.c with active_mm. */
export function switchingWithActiveMm(references: LazyReferences): Switching {
  return {
    *userToKernel(cpu, prev, next) {
      const mm = prev.activeMm!;
      yield* enterLazyTlb(cpu, mm);
      next.activeMm = mm;
      yield* references.grab(cpu, mm);
    },
    *kernelToKernel(cpu, prev, next) {
      const mm = prev.activeMm!;
      prev.activeMm = null;
      next.activeMm = mm;
      if (cpu.kernel.protocol.traits.kernelToKernel === "counted-anew") {
        yield* references.grab(cpu, mm);
        cpu.runQueue.prevMm = mm; // dropped by finish_task_switch
      }
      yield* enterLazyTlb(cpu, mm);
    },
    *userToUser(cpu, prev, next) {
      yield* switchMm(cpu, prev.activeMm, next.mm!);
    },
    *kernelToUser(cpu, prev, next) {
      const isEarly = isMutated(cpu, "refcount-dropped-before-switch");
      if (isEarly) yield* references.drop(cpu, prev.activeMm!);
      yield* switchMm(cpu, prev.activeMm, next.mm!);
      // Dropped by finish_task_switch, outside the lock.
      cpu.runQueue.prevMm = isEarly ? null : prev.activeMm;
      prev.activeMm = null;
    },
    *finishSwitch(cpu, mm) {
      if (mm !== null) yield* references.drop(cpu, mm);
    },
    *exitMm(cpu, task, mm) {
      yield* references.grab(cpu, mm);
      yield* disableInterrupts();
      task.mm = null;
      yield* enterLazyTlb(cpu, mm);
      yield* enableInterrupts();
    },
    *execMm(cpu, task, next) {
      const isKernelThread = task.mm === null;
      const active = yield* activateMm(cpu, task, next);
      if (isKernelThread) yield* references.drop(cpu, active);
    },
    *useMm(cpu, task, mm) {
      const active = yield* switchKernelThread(cpu, task, mm);
      yield* references.drop(cpu, active);
    },
    *unuseMm(cpu, task, mm) {
      yield* disableInterrupts();
      task.mm = null;
      yield* references.grab(cpu, mm);
      yield* enterLazyTlb(cpu, mm);
      yield* enableInterrupts();
    },
    *forceInitMm(cpu, task) {
      const { initMm } = cpu.kernel;
      const mm = task.activeMm!;
      if (mm === initMm) return;
      yield* references.grab(cpu, initMm);
      yield* disableInterrupts();
      task.activeMm = initMm;
      yield* switchMm(cpu, mm, initMm);
      yield* enableInterrupts();
      yield* references.drop(cpu, mm);
    },
    *finishCpu(cpu, idle) {
      const mm = idle.activeMm!;
      idle.activeMm = null;
      yield* references.drop(cpu, mm);
    },
  };
}

/**
 * The part of exec_mmap in which mm, active_mm and CR3 disagree: no flush may come in between that
 * goes by one of them, and no other task. Returns what active_mm was.
 */
export function* activateMm(cpu: Cpu, task: Task, next: Mm): KernelCode<Mm> {
  yield* needInterruptsOn("exec_mmap");
  const isUnprotected = isMutated(cpu, "exec-active-mm-unprotected");
  if (!isUnprotected) yield* disableInterrupts();
  const active = task.activeMm!;
  if (isUnprotected) yield* preemptIfNeeded(cpu);
  task.activeMm = next;
  task.mm = next;
  if (isUnprotected) {
    yield* preemptIfNeeded(cpu);
    yield* disableInterrupts(); // switch_mm itself saves and disables
  }
  yield* switchMm(cpu, active, next);
  yield* enableInterrupts();
  return active;
}

/** The same of kthread_use_mm, under task_lock, so that nothing preempts it. */
export function* switchKernelThread(cpu: Cpu, task: Task, mm: Mm): KernelCode<Mm> {
  yield* needInterruptsOn("kthread_use_mm");
  const isInterruptible = isMutated(cpu, "kthread-use-mm-interrupts-on");
  if (!isInterruptible) yield* disableInterrupts(); // hold off flush IPIs
  const active = task.activeMm!;
  task.activeMm = mm;
  if (isInterruptible) {
    yield* load(cpu.current.flags); // any operation would do: an interrupt may come in between
    yield* disableInterrupts();
  }
  task.mm = mm;
  yield* switchMm(cpu, active, mm);
  yield* enableInterrupts();
  return active;
}

/** Whether `task` uses `mm` lazily: no mm of its own, and active_mm is it. */
export const isLazyUser = (task: Task, mm: Mm): boolean => task.mm === null && task.activeMm === mm;

nameFunctions({ exec_mmap: activateMm, switchKernelThread });
