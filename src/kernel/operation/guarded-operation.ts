// Operations on what a lock guards. Each looks whether its caller holds it, as the maple tree does
// with mmap_lock (mt_set_external_lock).

import type { FrameNumber, PageRange } from "../../base/address.ts";
import type { AreaList } from "../state/area.ts";
import type { Mm } from "../state/mm.ts";
import type { KernelCode } from "./operation.ts";
import { needMmapLockForWriting, needSpinLock } from "./precondition.ts";

/** A change of the list. Caller holds mmap_lock for writing, and the areas by lockForChange. */
export function* changeAreas<T>(mm: Mm, use: (areas: AreaList) => T): KernelCode<T> {
  yield* needMmapLockForWriting(mm, "changeAreas");
  return (yield { kind: "changeAreas", mm, use }) as T;
}

/**
 * The last-level table whose range this is is unlinked if no entry of it is present, whatever area
 * it serves. Returns its frame, which is still allocated. Caller holds its lock.
 */
export function* detachIfEmpty(mm: Mm, range: PageRange): KernelCode<FrameNumber[]> {
  yield* needSpinLock(mm.pageTableLocks.of(range.start, "4K"), "detachIfEmpty");
  return (yield { kind: "detachIfEmpty", mm, range }) as FrameNumber[];
}
