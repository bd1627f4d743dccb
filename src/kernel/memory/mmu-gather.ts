// mm/mmu_gather.c: pages and tables taken out of an address space are collected, then flushed from
// every TLB, and only then given back. Of pages it takes some 9 700 at a time.

import {
  type FrameNumber,
  type PageNumber,
  type PageRange,
  pageRange,
  pagesIn,
  union,
} from "../../base/address.ts";
import type { PageSize } from "../../machine/description.ts";
import { frameOfEntry, pagesPerTable, smallerPage } from "../../machine/page-table.ts";
import type { Area } from "../state/area.ts";
import { costs } from "../operation/costs.ts";
import type { Cpu } from "../state/cpu.ts";
import { leafAt } from "../state/leaf-entry.ts";
import { flushRange, postponeUnmap } from "./flush.ts";
import { type Mm, WHOLE_USER_HALF } from "../state/mm.ts";
import type { ProtocolTraits } from "../state/protocol-traits.ts";
import { isMutated } from "../state/mutated.ts";
import { exchangeEntry, type KernelCode, load, note, workTimes } from "../operation/operation.ts";
import { spinLock, spinUnlock } from "../locking/lock.ts";
import { detachIfEmpty } from "../operation/guarded-operation.ts";
import { detachTables, presentPages, tablesOf } from "../operation/table-operation.ts";
import { flushBatchedPending } from "./unmap-batch.ts";
import { beginUnflushed, endUnflushed, hasOtherUnflushed } from "./flush-pending.ts";
import { nameFunctions } from "../operation/origin.ts";
import { mightSleep, needAreaLock, needMmapLock } from "../operation/precondition.ts";

export class MmuGather {
  /** What was unmapped or changed since the last flush, widened to one range; null: nothing. */
  range: PageRange | null = null;
  /**
   * tlb_get_unmap_shift: the smallest page that was unmapped. Unlike Linux, tables that go without
   * any page count as 4 KiB.
   */
  pageSize: PageSize | null = null;
  pages: FrameNumber[] = [];
  readonly tables: FrameNumber[] = [];
  /** The entries that are to be flushed, as they were. */
  taken: bigint[] = [];
  /** Another gather of the mm is open as this one is finished. */
  isNested = false;

  constructor(
    readonly mm: Mm,
    /** tlb_gather_mmu_fullmm: the whole address space goes. */
    readonly fullMm: boolean,
  ) {}

  cover(range: PageRange): void {
    this.range = union(this.range ?? range, range);
  }

  /** A page was unmapped. */
  add(entry: bigint, page: PageNumber, size: PageSize): void {
    this.pages.push(frameOfEntry(entry));
    this.change(entry, page, size);
  }

