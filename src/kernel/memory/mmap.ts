// mmap and munmap of anonymous private memory.

import { type PageNumber, type PageRange, pageNumber } from "../../base/address.ts";
import { lockAreas, lockForChange, unlockAreas } from "../locking/area-lock.ts";
import { changeAreas } from "../operation/guarded-operation.ts";
import { batchedCall } from "../cpu/batched-call.ts";
import type { PageSize } from "../../machine/description.ts";
import { pagesPer } from "../../machine/page-table.ts";
import { costs } from "../operation/costs.ts";
import type { Cpu } from "../state/cpu.ts";
import { canPostponeUnmap } from "./flush.ts";
import type { Mm } from "../state/mm.ts";
import { beginGather, finishGather, zapArea, zapTables } from "./mmu-gather.ts";
import { claimRange, findRoom } from "./postponed.ts";
import { type KernelCode, note, work, workTimes } from "../operation/operation.ts";
import { nameFunctions } from "../operation/origin.ts";
import { needMmapLockForWriting } from "../operation/precondition.ts";

/** Where mmap looks for room when no address is given. */
export const MMAP_BASE = pageNumber(0x7f00_0000_0);

/** Where it looks for room for pages of 1 GiB, of which there is much more below. */
export const GIGANTIC_BASE = pageNumber(0x1000_0000_0);

export interface MapRequest {
  /** In 4 KiB pages. */
  readonly pageCount: number;
  /** MAP_FIXED at this page; what was mapped there goes first. */
  readonly at?: PageNumber;
  readonly writable?: boolean;
  readonly executable?: boolean;
  /** MAP_HUGETLB: 4K unless given. */
  readonly pageSize?: PageSize;
}

/** do_mmap: an area is entered, no page is. */
export function* mmap(cpu: Cpu, mm: Mm, request: MapRequest): KernelCode<PageRange> {
  yield* lockAreas(mm);
  yield* work(costs.mapArea);
  const { at, pageCount, writable = true, executable = false, pageSize = "4K" } = request;
  const base = pageSize === "1G" ? GIGANTIC_BASE : MMAP_BASE;
  const range =
    at === undefined
      ? yield* findRoom(mm, pageCount, base, pagesPer(pageSize))
      : { start: at, end: pageNumber(at + pageCount) };
  if (at !== undefined) yield* claimRange(cpu, mm, range);
  if (mm.areas.overlaps(range)) yield* unmapLocked(cpu, mm, range);
  const area = { ...range, writable, executable, pageSize };
  yield* lockForChange(mm, mm.areas.joining(area));
  yield* changeAreas(mm, (areas) => areas.add(area));
  yield* unlockAreas(mm);
  return range;
}

/** do_munmap */
export function* munmap(cpu: Cpu, mm: Mm, range: PageRange): KernelCode {
  yield* batchedCall(cpu, unmap(cpu, mm, range));
}

function* unmap(cpu: Cpu, mm: Mm, range: PageRange): KernelCode {
  yield* lockAreas(mm);
  yield* unmapLocked(cpu, mm, range);
  yield* unlockAreas(mm);
}

/** unmap_region of each area in the range. Caller holds mmap_lock for writing. */
export function* unmapLocked(cpu: Cpu, mm: Mm, range: PageRange): KernelCode {
  yield* needMmapLockForWriting(mm, "unmap_region");
  yield* note({ kind: "revoking", mm, range });
  yield* lockForChange(mm, mm.areas.within(range));
  const removed = yield* changeAreas(mm, (areas) => areas.remove(range));
  yield* workTimes(costs.unmapArea, removed.length);
  const gather = yield* beginGather(cpu, mm);
  for (const area of removed) yield* zapArea(cpu, gather, area);
  // Where an unmapping is postponed, its addresses stay taken, and the tables with them.
  const keepsTables = yield* canPostponeUnmap(cpu, mm);
  if (removed.length > 0 && !keepsTables) yield* zapTables(gather, range);
  yield* finishGather(cpu, gather);
  for (const area of removed) mm.areas.release(area);
  yield* note({ kind: "revoked", mm, range });
}

nameFunctions({ do_mmap: mmap, do_munmap: munmap, unmap, unmap_region: unmapLocked });
