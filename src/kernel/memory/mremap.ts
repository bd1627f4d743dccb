// mm/mremap.c: an area moves; its entries go along, and the old place is flushed.

import {
  pageAfter,
  type PageNumber,
  pageNumber,
  type PageRange,
  pagesIn,
} from "../../base/address.ts";
import { assert } from "../../base/assert.ts";
import type { PageSize } from "../../machine/description.ts";
import { pagesPer, pagesPerTable } from "../../machine/page-table.ts";
import { lockAreas, lockForChange, unlockAreas } from "../locking/area-lock.ts";
import { changeAreas } from "../operation/guarded-operation.ts";
import { costs } from "../operation/costs.ts";
import type { Cpu } from "../state/cpu.ts";
import { flushTlbRange } from "./flush.ts";
import { spinLock, spinUnlock } from "../locking/lock.ts";
import type { Mm } from "../state/mm.ts";
import { beginGather, finishGather, zapTables } from "./mmu-gather.ts";
import {
  exchangeEntry,
  type KernelCode,
  note,
  work,
  workTimes,
  writeEntry,
} from "../operation/operation.ts";
import { claimRange } from "./postponed.ts";
import { unmapLocked } from "./mmap.ts";
import { presentPages, tablesOf } from "../operation/table-operation.ts";
import { flushBatchedPending } from "./unmap-batch.ts";
import { nameFunctions } from "../operation/origin.ts";

/**
 * move_vma: `from` goes to `to`; what does not fit there is unmapped, what is new there is empty.
 */
export function* mremap(cpu: Cpu, mm: Mm, from: PageRange, to: PageRange): KernelCode {
  yield* lockAreas(mm);
  yield* work(costs.mapArea);
  yield* claimRange(cpu, mm, to);
  yield* lockForChange(mm, mm.areas.within(from));
  const kept = Math.min(pagesIn(from), pagesIn(to));
  const tail = { start: pageAfter(from.start, kept), end: from.end };
  if (pagesIn(tail) > 0) yield* unmapLocked(cpu, mm, tail);
  if (from.start !== to.start) yield* moveEntries(cpu, mm, from.start, to.start, kept);
  const old = { start: from.start, end: pageAfter(from.start, kept) };
  const [area] = yield* changeAreas(mm, (areas) => areas.remove(old));
  if (area !== undefined) {
    yield* lockForChange(mm, mm.areas.joining({ ...area, ...to }));
    yield* changeAreas(mm, (areas) => areas.add({ ...area, ...to }));
  }
  if (from.start !== to.start) yield* freeOldTables(cpu, mm, from);
  yield* unlockAreas(mm);
}

/** do_munmap of the old place, where no entry is left: only tables that serve no area any more. */
function* freeOldTables(cpu: Cpu, mm: Mm, from: PageRange): KernelCode {
  const gather = yield* beginGather(cpu, mm);
  yield* zapTables(gather, from);
  yield* finishGather(cpu, gather);
}

/** move_page_tables, table by table. */
function* moveEntries(
  cpu: Cpu,
  mm: Mm,
  from: PageRange["start"],
  to: PageRange["start"],
  count: number,
): KernelCode {
  const range = { start: from, end: pageAfter(from, count) };
  const { pageSize = "4K" } = mm.areas.at(from) ?? {};
  assert(to % pagesPer(pageSize) === 0, "a large page moves to where one can be (EINVAL)");
  for (const part of yield* tablesOf(mm, range, pageSize)) {
    for (const extent of extentsOf(part, to - from, pageSize)) {
      yield* moveExtent(cpu, mm, { ...extent, pageSize });
    }
  }
}

/** What is moved under two locks: from within one table into one table. */
interface Extent {
  readonly range: PageRange;
  readonly to: PageNumber;
}

/** get_extent: a part of one table in pieces that each go into one table, `distance` pages on. */
function extentsOf(part: PageRange, distance: number, size: PageSize): Extent[] {
  const span = pagesPerTable(size);
  const extents: Extent[] = [];
  for (let { start } = part; start < part.end;) {
    const to = pageNumber(start + distance);
    const behind = (Math.floor(to / span) + 1) * span - distance;
    const end = pageNumber(Math.min(part.end, behind));
    extents.push({ range: { start, end }, to });
    start = end;
  }
  return extents;
}

/** move_ptes: the flush is before the page-table locks are dropped (CVE-2018-18281). */
function* moveExtent(
  cpu: Cpu,
  mm: Mm,
  { range, to, pageSize }: Extent & { readonly pageSize: PageSize },
): KernelCode {
  const oldLock = mm.pageTableLocks.of(range.start, pageSize);
  const newLock = mm.pageTableLocks.of(to, pageSize);
  yield* spinLock(oldLock);
  if (newLock !== oldLock) yield* spinLock(newLock);
  yield* flushBatchedPending(cpu, mm);
  const pages = yield* presentPages(mm, range);
  const taken: bigint[] = [];
  for (const page of pages) {
    const entry = yield* exchangeEntry(mm, page, 0n, pageSize);
    yield* writeEntry(mm, pageNumber(to + (page - range.start)), entry, pageSize);
    taken.push(entry);
  }
  yield* workTimes(costs.copyEntry, pages.length);
  if (pages.length > 0) {
    yield* flushTlbRange(cpu, { mm, range, taken, pageSize });
    yield* note({ kind: "revoked", mm, range });
  }
  if (newLock !== oldLock) yield* spinUnlock(newLock);
  yield* spinUnlock(oldLock);
}

nameFunctions({
  move_vma: mremap,
  freeOldTables,
  move_page_tables: moveEntries,
  move_ptes: moveExtent,
});
