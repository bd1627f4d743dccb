// arch/x86/mm/tlb.c of Linux 4.14 to 4.19: loaded_mm, ctx_id, generations and six ASID slots. With
// PCID a CPU that turns lazy goes to init_mm at once (cheap: its slot is kept). Without, it stays
// in mm_cpumask and is interrupted like any other; the first flush finds it lazy and moves it to
// init_mm. So a lazy CPU never misses a flush, and its return has nothing to compare.

import { LINUX_4_15_TRAITS } from "../state/protocol-traits.ts";
import type { Cpu } from "../state/cpu.ts";
import { clearCpu, cpusOf, setCpu } from "../cpu/cpumask.ts";
import type { Mm } from "../state/mm.ts";
import { isMutated } from "../state/mutated.ts";
import { type KernelCode, load, store } from "../operation/operation.ts";
import { callMany, waitForCalls } from "../cpu/smp.ts";
import { batchedUnmapBy } from "./batch.ts";
import {
  announceFlush,
  catchUp,
  changeLoadedMm,
  flushHere,
  flushHereWithInterruptsOff,
} from "./generation.ts";
import { flushKernelRange } from "./kernel-range.ts";
import { ownLoadedMm } from "./asid.ts";
import type { FlushRequest, ShootdownProtocol } from "../state/shootdown-protocol.ts";
import { nameFunctions } from "../operation/origin.ts";

/** switch_mm_irqs_off */
function* switchMm(cpu: Cpu, next: Mm): KernelCode {
  const { tlb } = cpu;
  const realPrev = yield* ownLoadedMm(cpu);
  yield* store(tlb.isLazy, false);
  if (realPrev !== next) return yield* changeLoadedMm(cpu, realPrev, next);
  if (!isMutated(cpu, "lazy-leaves-cpumask")) return;
  // Who has left the mask has missed flushes. LOCK BTS orders it before the generation's load.
  yield* setCpu(next.cpumask, cpu.id);
  yield* catchUp(cpu, next);
}

/** enter_lazy_tlb; tlb_defer_switch_to_init_mm is "no PCID". */
function* enterLazy(cpu: Cpu): KernelCode {
  const mm = yield* ownLoadedMm(cpu);
  if (mm === cpu.kernel.initMm) return;
  if (isMutated(cpu, "lazy-leaves-cpumask")) {
    yield* store(cpu.tlb.isLazy, true);
    yield* clearCpu(mm.cpumask, cpu.id);
  } else if (cpu.kernel.options.pcid) yield* switchMm(cpu, cpu.kernel.initMm);
  else yield* store(cpu.tlb.isLazy, true);
}

/** flush_tlb_mm_range: here first, then all others in the mask. */
function* flushRange(cpu: Cpu, request: FlushRequest): KernelCode<boolean> {
  yield* announceFlush(cpu, { ...request, pageSize: "4K" }); // large pages as so many small ones
  const { mm } = request;
  if ((yield* load(cpu.tlb.loadedMm)) === mm) yield* flushHereWithInterruptsOff(cpu);
  const mask = yield* cpusOf(mm.cpumask);
  yield* flushOthers(cpu, mask);
  return mask.some((id) => id !== cpu.id);
}

/** native_flush_tlb_others: everybody else in the mask, lazy or not. */
function* flushOthers(cpu: Cpu, mask: readonly number[]): KernelCode {
  const called = yield* callMany(cpu, mask, (target) => flushHere(target, cpu));
  yield* waitForCalls(called);
}

export const linux415: ShootdownProtocol = {
  name: "linux-4.15",
  summary: "generations and six ASIDs; lazy CPUs are interrupted, and with PCID there are none",
  source:
    "arch/x86/mm/tlb.c, Linux 4.14 to 4.19 (Lutomirski, x86/mm: Implement PCID based optimization)",
  switchMm,
  enterLazy,
  flushRange,
  flushKernelRange,
  batchedUnmap: batchedUnmapBy(flushOthers),
  traits: LINUX_4_15_TRAITS,
};

nameFunctions({
  switch_mm_irqs_off: switchMm,
  enter_lazy_tlb: enterLazy,
  flush_tlb_mm_range: flushRange,
  flush_tlb_others: flushOthers,
});
