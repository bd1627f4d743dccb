// Per-VMA locks (CONFIG_PER_VMA_LOCK, since Linux 6.4, in the form of 6.15; madvise since 6.17): a
// fault locks its area alone, and leaves mmap_lock to those who change areas. Left out: the lock
// of an area that is not yet in the list, and RCU: an area that was found and is gone since is
// told by a second look, not by its count of references.

import type { PageRange } from "../../base/address.ts";
import type { Area, AreaLock } from "../state/area.ts";
import { readAreas } from "../operation/area-operation.ts";
import {
  acquired,
  lockForReading,
  lockForWriting,
  released,
  unbalanced,
  unlockForReading,
  unlockForWriting,
} from "./lock.ts";
import type { Mm } from "../state/mm.ts";
import { count, type KernelCode, load, locked, queueUntil, store } from "../operation/operation.ts";
import { nameFunctions } from "../operation/origin.ts";
import { mightSleep, needMmapLockForWriting } from "../operation/precondition.ts";

const UNLOCKED = 1;
const WRITER = 0x4000_0000;

/** mmap_write_lock */
export function* lockAreas(mm: Mm): KernelCode {
  yield* lockForWriting(mm.mmapLock);
  yield* stepSequence(mm);
}

/** mmap_write_unlock: every area that was locked for writing is free again. */
export function* unlockAreas(mm: Mm): KernelCode {
  yield* needMmapLockForWriting(mm, "mmap_write_unlock");
  yield* stepSequence(mm);
  yield* unlockForWriting(mm.mmapLock);
}

/** mm_lock_seqcount_begin and _end */
function* stepSequence({ lockSequence }: Mm): KernelCode {
  if (lockSequence !== null) yield* store(lockSequence, (yield* load(lockSequence)) + 1);
}

/**
 * vma_start_write of each: on return nobody is in them, and nobody comes, until mmap_lock is let
 * go. Caller holds it for writing.
 */
export function* lockForChange(mm: Mm, areas: readonly (Area | undefined)[]): KernelCode {
  yield* needMmapLockForWriting(mm, "vma_start_write");
  if (mm.lockSequence === null) return;
  const now = yield* load(mm.lockSequence);
  for (const area of areas) {
    if (area?.lock === undefined || (yield* load(area.lock.sequence)) === now) continue;
    const { references, sequence } = area.lock;
    yield* locked(references, (readers) => readers + WRITER);
    while (!isAlone(yield* load(references))) yield* queueUntil(references, isAlone);
    yield* store(sequence, now);
    yield* locked(references, (readers) => readers - WRITER);
  }
}

const isAlone = (readers: number): boolean => readers === UNLOCKED + WRITER;

/** What a reader of areas holds: the lock of one, or mmap_lock. */
export type ReadLock = AreaLock | "mmap_lock";

/**
 * lock_vma_under_rcu, or mmap_read_lock where the range is not in one area, or that is being
 * changed.
 */
export function* lockToRead(mm: Mm, range: PageRange): KernelCode<ReadLock> {
  yield* mightSleep("mmap_read_lock"); // if not now, another time
  const lock = yield* tryLockArea(mm, range);
  if (lock !== null) return lock;
  yield* lockForReading(mm.mmapLock);
  return "mmap_lock";
}

export function* unlockToRead(mm: Mm, lock: ReadLock): KernelCode {
  if (lock === "mmap_lock") yield* unlockForReading(mm.mmapLock);
  else yield* leave(lock);
}

/** vma_start_read, between two looks at the list of areas. */
function* tryLockArea(mm: Mm, { start, end }: PageRange): KernelCode<AreaLock | null> {
  if (mm.lockSequence === null) return null;
  const lock = yield* readAreas(mm, (areas) => areas.at(start)?.lock);
  if (lock === undefined) return null;
  if ((yield* load(lock.sequence)) === (yield* load(mm.lockSequence))) return null;
  const isFree = (readers: number): boolean => readers < WRITER;
  const add = (readers: number): number => (isFree(readers) ? readers + 1 : readers);
  if (!isFree(yield* count(lock.references, add))) return null;
  acquired(lock.references, "semaphores");
  // A writer may have come and gone, or still be there, since the list was looked at.
  const isLocked = (yield* load(lock.sequence)) === (yield* load(mm.lockSequence));
  const area = yield* readAreas(mm, (areas) => areas.at(start));
  if (!isLocked && area?.lock === lock && area.end >= end) return lock;
  yield* leave(lock);
  return null;
}

/** vma_refcount_put */
function* leave(lock: AreaLock): KernelCode {
  const { references } = lock;
  if (!released(references, "semaphores")) yield* unbalanced(references, "vma_end_read");
  yield* count(lock.references, (readers) => readers - 1);
}

nameFunctions({
  mmap_write_lock: lockAreas,
  mmap_write_unlock: unlockAreas,
  stepSequence,
  vma_start_write: lockForChange,
  lock_vma_under_rcu: lockToRead,
  unlockToRead,
  vma_start_read: tryLockArea,
  vma_refcount_put: leave,
});
