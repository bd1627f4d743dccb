// mm/vmscan.c and mm/rmap.c: pages are taken away from whoever maps them, one flush for all of
// them, then they are freed. Left out: the LRU lists and which page goes, swap (what was in a page
// is lost, as with MADV_FREE), page locks (a fault in between gets a fresh page at once).

import { type FrameNumber, type PageNumber, pageRange } from "../../base/address.ts";
import { frameOfEntry, PAGE_SIZE, PRESENT } from "../../machine/page-table.ts";
import { costs } from "../operation/costs.ts";
import type { Cpu } from "../state/cpu.ts";
import { cpusOf } from "../cpu/cpumask.ts";
import { flushRange } from "./flush.ts";
import { spinLock, spinUnlock } from "../locking/lock.ts";
import type { Mm } from "../state/mm.ts";
import {
  call,
  exchangeEntry,
  type KernelCode,
  note,
  readEntry,
  work,
  workTimes,
} from "../operation/operation.ts";
import { deferFlush, tryToUnmapFlush, UnmapBatch } from "./unmap-batch.ts";
import { nameFunctions } from "../operation/origin.ts";
import { mightSleep } from "../operation/precondition.ts";

/** One mapping of a page; a page that several address spaces map is given once for each. */
export interface MappedPage {
  readonly mm: Mm;
  readonly page: PageNumber;
}

/**
 * shrink_page_list: returns how many mappings were taken away. Unlike Linux, where the lock of the
 * reverse map keeps the address spaces from going away, the caller holds a user of each.
 */
export function* reclaim(cpu: Cpu, pages: readonly MappedPage[]): KernelCode<number> {
  yield* mightSleep("shrink_page_list");
  const batch = new UnmapBatch();
  const unmapped: { readonly mapped: MappedPage; readonly frame: FrameNumber }[] = [];
  for (const mapped of pages) {
    const frame = yield* call(tryToUnmap(cpu, batch, mapped));
    if (frame !== null) unmapped.push({ mapped, frame });
  }
  yield* tryToUnmapFlush(cpu, batch);
  for (const { mapped, frame } of unmapped) {
    yield* note({ kind: "pagesFreed", mm: mapped.mm, range: pageRange(mapped.page, 1) });
    cpu.kernel.frames.release(frame);
  }
  yield* workTimes(costs.freePage, unmapped.length);
  return unmapped.length;
}

/**
 * try_to_unmap_one with TTU_BATCH_FLUSH. Huge pages are not on the lists of reclaim. Returns the
 * frame, which is still in use by the TLBs.
 */
export function* tryToUnmap(
  cpu: Cpu,
  batch: UnmapBatch,
  { mm, page }: MappedPage,
): KernelCode<FrameNumber | null> {
  yield* mightSleep("try_to_unmap_one"); // mmu_notifier_invalidate_range_start
  yield* work(costs.reclaimPage);
  const lock = mm.pageTableLocks.of(page, "4K");
  yield* spinLock(lock);
  const found = yield* readEntry(mm, page);
  const isKept = (found & PAGE_SIZE) !== 0n || frameOfEntry(found) === cpu.kernel.zeroFrame;
  const isMapped = (found & PRESENT) !== 0n && !isKept;
  if (isMapped) yield* unmapEntry(cpu, batch, mm, page);
  yield* spinUnlock(lock);
  return isMapped ? frameOfEntry(found) : null;
}

/** ptep_get_and_clear with the flush put off, or ptep_clear_flush. Page-table lock held. */
function* unmapEntry(cpu: Cpu, batch: UnmapBatch, mm: Mm, page: PageNumber): KernelCode {
  const range = pageRange(page, 1);
  const { batchedUnmap } = cpu.kernel.protocol;
  if (batchedUnmap === undefined || !(yield* shouldDeferFlush(cpu, mm))) {
    const taken = [yield* exchangeEntry(mm, page, 0n)];
    return yield* flushRange(cpu, { mm, range, freedTables: false, taken });
  }
  yield* note({ kind: "unmapDeferred", mm, range });
  const taken = yield* exchangeEntry(mm, page, 0n);
  yield* deferFlush(cpu, batch, { mm, taken }, batchedUnmap);
}

/** should_defer_flush: a batch saves interrupts; where none would be sent, it is not worth it. */
function* shouldDeferFlush(cpu: Cpu, mm: Mm): KernelCode<boolean> {
  return (yield* cpusOf(mm.cpumask)).some((id) => id !== cpu.id);
}

nameFunctions({
  shrink_page_list: reclaim,
  try_to_unmap_one: tryToUnmap,
  unmapEntry,
  should_defer_flush: shouldDeferFlush,
});
