// Addresses that were unmapped while others may still use what was there: nothing else may be
// mapped at them until that is over.

import { overlap, type PageNumber, type PageRange } from "../../base/address.ts";
import type { Cpu } from "../state/cpu.ts";
import { flushRange } from "./flush.ts";
import type { Mm, PostponedRange } from "../state/mm.ts";
import { type KernelCode, load } from "../operation/operation.ts";
import { nameFunctions } from "../operation/origin.ts";
import { needMmapLockForWriting } from "../operation/precondition.ts";

/**
 * Where `pageCount` pages can be mapped, at a multiple of `align` at or above `from`. Caller has
 * mmap_lock for writing.
 */
export function* findRoom(
  mm: Mm,
  pageCount: number,
  from: PageNumber,
  align: number,
): KernelCode<PageRange> {
  yield* needMmapLockForWriting(mm, "get_unmapped_area");
  yield* forgetDone(mm);
  for (let start = from; ;) {
    const found = mm.areas.findFree(pageCount, start, align);
    const taken = mm.postponed.filter(({ range }) => overlap(range, found));
    if (taken.length === 0) return found;
    start = found.start;
    for (const { range } of taken) if (range.end > start) start = range.end;
  }
}

/**
 * What is about to be mapped at a place of the caller's choice: the others are flushed first.
 * Caller has mmap_lock for writing.
 */
export function* claimRange(cpu: Cpu, mm: Mm, range: PageRange): KernelCode {
  yield* needMmapLockForWriting(mm, "get_unmapped_area");
  yield* forgetDone(mm);
  if (!mm.postponed.some((one) => overlap(one.range, range))) return;
  yield* flushRange(cpu, { mm, range, freedTables: false });
}

function* forgetDone(mm: Mm): KernelCode {
  const left: PostponedRange[] = [];
  for (const one of mm.postponed) if (!(yield* load(one.isDone))) left.push(one);
  mm.postponed = left;
}

nameFunctions({ findRoom, claimRange, forgetDone });
