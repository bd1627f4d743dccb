// What the protocols since Linux 4.14 share of keeping a TLB up to date by generations: the change
// of address space, and the flush that a CPU makes in answer to another's request. They differ in
// whom a flush interrupts, in when the initiator flushes, and in what a lazy CPU does.

import { costs } from "../operation/costs.ts";
import type { Cpu } from "../state/cpu.ts";
import { clearCpu, setCpu } from "../cpu/cpumask.ts";
import { leaveLazyMm } from "../cpu/switch-mm.ts";
import type { Mm } from "../state/mm.ts";
import { isMutated } from "../state/mutated.ts";
import {
  disableInterrupts,
  enableInterrupts,
  fence,
  type KernelCode,
  load,
  locked,
  note,
  store,
  work,
} from "../operation/operation.ts";
import type { FlushInfo } from "../state/tlb-state.ts";
import {
  chooseAsid,
  flushLoaded,
  flushPages,
  flushPagesInContext,
  flushUserPcid,
  loadCr3,
  ownLoadedMm,
  storeSlotGeneration,
} from "./asid.ts";
import { type FlushRequest, isAboveCeiling } from "../state/shootdown-protocol.ts";
import { nameFunctions } from "../operation/origin.ts";
import { needInterruptsOff, needInterruptsOn } from "../operation/precondition.ts";

/** switch_mm_irqs_off where the address space changes: mask bits, slot, CR3. Interrupts off. */
export function* changeLoadedMm(cpu: Cpu, realPrev: Mm, next: Mm): KernelCode {
  const { tlb } = cpu;
  yield* needInterruptsOff("switch_mm_irqs_off");
  if (hasMask(cpu, realPrev)) yield* clearCpu(realPrev.cpumask, cpu.id);
  // From the next locked operation on, flushes of `next` interrupt this CPU; only then is the
  // generation read.
  if (hasMask(cpu, next)) yield* setCpu(next.cpumask, cpu.id);
  const generation = yield* load(next.tlbGeneration);
  const slot = chooseAsid(cpu, next, generation);
  yield* loadCr3(cpu, next, slot, generation);
  yield* store(tlb.loadedMm, next);
  tlb.loadedAsid = slot.asid;
}

const hasMask = ({ kernel }: Cpu, mm: Mm): boolean =>
  mm !== kernel.initMm || kernel.protocol.traits.initMmMask === "kept";

/** What was flushed while this CPU did not listen: the loaded slot is emptied if it is behind. */
export function* catchUp(cpu: Cpu, mm: Mm): KernelCode {
  const { tlb } = cpu;
  yield* needInterruptsOff("switch_mm_irqs_off");
  const generation = yield* load(mm.tlbGeneration);
  if (tlb.contexts[tlb.loadedAsid]!.tlbGeneration === generation) return;
  yield* loadCr3(cpu, mm, { asid: tlb.loadedAsid, flush: true }, generation);
}

/** switch_mm_irqs_off since Linux 4.20, where flushes pass lazy CPUs over. */
export function* switchMmAndCatchUp(cpu: Cpu, next: Mm): KernelCode {
  const { tlb } = cpu;
  yield* needInterruptsOff("switch_mm_irqs_off");
  const realPrev = yield* ownLoadedMm(cpu);
  const wasLazy = yield* load(tlb.isLazy);
  const clears = wasLazy || cpu.kernel.protocol.traits.clearsIsLazy === "always";
  if (clears) yield* store(tlb.isLazy, false);
  if (realPrev !== next) return yield* changeLoadedMm(cpu, realPrev, next);
  if (!wasLazy) return;
  // Pairs with the full barrier of the generation's increment: either the flusher sees that this
  // CPU is not lazy, or this CPU sees the new generation.
  if (!isMutated(cpu, "unlazy-without-barrier")) yield* fence();
  yield* catchUp(cpu, next);
}

/** tlb_is_not_lazy: a plain load of another CPU's state. */
export function* isNotLazy(target: Cpu): KernelCode<boolean> {
  return !(yield* load(target.tlb.isLazy));
}

