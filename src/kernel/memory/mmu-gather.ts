// mm/mmu_gather.c: pages and tables taken out of an address space are collected, then flushed from
// every TLB, and only then given back. Of pages it takes some 9 700 at a time.

import {
  type FrameNumber,
  type PageNumber,
  type PageRange,
  pagesIn,
  union,
} from "../../base/address.ts";
import type { PageSize } from "../../machine/description.ts";
import { frameOfEntry, smallerPage } from "../../machine/page-table.ts";
import type { Area } from "../state/area.ts";
import { costs } from "../operation/costs.ts";
import type { Cpu } from "../state/cpu.ts";
import { leafAt } from "../state/leaf-entry.ts";
import { flushRange, postponeUnmap } from "./flush.ts";
import { type Mm, WHOLE_USER_HALF } from "../state/mm.ts";
import { isMutated } from "../state/mutated.ts";
import { exchangeEntry, type KernelCode, load, note, workTimes } from "../operation/operation.ts";
import { spinLock, spinUnlock } from "../locking/lock.ts";
import { detachTables, presentPages, tablesOf } from "../operation/table-operation.ts";
import { flushBatchedPending } from "./unmap-batch.ts";
import { nameFunctions } from "../operation/origin.ts";
import { needAreaLock } from "../operation/precondition.ts";

export class MmuGather {
  /** What was unmapped since the last flush, widened to one range; null: nothing. */
  range: PageRange | null = null;
  /**
   * tlb_get_unmap_shift: the smallest page that was unmapped. Unlike Linux, tables that go without
   * any page count as 4 KiB.
   */
  pageSize: PageSize | null = null;
  pages: FrameNumber[] = [];
  readonly tables: FrameNumber[] = [];
  /** The entries of the pages, as they were when they were taken away. */
  taken: bigint[] = [];

  constructor(
    readonly mm: Mm,
    /** tlb_gather_mmu_fullmm: the whole address space goes. */
    readonly fullMm: boolean = false,
  ) {}

  cover(range: PageRange): void {
    this.range = union(this.range ?? range, range);
  }

  /** A page was unmapped. */
  add(entry: bigint, page: PageNumber, size: PageSize): void {
    this.pages.push(frameOfEntry(entry));
    this.taken.push(entry);
    this.cover(leafAt(page, size));
    this.pageSize = smallerPage(this.pageSize ?? size, size);
  }

  /** __tlb_reset_range: everything is flushed and freed. */
  reset(): void {
    this.range = null;
    this.pageSize = null;
    this.pages = [];
    this.taken = [];
  }
}

/** MMU_GATHER_BUNDLE, MAX_GATHER_BATCH, MAX_GATHER_BATCH_COUNT: the slots of the batches. */
const BUNDLE_SLOTS = 8;
const BATCH_SLOTS = 510;
const BATCH_COUNT = 19;

/**
 * How many pages the gather can still take, of whichever size. Unlike Linux, there is always memory
 * for its batches.
 */
function roomIn(cpu: Cpu, { pages }: MmuGather): number {
  const unused = cpu.kernel.protocol.traits.gatherBatches === "filled" ? 0 : 1;
  return BUNDLE_SLOTS - unused + BATCH_COUNT * (BATCH_SLOTS - unused) - pages.length;
}

/** unmap_vmas, zap_pte_range and __unmap_hugepage_range: clears the area's present entries. */
export function* zapArea(cpu: Cpu, gather: MmuGather, area: Area): KernelCode {
  const { mm } = gather;
  const { pageSize = "4K" } = area;
  if (!gather.fullMm) yield* needAreaLock(mm, "unmap_page_range");
  for (const part of yield* tablesOf(mm, area, pageSize)) {
    for (let left = part; pagesIn(left) > 0;) left = yield* zapPart(cpu, gather, left, pageSize);
  }
}

/**
 * What is in one table, until the gather is full: then what it has is flushed and freed. Returns
 * what is left.
 */
