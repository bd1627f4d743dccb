// The call of switch_mm_irqs_off from core code, in its two signatures. x86 does not look at `prev`
// (it has loaded_mm); what is at issue is whether core code may hand over a pointer to freed
// memory.

import type { Cpu } from "../state/cpu.ts";
import type { Mm } from "../state/mm.ts";
import { call, type KernelCode, note } from "../operation/operation.ts";
import { nameFunctions } from "../operation/origin.ts";
import { needInterruptsOff } from "../operation/precondition.ts";

/** switch_mm_irqs_off(prev, next, tsk), as core code with active_mm calls it. Interrupts off. */
export function* switchMm(cpu: Cpu, prev: Mm | null, next: Mm): KernelCode {
  if (prev !== null) yield* note({ kind: "passed", mm: prev, callee: "switch_mm_irqs_off" });
  yield* switchMmTo(cpu, next);
}

/** switch_mm_irqs_off(next, tsk): the fewer parameters. Interrupts off. */
export function* switchMmTo(cpu: Cpu, next: Mm): KernelCode {
  yield* needInterruptsOff("switch_mm_irqs_off");
  yield* note({ kind: "passed", mm: next, callee: "switch_mm_irqs_off" });
  yield* note({ kind: "changeBegin" });
  yield* call(cpu.kernel.protocol.switchMm(cpu, next));
  yield* note({ kind: "changeEnd" });
}

/**
 * unlazy_mm_irqs_off: a lazy CPU leaves `mm` for init_mm. Nobody who looks for lazy users by
 * mm_cpumask may find it from then on, so the policy is told. Every way of leaving comes by here.
 *
 * @param switchTo - How a protocol leaves from within its own flush, which core code does not call.
 */
export function* leaveLazyMm(cpu: Cpu, mm: Mm, switchTo = switchMmTo): KernelCode {
  const { initMm, lazyPolicy } = cpu.kernel;
  yield* switchTo(cpu, initMm);
  yield* lazyPolicy.lazyFlushed(cpu, mm);
}

/** enter_lazy_tlb(mm, tsk). Interrupts off. */
export function* enterLazyTlb(cpu: Cpu, mm: Mm | null): KernelCode {
  yield* needInterruptsOff("enter_lazy_tlb");
  if (mm !== null) yield* note({ kind: "passed", mm, callee: "enter_lazy_tlb" });
  yield* note({ kind: "changeBegin" });
  yield* cpu.kernel.protocol.enterLazy(cpu);
  yield* note({ kind: "changeEnd" });
}

nameFunctions({
  switch_mm_irqs_off: [switchMm, switchMmTo],
  unlazy_mm_irqs_off: leaveLazyMm,
  enter_lazy_tlb: enterLazyTlb,
});
