// flush_tlb_kernel_range of arch/x86/mm/tlb.c, since Linux 4.14: every CPU forgets a range of the
// kernel half, idle and lazy ones included. Global pages go from every PCID by INVLPG; with
// page-table isolation kernel pages are not global, and the other PCIDs are given up.

import { type PageNumber, type PageRange, pageAfter, pagesIn } from "../../base/address.ts";
import type { Cpu } from "../state/cpu.ts";
import { isMutated } from "../state/mutated.ts";
import { invpcid, type KernelCode, load, note, store, writeCr4 } from "../operation/operation.ts";
import { onEachCpu } from "../cpu/smp.ts";
import { flushPage } from "./asid.ts";
import { NO_GENERATION } from "../state/tlb-state.ts";
import { nameFunctions } from "../operation/origin.ts";
import { needInterruptsOff } from "../operation/precondition.ts";

/** A lazy CPU stays on its mm. */
function* stay(): KernelCode {}

/**
 * flush_tlb_kernel_range. Interrupts on.
 *
 * @param afterAll - What a CPU does once it has flushed everything.
 */
export function* flushKernelRange(
  cpu: Cpu,
  range: PageRange,
  afterAll: (cpu: Cpu) => KernelCode = stay,
): KernelCode {
  const whole = pagesIn(range) > cpu.kernel.options.flushCeiling;
  const info = { mm: cpu.kernel.initMm, newGeneration: NO_GENERATION, freedTables: false };
  yield* store(cpu.tlb.flushInfo, { ...info, range: whole ? null : range });
  yield* onEachCpu(cpu, (target) => flushHere(target, cpu, afterAll));
}

/** do_flush_tlb_all or do_kernel_range_flush. Interrupts off. */
function* flushHere(cpu: Cpu, initiator: Cpu, afterAll: (cpu: Cpu) => KernelCode): KernelCode {
  const { range } = (yield* load(initiator.tlb.flushInfo))!;
  if (range === null) {
    yield* flushEverything(cpu);
    yield* afterAll(cpu);
  } else yield* flushKernelPages(cpu, range);
  const how = range === null ? "full" : "ranged";
  yield* note({ kind: "flushed", mm: cpu.kernel.initMm, how, local: cpu === initiator });
}

function* flushKernelPages(cpu: Cpu, { start, end }: PageRange): KernelCode {
  for (let page = start; page < end; page = pageAfter(page, 1)) yield* flushKernelPage(cpu, page);
}

/** flush_tlb_one_kernel: INVLPG leaves what other PCIDs hold of a page that is not global. */
function* flushKernelPage(cpu: Cpu, page: PageNumber): KernelCode {
  yield* flushPage(cpu, page);
  if (!cpu.kernel.options.pti || isMutated(cpu, "kernel-flush-forgets-other-pcids")) return;
  cpu.tlb.invalidateOther = true;
}

/** __flush_tlb_all: every PCID, global pages included. Interrupts off. */
export function* flushEverything(cpu: Cpu): KernelCode {
  yield* needInterruptsOff("__flush_tlb_all");
  if (cpu.kernel.options.invpcid) return yield* invpcid(2);
  yield* writeCr4({ globalPages: false });
  yield* writeCr4({ globalPages: true });
}

nameFunctions({
  flush_tlb_kernel_range: flushKernelRange,
  flush_tlb_func: flushHere,
  stay,
  flushKernelPages,
  flush_tlb_one_kernel: flushKernelPage,
  __flush_tlb_all: flushEverything,
});