/** inc_mm_tlb_gen, a full barrier, and the flush_tlb_info that responders read. */
export function* announceFlush(cpu: Cpu, request: FlushRequest): KernelCode<FlushInfo> {
  const { mm, range, freedTables, pageSize = "4K", evictedHere = false } = request;
  const newGeneration = (yield* locked(mm.tlbGeneration, (old) => old + 1)) + 1;
  const flushed = isAboveCeiling(cpu, request) ? null : range;
  const info: FlushInfo = {
    mm,
    range: flushed,
    pageSize,
    newGeneration,
    freedTables,
    evictedHere,
  };
  yield* store(cpu.tlb.flushInfo, info);
  return info;
}

/** flush_tlb_func, on the initiator and on every CPU that it called. Interrupts off. */
export function* flushHere(cpu: Cpu, initiator: Cpu): KernelCode {
  const info = (yield* load(initiator.tlb.flushInfo))!;
  yield* flushAsAsked(cpu, info, cpu === initiator);
}

/** flush_tlb_func, when it is known what is asked for. Interrupts off. */
export function* flushAsAsked(cpu: Cpu, info: FlushInfo, local: boolean): KernelCode {
  const { tlb } = cpu;
  yield* needInterruptsOff("flush_tlb_func");
  const mm = yield* ownLoadedMm(cpu);
  const context = tlb.contexts[tlb.loadedAsid]!;
  const mmGeneration = yield* load(mm.tlbGeneration);
  yield* work(costs.flushBody);
  if (mm !== (info.mm ?? mm) || mm === cpu.kernel.initMm) {
    return yield* note({ kind: "flushed", mm: info.mm ?? mm, how: "skipped", local });
  }
  if (yield* load(tlb.isLazy)) {
    // Lazy: do not flush, leave. The mask bit goes too, so no further flush comes here.
    yield* leaveLazyMm(cpu, mm, switchMmAndCatchUp);
    return yield* note({ kind: "flushed", mm, how: "skipped", local });
  }
  if (context.tlbGeneration === mmGeneration) {
    return yield* note({ kind: "flushed", mm, how: "skipped", local });
  }
  // A ranged flush brings the slot from the generation before this one to this one, and no further.
  const inOrder =
    info.newGeneration === context.tlbGeneration + 1 && info.newGeneration === mmGeneration;
  const ranged = info.range !== null && (inOrder || isMutated(cpu, "ranged-flush-over-gap"));
  if (ranged) yield* flushRanged(cpu, info, local);
  else yield* flushLoaded(cpu, mm);
  yield* storeSlotGeneration(cpu, tlb.loadedAsid, mmGeneration);
  yield* note({ kind: "flushed", mm, how: ranged ? "ranged" : "full", local });
}

/** The pages of a flush go, by whatever way the protocol has for them. */
function* flushRanged(cpu: Cpu, info: FlushInfo, local: boolean): KernelCode {
  const range = info.range!;
  if (local && info.evictedHere === true) return yield* flushUserPcid(cpu, range, info.pageSize);
  const inContext = cpu.kernel.protocol.traits.userFlush === "on-return" && !info.freedTables;
  yield* (inContext ? flushPagesInContext : flushPages)(cpu, range, info.pageSize);
}

/** The initiator's own flush, which turns interrupts on at its end. */
export function* flushHereWithInterruptsOff(cpu: Cpu): KernelCode {
  yield* needInterruptsOn("flush_tlb_mm_range");
  yield* disableInterrupts();
  yield* flushHere(cpu, cpu);
  yield* enableInterrupts();
}

nameFunctions({
  switch_mm_irqs_off: [changeLoadedMm, switchMmAndCatchUp],
  catchUp,
  tlb_is_not_lazy: isNotLazy,
  inc_mm_tlb_gen: announceFlush,
  flush_tlb_func: [flushHere, flushAsAsked, flushHereWithInterruptsOff],
  flushRanged,
});
