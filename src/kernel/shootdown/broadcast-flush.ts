// INVLPGB since Linux 6.15. broadcast_tlb_flush is the flush of an mm with a global ASID: INVLPGBs
// invalidate on every CPU; IPIs go out only while some CPU may still run the mm on an ASID of its
// own. Kernel ranges go by INVLPGB alone.

import { pageAfter, pageNumber, type PageRange, pageRange, pagesIn } from "../../base/address.ts";
import type { PageSize } from "../../machine/description.ts";
import { pagesPer } from "../../machine/page-table.ts";
import type { Cpu } from "../state/cpu.ts";
import { cpusOf } from "../cpu/cpumask.ts";
import type { Mm } from "../state/mm.ts";
import { isMutated } from "../state/mutated.ts";
import {
  invlpgb,
  type KernelCode,
  load,
  note,
  store,
  tlbsync,
  waitUntil,
} from "../operation/operation.ts";
import { type FlushInfo, pcidOfAsid, SWITCHING } from "../state/tlb-state.ts";
import { globalAsidOf, inTransition } from "./global-asid.ts";
import { flushMulti } from "./linux-6.18-flush.ts";
import { nameFunctions } from "../operation/origin.ts";
import { needInterruptsOn } from "../operation/precondition.ts";

/** broadcast_tlb_flush. This CPU may not change until the TLBSYNC. */
export function* broadcastFlush(cpu: Cpu, mm: Mm, info: FlushInfo): KernelCode {
  yield* needInterruptsOn("broadcast_tlb_flush"); // finish_asid_transition may call others
  const pcid = pcidOfAsid(yield* globalAsidOf(cpu, mm));
  // The increment of the generation, a full barrier, has made the page tables' changes visible.
  if (info.range === null) yield* invlpgb({ extent: "pcid", pcid });
  else yield* invalidatePages(cpu, pcid, info.range, info.pageSize);
  yield* finishTransition(cpu, mm, info);
  yield* tlbsync();
  const how = info.range === null ? "full" : "ranged";
  yield* note({ kind: "flushed", mm, how, local: true });
}

/**
 * As many pages with each instruction as it covers. There are no steps of 1 GiB: such a page goes
 * with an instruction of its own, whose step does not matter.
 */
function* invalidatePages(
  cpu: Cpu,
  pcid: number,
  range: PageRange,
  pageSize: PageSize = "4K",
): KernelCode {
  if (pageSize === "1G") return yield* invalidateGigantic(pcid, range);
  const most = cpu.kernel.machine.broadcasts.pageLimit * pagesPer(pageSize);
  for (const piece of piecesOf(range, most)) {
    yield* invlpgb({ extent: "pages", pcid, range: piece, pageSize });
  }
}

function* invalidateGigantic(pcid: number, { start, end }: PageRange): KernelCode {
  for (let page = start; page < end; page = pageAfter(page, pagesPer("1G"))) {
    yield* invlpgb({ extent: "pages", pcid, range: pageRange(page, 1) });
  }
}

/** invlpgb_kernel_range_flush, and invlpgb_flush_all above the ceiling: no CPU is called. */
export function* broadcastKernelFlush(cpu: Cpu, range: PageRange): KernelCode {
  const { kernel } = cpu;
  const whole = pagesIn(range) > kernel.options.flushCeiling;
  const pieces = whole ? [] : piecesOf(range, kernel.machine.broadcasts.pageLimit);
  if (whole) yield* invlpgb({ extent: "all" });
  for (const piece of pieces) yield* invlpgb({ extent: "pagesOfAll", range: piece });
  yield* tlbsync();
  const how = whole ? "full" : "ranged";
  yield* note({ kind: "flushed", mm: kernel.initMm, how, local: true });
}

/** A range in parts of at most so many pages. */
function piecesOf({ start, end }: PageRange, most: number): PageRange[] {
  const pieces: PageRange[] = [];
  for (let page = start; page < end; page = pageAfter(page, most)) {
    pieces.push({ start: page, end: pageNumber(Math.min(pageAfter(page, most), end)) });
  }
  return pieces;
}

/**
 * finish_asid_transition: the transition is over when no CPU runs the mm on an ASID of its own. As
 * long as one does, flushes go to everybody in the mask too, and bring that one over.
 */
function* finishTransition(cpu: Cpu, mm: Mm, info: FlushInfo): KernelCode {
  if (!(yield* inTransition(cpu, mm))) return;
  const asid = yield* globalAsidOf(cpu, mm);
  const mask = yield* cpusOf(mm.cpumask);
  for (const id of mask) {
    const { tlb } = cpu.kernel.cpus[id]!;
    // A CPU in the middle of a switch may have chosen its ASID before there was a global one.
    if (!isMutated(cpu, "transition-without-switching-wait"))
      yield* waitUntil(tlb.loadedMm, (loaded) => loaded !== SWITCHING);
    if ((yield* load(tlb.loadedMm)) !== mm) continue;
    if ((yield* load(tlb.globalAsid)) === asid) continue;
    return yield* flushMulti(cpu, mask, info);
  }
  yield* store(mm.asidTransition, false);
}

nameFunctions({
  broadcast_tlb_flush: broadcastFlush,
  invlpgb_kernel_range_flush: broadcastKernelFlush,
  invalidatePages,
  invalidateGigantic,
  finish_asid_transition: finishTransition,
});
