// switch_mm_irqs_off of Linux 6.18. mm_cpumask is lazy: the bit of the mm that is left stays, until
// a flush finds it useless. What a flusher goes by instead is loaded_mm, which is SWITCHING from
// before the generation is read until CR3 is written.

import type { Cpu } from "../state/cpu.ts";
import { setCpu, testCpu } from "../cpu/cpumask.ts";
import type { Mm } from "../state/mm.ts";
import { isMutated } from "../state/mutated.ts";
import { fence, type KernelCode, load, store } from "../operation/operation.ts";
import { SWITCHING } from "../state/tlb-state.ts";
import { globalAsidOf, isGlobalAsid, needsGlobalAsid } from "./global-asid.ts";
import { chooseAsid, type ChosenAsid, loadCr3, ownLoadedMm } from "./asid.ts";
import { nameFunctions } from "../operation/origin.ts";
import { needInterruptsOff } from "../operation/precondition.ts";

/** switch_mm_irqs_off */
export function* switchMm(cpu: Cpu, next: Mm): KernelCode {
  const { tlb } = cpu;
  yield* needInterruptsOff("switch_mm_irqs_off");
  const prev = yield* ownLoadedMm(cpu);
  const wasLazy = yield* load(tlb.isLazy);
  if (wasLazy) yield* store(tlb.isLazy, false);
  if (prev === next) return yield* stay(cpu, next, wasLazy);
  const isLate = isMutated(cpu, "switching-stored-late");
  if (!isLate) yield* store(tlb.loadedMm, SWITCHING);
  yield* joinMask(cpu, next);
  const generation = yield* load(next.tlbGeneration);
  const slot = yield* chooseNewAsid(cpu, next, generation);
  if (isLate) yield* store(tlb.loadedMm, SWITCHING);
  yield* reload(cpu, next, slot, generation);
}

/** choose_new_asid: a global ASID is never stale. */
function* chooseNewAsid(cpu: Cpu, next: Mm, generation: number): KernelCode<ChosenAsid> {
  const asid = yield* globalAsidOf(cpu, next);
  return asid === 0 ? chooseAsid(cpu, next, generation) : { asid, flush: false };
}

/** From one thread of a process to another, or back from lazy use of it. */
function* stay(cpu: Cpu, mm: Mm, wasLazy: boolean): KernelCode {
  const { tlb } = cpu;
  if (yield* needsGlobalAsid(cpu, mm)) {
    const generation = yield* load(mm.tlbGeneration);
    return yield* reload(cpu, mm, yield* chooseNewAsid(cpu, mm, generation), generation);
  }
  // Broadcasts have kept a global ASID up to date, lazy or not.
  if (isGlobalAsid(tlb.loadedAsid) || !wasLazy) return;
  // Pairs with the increment of the generation: either the flusher sees that this CPU is not lazy,
  // or this CPU sees the new generation.
  yield* fence();
  const generation = yield* load(mm.tlbGeneration);
  if (tlb.contexts[tlb.loadedAsid]!.tlbGeneration === generation) return;
  yield* reload(cpu, mm, { asid: tlb.loadedAsid, flush: true }, generation);
}

/**
 * Sees to it that flushes of `next` find this CPU, and orders SWITCHING before the generation that
 * the caller reads: a flusher raises the generation and then looks at loaded_mm, so that either it
 * sees SWITCHING and calls this CPU, or this CPU sees the new generation.
 */
function* joinMask(cpu: Cpu, next: Mm): KernelCode {
  const isIn = next === cpu.kernel.initMm || (yield* testCpu(next.cpumask, cpu.id));
  if (!isIn) yield* setCpu(next.cpumask, cpu.id);
  else if (!isMutated(cpu, "no-barrier-before-generation")) yield* fence();
}

/** reload_tlb: CR3, and only then loaded_mm. */
function* reload(cpu: Cpu, next: Mm, slot: ChosenAsid, generation: number): KernelCode {
  yield* loadCr3(cpu, next, slot, generation);
  yield* store(cpu.tlb.loadedMm, next);
  cpu.tlb.loadedAsid = slot.asid;
  if (cpu.kernel.options.invlpgb === true) {
    yield* store(cpu.tlb.globalAsid, isGlobalAsid(slot.asid) ? slot.asid : 0);
  }
}

nameFunctions({
  switch_mm_irqs_off: [switchMm, stay, joinMask],
  choose_new_asid: chooseNewAsid,
  reload_tlb: reload,
});
