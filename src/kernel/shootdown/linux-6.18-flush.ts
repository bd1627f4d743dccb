// flush_tlb_func and native_flush_tlb_multi of Linux 6.18: who is called, and what a CPU does when
// it is. A CPU that is called for an mm which it has left takes itself out of that mm's mask.

import { costs } from "../operation/costs.ts";
import type { Cpu } from "../state/cpu.ts";
import { clearCpu } from "../cpu/cpumask.ts";
import { leaveLazyMm } from "../cpu/switch-mm.ts";
import type { Mm } from "../state/mm.ts";
import { isMutated } from "../state/mutated.ts";
import {
  disableInterrupts,
  enableInterrupts,
  type KernelCode,
  load,
  note,
  store,
  work,
} from "../operation/operation.ts";
import { callMany, waitForCalls } from "../cpu/smp.ts";
import { type FlushInfo, NO_GENERATION, SWITCHING } from "../state/tlb-state.ts";
import { flushLoaded, flushPages, ownLoadedMm, storeSlotGeneration } from "./asid.ts";
import { inTransition, isGlobalAsid, needsGlobalAsid } from "./global-asid.ts";
import { switchMm } from "./linux-6.18-switch.ts";
import { nameFunctions } from "../operation/origin.ts";
import { needInterruptsOff, needInterruptsOn } from "../operation/precondition.ts";

/** flush_tlb_func, on the initiator and on every CPU that it called. Interrupts off. */
function* flushHere(cpu: Cpu, initiator: Cpu): KernelCode {
  const local = cpu === initiator;
  yield* needInterruptsOff("flush_tlb_func");
  const info = (yield* load(initiator.tlb.flushInfo))!;
  const mm = yield* ownLoadedMm(cpu);
  yield* work(costs.flushBody);
  const how = yield* answer(cpu, mm, info);
  yield* note({ kind: "flushed", mm: info.mm ?? mm, how, local });
}

function* answer(cpu: Cpu, mm: Mm, info: FlushInfo): KernelCode<"full" | "ranged" | "skipped"> {
  const { tlb, kernel } = cpu;
  if (info.mm !== null && info.mm !== mm) {
    yield* clearCpu(info.mm.cpumask, cpu.id); // TLB_REMOTE_WRONG_CPU
    return "skipped";
  }
  if (mm === kernel.initMm) return "skipped";
  if (yield* needsGlobalAsid(cpu, mm)) yield* switchMm(cpu, mm);
  if (isGlobalAsid(tlb.loadedAsid)) return "skipped"; // the initiator's INVLPGB does it
  if (yield* load(tlb.isLazy)) {
    // Lazy: do not flush, leave. The bit stays in the mask; the next flush that calls takes it out.
    yield* leaveLazyMm(cpu, mm, switchMm);
    return "skipped";
  }
  if (isOld(cpu, info)) return "skipped";
  return yield* flushToNewest(cpu, mm, info);
}

/** Whether this CPU has made up for the flush already, told without the line of the mm. */
function isOld(cpu: Cpu, { newGeneration }: FlushInfo): boolean {
  const { tlb } = cpu;
  if (newGeneration === NO_GENERATION && !isMutated(cpu, "generation-zero-is-old")) return false;
  return newGeneration <= tlb.contexts[tlb.loadedAsid]!.tlbGeneration;
}

/** Brings what is loaded to the mm's generation, page by page if this flush is all it lacks. */
function* flushToNewest(
  cpu: Cpu,
  mm: Mm,
  info: FlushInfo,
): KernelCode<"full" | "ranged" | "skipped"> {
  const context = cpu.tlb.contexts[cpu.tlb.loadedAsid]!;
  const mmGeneration = yield* load(mm.tlbGeneration);
  if (context.tlbGeneration === mmGeneration) return "skipped";
  const inOrder =
    info.newGeneration === context.tlbGeneration + 1 && info.newGeneration === mmGeneration;
  const ranged = info.range !== null && (inOrder || isMutated(cpu, "ranged-flush-over-gap"));
  if (ranged) yield* flushPages(cpu, info.range!, info.pageSize);
  else yield* flushLoaded(cpu, mm);
  yield* storeSlotGeneration(cpu, cpu.tlb.loadedAsid, mmGeneration);
  return ranged ? "ranged" : "full";
}

/** The initiator's own flush, which turns interrupts on at its end. */
export function* flushHereWithInterruptsOff(cpu: Cpu): KernelCode {
  yield* needInterruptsOn("flush_tlb_mm_range");
  yield* disableInterrupts();
  yield* flushHere(cpu, cpu);
  yield* enableInterrupts();
}

/** should_flush_tlb: whether a CPU in the mask is to be called, as far as its neighbour can see. */
function* shouldFlush(target: Cpu, info: FlushInfo): KernelCode<boolean> {
  // loaded_mm first: is_lazy is then at least as new (smp_rmb, which x86 needs not).
  const loaded = yield* load(target.tlb.loadedMm);
  if (yield* load(target.tlb.isLazy)) return false; // it compares generations when it comes back
  if (info.mm === null || loaded === info.mm) return true;
  if (loaded === SWITCHING && !isMutated(target, "should-flush-ignores-switching")) return true;
  return info.trimMask === true;
}

/** native_flush_tlb_multi: queue and interrupt, flush here meanwhile, wait. */
export function* flushMulti(cpu: Cpu, mask: readonly number[], info: FlushInfo): KernelCode {
  yield* store(cpu.tlb.flushInfo, info);
  const mayNeedNot = (target: Cpu): KernelCode<boolean> => shouldFlush(target, info);
  // A lazy CPU may walk at any time what its CR3 reaches: freed tables concern it too.
  const everybody = info.freedTables || (info.mm !== null && (yield* inTransition(cpu, info.mm)));
  const condition = everybody ? null : mayNeedNot;
  const called = yield* callMany(cpu, mask, (target) => flushHere(target, cpu), condition);
  const here = mask.includes(cpu.id) && (condition === null || (yield* condition(cpu)));
  if (here) yield* flushHereWithInterruptsOff(cpu);
  yield* waitForCalls(called);
}

nameFunctions({
  flush_tlb_func: [flushHere, flushHereWithInterruptsOff],
  answer,
  flushToNewest,
  should_flush_tlb: shouldFlush,
  flush_tlb_multi: flushMulti,
});
