// mm/mmu_gather.c: pages and tables taken out of an address space are collected, then flushed from
// every TLB, and only then given back.

import { type FrameNumber, type PageNumber, type PageRange, union } from "../../base/address.ts";
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
import { underEachLock } from "../locking/page-table-lock.ts";
import { detachTables, presentPages } from "../operation/table-operation.ts";
import { flushBatchedPending } from "./unmap-batch.ts";
import { nameFunctions } from "../operation/origin.ts";
import { needAreaLock } from "../operation/precondition.ts";

export class MmuGather {
  /** What was unmapped so far, widened to one range; null: nothing. */
  range: PageRange | null = null;
  /**
   * tlb_get_unmap_shift: the smallest page that was unmapped. Unlike Linux, tables that go without
   * any page count as 4 KiB.
   */
  pageSize: PageSize | null = null;
  readonly pages: FrameNumber[] = [];
  readonly tables: FrameNumber[] = [];
  /** The entries of the pages, as they were when they were taken away. */
  readonly taken: bigint[] = [];

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
}

/** unmap_vmas, zap_pte_range and __unmap_hugepage_range: clears the area's present entries. */
export function* zapArea(cpu: Cpu, gather: MmuGather, area: Area): KernelCode {
  const { mm } = gather;
  const { pageSize = "4K" } = area;
  if (!gather.fullMm) yield* needAreaLock(mm, "unmap_page_range");
  yield* underEachLock(mm, area, pageSize, function* (part) {
    yield* flushBatchedPending(cpu, mm);
    const pages = yield* presentPages(mm, part);
    for (const page of pages) {
      const entry = yield* exchangeEntry(mm, page, 0n, pageSize);
      gather.add(entry, page, pageSize);
    }
    yield* workTimes(costs.zapPage, pages.length);
  });
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
  if (isMutated(cpu, "tables-freed-unflushed") && (yield* load(mm.mmUsers)) < 2) {
    yield* freeTables(cpu, gather);
  }
  const flushed = gather.fullMm ? WHOLE_USER_HALF : range;
  const { taken, pageSize } = gather;
  yield* flushRange(cpu, {
    mm,
    range: flushed,
    freedTables,
    taken,
    pageSize: pageSize ?? "4K",
  });
  yield* note({ kind: "pagesFreed", mm, range });
  for (const frame of gather.pages) cpu.kernel.frames.release(frame);
  yield* workTimes(costs.freePage, gather.pages.length + gather.tables.length);
  yield* freeTables(cpu, gather);
}

/** __tlb_remove_table for each: no CPU can walk it any more. */
function* freeTables(cpu: Cpu, { mm, tables }: MmuGather): KernelCode {
  for (const table of tables.splice(0)) {
    yield* note({ kind: "tableFreed", mm, table });
    cpu.kernel.releaseTable(table);
  }
}

nameFunctions({
  zap_pte_range: zapArea,
  free_pgtables: zapTables,
  tlb_finish_mmu: finishGather,
  __tlb_remove_table: freeTables,
});
