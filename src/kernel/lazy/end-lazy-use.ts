// Ending lazy use by an interrupt: what shoot-lazies does at the last mmdrop and exit-unlazy at the
// last mmput.

import { cpusOf } from "../cpu/cpumask.ts";
import type { Cpu } from "../state/cpu.ts";
import type { Mm } from "../state/mm.ts";
import { disableInterrupts, enableInterrupts, type KernelCode } from "../operation/operation.ts";
import { callMany, waitForCalls } from "../cpu/smp.ts";
import { switchMm } from "../cpu/switch-mm.ts";
import { isLazyUser } from "./active-mm.ts";
import { nameFunctions } from "../operation/origin.ts";
import { needInterruptsOff } from "../operation/precondition.ts";

/**
 * do_shoot_lazy_tlb: if the running task borrows `mm`, it borrows init_mm from now on. IRQs off.
 */
function* endLazyUse(cpu: Cpu, mm: Mm): KernelCode {
  yield* needInterruptsOff("do_shoot_lazy_tlb");
  if (!isLazyUser(cpu.current, mm)) return;
  cpu.current.activeMm = cpu.kernel.initMm;
  yield* switchMm(cpu, mm, cpu.kernel.initMm);
}

/** on_each_cpu_mask(mm_cpumask(mm), do_shoot_lazy_tlb, mm, wait). Caller has interrupts on. */
export function* shootLazyUsers(cpu: Cpu, mm: Mm): KernelCode {
  const targets = yield* cpusOf(mm.cpumask);
  const called = yield* callMany(cpu, targets, (target) => endLazyUse(target, mm));
  if (targets.includes(cpu.id)) {
    yield* disableInterrupts();
    yield* endLazyUse(cpu, mm);
    yield* enableInterrupts();
  }
  yield* waitForCalls(called);
}

/**
 * The architecture's side of the bargain. x86 clears a lazy CPU's mm_cpumask bit when a flush moves
 * it to init_mm, so active_mm must go with it: else a later shootdown by mask misses this CPU
 * (powerpc's exit_lazy_flush_tlb does the same). Interrupts off; CR3 is on init_mm already.
 */
export function* forgetFlushedMm(cpu: Cpu, mm: Mm): KernelCode {
  yield* needInterruptsOff("unlazy_mm_irqs_off");
  if (isLazyUser(cpu.current, mm)) cpu.current.activeMm = cpu.kernel.initMm;
}

nameFunctions({
  do_shoot_lazy_tlb: endLazyUse,
  cleanup_lazy_tlbs: shootLazyUsers,
  forgetFlushedMm,
});
