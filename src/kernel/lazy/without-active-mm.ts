// Core code without task->active_mm (the #ifdef of the June 2021 mails): what a CPU uses lazily is
// known to the architecture alone, in its per-CPU loaded_mm.

import type { Cpu } from "../state/cpu.ts";
import type { Mm } from "../state/mm.ts";
import {
  disableInterrupts,
  enableInterrupts,
  fence,
  type KernelCode,
} from "../operation/operation.ts";
import { enterLazyTlb } from "../cpu/switch-mm.ts";
import type { Task } from "../state/task.ts";
import type { LazyPolicy } from "../state/lazy-policy.ts";
import { nameFunctions } from "../operation/origin.ts";

/**
 * A task as core code sees it where the field does not exist: reading active_mm is a type error.
 */
export type TaskWithoutActiveMm = Omit<Task, "activeMm">;

/** switch_mm_irqs_off as this core code can call it: there is no previous mm to name. */
export type SwitchTo = (cpu: Cpu, next: Mm) => KernelCode;

type Switching = Omit<
  LazyPolicy,
  | "name"
  | "summary"
  | "source"
  | "lifetime"
  | "expected"
  | "lazyFlushed"
  | "afterExitMmap"
  | "beforeFree"
>;

/** The scheduler's and exit's sites, for tasks that have no active_mm. */
export function switchingWithoutActiveMm(switchTo: SwitchTo): Switching {
  const toUser = function* (cpu: Cpu, task: TaskWithoutActiveMm, mm: Mm): KernelCode {
    yield* disableInterrupts();
    task.mm = mm;
    yield* switchTo(cpu, mm);
    yield* enableInterrupts();
  };
  const toLazy = function* (cpu: Cpu, task: TaskWithoutActiveMm): KernelCode {
    yield* disableInterrupts();
    task.mm = null;
    yield* enterLazyTlb(cpu, null);
    yield* enableInterrupts();
  };
  nameFunctions({ toUser, toLazy });
  return {
    lazyReference: "none",
    traits: { aliveBy: "exit-flush", previousMm: "unnamed", era: "any" },
    *userToKernel(cpu, _prev: TaskWithoutActiveMm, _next: TaskWithoutActiveMm) {
      yield* enterLazyTlb(cpu, null);
    },
    *kernelToKernel(cpu, _prev: TaskWithoutActiveMm, _next: TaskWithoutActiveMm) {
      yield* enterLazyTlb(cpu, null);
    },
    *userToUser(cpu, _prev: TaskWithoutActiveMm, next: TaskWithoutActiveMm) {
      yield* switchTo(cpu, next.mm!);
    },
    *kernelToUser(cpu, _prev: TaskWithoutActiveMm, next: TaskWithoutActiveMm) {
      yield* switchTo(cpu, next.mm!);
      yield* fence(); // membarrier(2) relies on the barrier that mmdrop was
    },
    *finishSwitch() {},
    *exitMm(cpu, task: TaskWithoutActiveMm) {
      yield* toLazy(cpu, task);
    },
    execMm: toUser,
    useMm: toUser,
    *unuseMm(cpu, task: TaskWithoutActiveMm) {
      yield* toLazy(cpu, task);
    },
    *forceInitMm(cpu) {
      yield* disableInterrupts();
      yield* switchTo(cpu, cpu.kernel.initMm);
      yield* enableInterrupts();
    },
    *finishCpu() {},
  };
}
