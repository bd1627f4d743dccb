// mm/mmu_gather.c: pages and tables taken out of an address space are collected, then flushed from
// every TLB, and only then given back.

import { type FrameNumber, type PageRange, pageAfter } from "../base/address.ts";
import { frameOfEntry } from "../machine/page-table.ts";
import { costs } from "./costs.ts";
import type { Cpu } from "./cpu.ts";
import { flushRange, postponeUnmap } from "./flush.ts";
import { spinLock, spinUnlock } from "./lock.ts";
import type { Mm } from "./mm.ts";
import { isMutated } from "./mutation.ts";
import {
  detachTables,
  exchangeEntry,
  type Kernel,
  note,
  presentPages,
  workTimes,
} from "./operation.ts";
import { WHOLE_USER_HALF } from "./shootdown/protocol.ts";
import { flushBatchedPending } from "./unmap-batch.ts";

export class MmuGather {
  /** What was unmapped so far, widened to one range; null: nothing. */
  range: PageRange | null = null;
  readonly pages: FrameNumber[] = [];
  readonly tables: FrameNumber[] = [];

  constructor(
    readonly mm: Mm,
    /** tlb_gather_mmu_fullmm: the whole address space goes. */
    readonly fullMm: boolean = false,
  ) {}

  cover(range: PageRange): void {
    const start = Math.min(this.range?.start ?? range.start, range.start);
    const end = Math.max(this.range?.end ?? range.end, range.end);
    this.range = { start, end } as PageRange;
  }
}

/** unmap_vmas and zap_pte_range: clears the present entries of the range. */
export function* zapRange(cpu: Cpu, gather: MmuGather, range: PageRange): Kernel {
  const { mm } = gather;
  yield* spinLock(mm.pageTableLock);
  yield* flushBatchedPending(cpu, mm);
  const pages = yield* presentPages(mm, range);
  for (const page of pages) {
    gather.pages.push(frameOfEntry(yield* exchangeEntry(mm, page, 0n)));
    gather.cover({ start: page, end: pageAfter(page, 1) });
  }
  yield* workTimes(costs.zapPage, pages.length);
  yield* spinUnlock(mm.pageTableLock);
}

/** free_pgtables: unlinks the tables that serve no area any more. */
export function* zapTables(gather: MmuGather, range: PageRange): Kernel {
  const tables = yield* detachTables(gather.mm, range);
  if (tables.length === 0) return;
  gather.tables.push(...tables);
  gather.cover(range);
}

/** tlb_finish_mmu: flush, then free. Nothing unmapped means nothing to flush. */
export function* finishGather(cpu: Cpu, gather: MmuGather): Kernel {
  const { mm, range } = gather;
  if (range === null) return;
  const freedTables = gather.tables.length > 0 && !isMutated(cpu, "freed-tables-false");
  if (!gather.fullMm && gather.tables.length === 0) {
    const isDone = yield* postponeUnmap(cpu, { mm, range, frames: gather.pages });
    if (isDone !== null) {
      // Still mapped after MADV_DONTNEED; free addresses are to stay so after munmap.
      if (!mm.areas.overlaps(range)) mm.postponed = [...mm.postponed, { range, isDone }];
      return;
    }
  }
  const flushed = gather.fullMm ? WHOLE_USER_HALF : range;
  yield* flushRange(cpu, { mm, range: flushed, freedTables });
  yield* note({ kind: "pagesFreed", mm, range });
  for (const frame of gather.pages) cpu.kernel.frames.release(frame);
  yield* workTimes(costs.freePage, gather.pages.length + gather.tables.length);
  for (const table of gather.tables) {
    yield* note({ kind: "tableFreed", mm, table });
    cpu.kernel.releaseTable(table);
  }
}
