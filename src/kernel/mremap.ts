// mm/mremap.c: an area moves; its entries go along, and the old place is flushed.

import { type PageRange, pageAfter, pageNumber, pagesIn } from "../base/address.ts";
import { assert } from "../base/assert.ts";
import { pagesPer } from "../machine/page-table.ts";
import { costs } from "./costs.ts";
import type { Cpu } from "./cpu.ts";
import { flushRange } from "./flush.ts";
import { lockForWriting, spinLock, spinUnlock, unlockForWriting } from "./lock.ts";
import type { Mm } from "./mm.ts";
import { finishGather, MmuGather, zapTables } from "./mmu-gather.ts";
import {
  type Kernel,
  note,
  exchangeEntry,
  presentPages,
  work,
  workTimes,
  writeEntry,
} from "./operation.ts";
import { claimRange } from "./postponed.ts";
import { unmapLocked } from "./mmap.ts";
import { flushBatchedPending } from "./unmap-batch.ts";

/**
 * move_vma: `from` goes to `to`; what does not fit there is unmapped, what is new there is empty.
 */
export function* mremap(cpu: Cpu, mm: Mm, from: PageRange, to: PageRange): Kernel {
  yield* lockForWriting(mm.mmapLock);
  yield* work(costs.mapArea);
  yield* claimRange(cpu, mm, to);
  const kept = Math.min(pagesIn(from), pagesIn(to));
  const tail = { start: pageAfter(from.start, kept), end: from.end };
  if (pagesIn(tail) > 0) yield* unmapLocked(cpu, mm, tail);
  if (from.start !== to.start) yield* moveEntries(cpu, mm, from.start, to.start, kept);
  const [area] = mm.areas.remove({ start: from.start, end: pageAfter(from.start, kept) });
  if (area !== undefined) mm.areas.add({ ...area, ...to });
  if (from.start !== to.start) yield* freeOldTables(cpu, mm, from);
  yield* unlockForWriting(mm.mmapLock);
}

/** do_munmap of the old place, where no entry is left: only tables that serve no area any more. */
function* freeOldTables(cpu: Cpu, mm: Mm, from: PageRange): Kernel {
  const gather = new MmuGather(mm);
  yield* zapTables(gather, from);
  yield* finishGather(cpu, gather);
}

/** move_page_tables: the flush is before the page-table lock is dropped (CVE-2018-18281). */
function* moveEntries(
  cpu: Cpu,
  mm: Mm,
  from: PageRange["start"],
  to: PageRange["start"],
  count: number,
): Kernel {
  const range = { start: from, end: pageAfter(from, count) };
  const { pageSize = "4K" } = mm.areas.at(from) ?? {};
  assert(to % pagesPer(pageSize) === 0, "a large page moves to where one can be (EINVAL)");
  yield* spinLock(mm.pageTableLock);
  yield* flushBatchedPending(cpu, mm);
  const pages = yield* presentPages(mm, range);
  for (const page of pages) {
    const entry = yield* exchangeEntry(mm, page, 0n, pageSize);
    yield* writeEntry(mm, pageNumber(to + (page - from)), entry, pageSize);
  }
  yield* workTimes(costs.copyEntry, pages.length);
  if (pages.length > 0) {
    yield* flushRange(cpu, { mm, range, freedTables: false, pageSize });
    yield* note({ kind: "revoked", mm, range });
  }
  yield* spinUnlock(mm.pageTableLock);
}