  /** tlb_flush_pte_range: its entry was another one. */
  change(entry: bigint, page: PageNumber, size: PageSize): void {
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

/** tlb_gather_mmu. What begins must be finished, by finishGather. */
export function* beginGather(cpu: Cpu, mm: Mm, fullMm = false): KernelCode<MmuGather> {
  yield* beginUnflushed(cpu, mm);
  return new MmuGather(mm, fullMm);
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

/** What becomes of a last-level table that is emptied and serves its area still. */
type EmptyTables = ProtocolTraits["emptyTables"];

/** unmap_vmas, unmap_page_range, __unmap_hugepage_range: clears the area's present entries. */
export function* zapArea(
  cpu: Cpu,
  gather: MmuGather,
  area: Area,
  emptyTables: EmptyTables = "kept",
): KernelCode {
  const { mm } = gather;
  const { pageSize = "4K" } = area;
  yield* mightSleep("unmap_page_range"); // cond_resched, between two tables
  if (!gather.fullMm) yield* needAreaLock(mm, "unmap_page_range");
  for (const part of yield* tablesOf(mm, area, pageSize)) {
    // reclaim_pt_is_enabled: all that the table maps is taken away.
    const isWhole = pageSize === "4K" && pagesIn(part) === pagesPerTable(pageSize);
    const zapped = { part, pageSize, emptyTables: isWhole ? emptyTables : "kept" } as const;
    let from: PageNumber | null = part.start;
    while (from !== null) from = yield* zapFrom(cpu, gather, from, zapped);
  }
}

/** What of an area is in one table. */
interface Zapped {
  readonly part: PageRange;
  readonly pageSize: PageSize;
  readonly emptyTables: EmptyTables;
}

/**
 * zap_pte_range, until the gather is full: then what it has is flushed and freed. Returns where to
 * go on, null: all is done.
 */
function* zapFrom(
  cpu: Cpu,
  gather: MmuGather,
  from: PageNumber,
  { part, pageSize, emptyTables }: Zapped,
): KernelCode<PageNumber | null> {
  const { mm } = gather;
  const lock = mm.pageTableLocks.of(part.start, pageSize);
  yield* spinLock(lock);
  yield* flushBatchedPending(cpu, mm);
  const present = yield* presentPages(mm, { start: from, end: part.end });
  const pages = present.slice(0, roomIn(cpu, gather));
  for (const page of pages) {
    const entry = yield* exchangeEntry(mm, page, 0n, pageSize);
    gather.add(entry, page, pageSize);
  }
  yield* workTimes(costs.zapPage, pages.length);
  const isFull = roomIn(cpu, gather) === 0;
  if (isFull && pageSize === "4K") yield* flushGathered(cpu, gather); // before ptl is dropped
  if (!isFull && emptyTables === "freed") yield* freeEmptyTable(gather, part);
  yield* spinUnlock(lock);
  if (!isFull) return null;
  if (pageSize !== "4K") yield* flushGathered(cpu, gather);
  yield* freeGathered(cpu, gather);
  const next = leafAt(pages.at(-1)!, pageSize).end;
  return next < part.end || emptyTables === "freed" ? next : null;
}

/** try_get_and_clear_pmd and free_pte. Caller holds the table's lock. */
function* freeEmptyTable(gather: MmuGather, part: PageRange): KernelCode {
  const tables = yield* detachIfEmpty(gather.mm, part);
  if (tables.length === 0) return;
  gather.tables.push(...tables);
  gather.cover(pageRange(part.start, 1));
}

/** free_pgtables: unlinks the tables that serve no area any more. */
export function* zapTables(gather: MmuGather, range: PageRange): KernelCode {
  if (!gather.fullMm) yield* needMmapLock(gather.mm, "free_pgtables");
  const tables = yield* detachTables(gather.mm, range);
  if (tables.length === 0) return;
  gather.tables.push(...tables);
  gather.cover(range);
}

/**
 * tlb_finish_mmu: flush, then free. Nothing unmapped means nothing to flush, except where another
 * gather of the mm is open: it may have taken away what was not found here, and not flushed it yet.
 */
export function* finishGather(cpu: Cpu, gather: MmuGather): KernelCode {
  yield* mightSleep("tlb_finish_mmu"); // cond_resched, between two batches of pages
  gather.isNested = yield* hasOtherUnflushed(cpu, gather.mm);
  yield* flushGathered(cpu, gather);
  yield* freeGathered(cpu, gather);
  yield* endUnflushed(cpu, gather.mm);
}

/** tlb_flush_mmu_tlbonly: what was unmapped since the last such flush. */
function* flushGathered(cpu: Cpu, gather: MmuGather): KernelCode {
  const { mm, range, taken } = gather;
  if (gather.isNested) {
    return yield* flushRange(cpu, { mm, range: WHOLE_USER_HALF, freedTables: true });
  }
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
  if (fullMm || tables.length > 0 || pages.length === 0) return false;
  const isDone = yield* postponeUnmap(cpu, { mm, range, frames: pages });
  if (isDone === null) return false;
  gather.pages = []; // they are the protocol's
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
  zap_pte_range: zapFrom,
  free_pte: freeEmptyTable,
  free_pgtables: zapTables,
  tlb_gather_mmu: beginGather,
  tlb_finish_mmu: finishGather,
  tlb_flush_mmu_tlbonly: flushGathered,
  postponeGathered,
  tlb_flush_mmu_free: freeGathered,
  __tlb_remove_table: freeTables,
});
