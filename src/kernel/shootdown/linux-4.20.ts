// arch/x86/mm/tlb.c of Linux 4.20 to 5.12 (Rik van Riel's lazier TLB): a lazy CPU stays in
// mm_cpumask, is passed over unless page tables are freed, and compares generations when it stops
// being lazy. The initiator flushes first, and only then interrupts the others and waits. Unlike
// Linux, on_each_cpu_cond_mask does not run the function here a second time, where it would find
// nothing to do.
//
// tlb.c is that of the whole span. kernel/smp.c is that of 4.20 to 5.7: from 5.8 to 5.12 a polling
// CPU that is the only other one in the mask would get a store in place of the interrupt.

import { LINUX_4_20_TRAITS } from "../state/protocol-traits.ts";
import type { Cpu } from "../state/cpu.ts";
import { cpusOf } from "../cpu/cpumask.ts";
import { isMutated } from "../state/mutated.ts";
import { type KernelCode, load } from "../operation/operation.ts";
import { callable, callMany, waitForCalls } from "../cpu/smp.ts";
import type { FlushInfo } from "../state/tlb-state.ts";
import { batchedUnmapBy } from "./batch.ts";
import { enterLazy } from "./asid.ts";
import {
  announceFlush,
  flushHere,
  flushHereWithInterruptsOff,
  isNotLazy,
  switchMmAndCatchUp,
} from "./generation.ts";
import { flushKernelRange } from "./kernel-range.ts";
import type { FlushRequest, ShootdownProtocol } from "../state/shootdown-protocol.ts";
import { nameFunctions } from "../operation/origin.ts";

/** flush_tlb_others: smp_call_function_many, or on_each_cpu_cond_mask(tlb_is_not_lazy). */
function* flushOthers(cpu: Cpu, mask: readonly number[], info: FlushInfo): KernelCode {
  // A lazy CPU may walk what its paging-structure caches reach: it must leave tables that go.
  const everyone = info.freedTables && !isMutated(cpu, "freed-tables-under-lazy-cpus");
  const targets = everyone ? mask : yield* callable(cpu, mask, isNotLazy);
  const called = yield* callMany(cpu, targets, (target) => flushHere(target, cpu));
  yield* waitForCalls(called);
}

/** flush_tlb_mm_range */
function* flushRange(cpu: Cpu, request: FlushRequest): KernelCode<boolean> {
  const info = yield* announceFlush(cpu, request);
  const { mm } = request;
  if ((yield* load(cpu.tlb.loadedMm)) === mm) yield* flushHereWithInterruptsOff(cpu);
  const mask = yield* cpusOf(mm.cpumask);
  const remote = mask.some((id) => id !== cpu.id);
  if (remote) yield* flushOthers(cpu, mask, info);
  return remote;
}

export const linux420: ShootdownProtocol = {
  name: "linux-4.20",
  summary: "as linux-5.13, but the local flush comes first and the IPIs after it",
  source: "arch/x86/mm/tlb.c, Linux 4.20 to 5.12 (van Riel, x86/mm/tlb: Make lazy TLB mode lazier)",
  switchMm: switchMmAndCatchUp,
  enterLazy,
  flushRange,
  flushKernelRange,
  batchedUnmap: batchedUnmapBy(flushOthers),
  traits: LINUX_4_20_TRAITS,
};

nameFunctions({ flush_tlb_others: flushOthers, flush_tlb_mm_range: flushRange });