function* zapPart(
  cpu: Cpu,
  gather: MmuGather,
  part: PageRange,
  size: PageSize,
): KernelCode<PageRange> {
  const { mm } = gather;
  const lock = mm.pageTableLocks.of(part.start, size);
  yield* spinLock(lock);
  yield* flushBatchedPending(cpu, mm);
  const pages = (yield* presentPages(mm, part)).slice(0, roomIn(cpu, gather));
  for (const page of pages) {
    const entry = yield* exchangeEntry(mm, page, 0n, size);
    gather.add(entry, page, size);
  }
  yield* workTimes(costs.zapPage, pages.length);
  const isFull = roomIn(cpu, gather) === 0;
  if (isFull && size === "4K") yield* flushGathered(cpu, gather); // before ptl is dropped
  yield* spinUnlock(lock);
  if (!isFull) return { start: part.end, end: part.end };
  if (size !== "4K") yield* flushGathered(cpu, gather);
  yield* freeGathered(cpu, gather);
  return { start: leafAt(pages.at(-1)!, size).end, end: part.end };
}

/** free_pgtables: unlinks the tables that serve no area any more. */
export function* zapTables(gather: MmuGather, range: PageRange): KernelCode {
  const tables = yield* detachTables(gather.mm, range);
  if (tables.length === 0) return;
  gather.tables.push(...tables);
  gather.cover(range);
}

/** tlb_finish_mmu: flush, then free. Nothing unmapped means nothing to flush. */
export function* finishGather(cpu: Cpu, gather: MmuGather): KernelCode {
  yield* flushGathered(cpu, gather);
  yield* freeGathered(cpu, gather);
}

/** tlb_flush_mmu_tlbonly: what was unmapped since the last such flush. */
function* flushGathered(cpu: Cpu, gather: MmuGather): KernelCode {
  const { mm, range, taken } = gather;
  if (range === null || (yield* postponeGathered(cpu, gather, range))) return;
  const freedTables = gather.tables.length > 0 && !isMutated(cpu, "freed-tables-false");
  if (isMutated(cpu, "tables-freed-unflushed") && (yield* load(mm.mmUsers)) < 2) {
    yield* freeTables(cpu, gather);
  }
  const flushed = gather.fullMm ? WHOLE_USER_HALF : range;
  const pageSize = gather.pageSize ?? "4K";
  yield* flushRange(cpu, { mm, range: flushed, freedTables, taken, pageSize });
}

/** Leaves the flush to the others, and the pages, where the protocol can. */
function* postponeGathered(cpu: Cpu, gather: MmuGather, range: PageRange): KernelCode<boolean> {
  const { mm, pages, tables, fullMm } = gather;
  if (fullMm || tables.length > 0) return false;
  const isDone = yield* postponeUnmap(cpu, { mm, range, frames: [...pages] });
  if (isDone === null) return false;
  pages.length = 0;
  // Still mapped after MADV_DONTNEED; free addresses are to stay so after munmap.
  if (!mm.areas.overlaps(range)) mm.postponed = [...mm.postponed, { range, isDone }];
  return true;
}

/** tlb_flush_mmu_free: nobody uses what was flushed. The gather is empty then. */
function* freeGathered(cpu: Cpu, gather: MmuGather): KernelCode {
  const { mm, range, pages, tables } = gather;
  if (range !== null && pages.length + tables.length > 0) {
    yield* note({ kind: "pagesFreed", mm, range });
    for (const frame of pages) cpu.kernel.frames.release(frame);
    yield* workTimes(costs.freePage, pages.length + tables.length);
    yield* freeTables(cpu, gather);
  }
  gather.reset();
}

/** __tlb_remove_table for each: no CPU can walk it any more. */
function* freeTables(cpu: Cpu, { mm, tables }: MmuGather): KernelCode {
  for (const table of tables.splice(0)) {
    yield* note({ kind: "tableFreed", mm, table });
    cpu.kernel.releaseTable(table);
  }
}

nameFunctions({
  unmap_page_range: zapArea,
  zap_pte_range: zapPart,
  free_pgtables: zapTables,
  tlb_finish_mmu: finishGather,
  tlb_flush_mmu_tlbonly: flushGathered,
  postponeGathered,
  tlb_flush_mmu_free: freeGathered,
  __tlb_remove_table: freeTables,
});
