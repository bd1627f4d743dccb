// Leaf entries as this kernel writes them: user pages, accessed and dirty left to the hardware.

import {
  type FrameNumber,
  type PageNumber,
  pageNumber,
  type PageRange,
  pageRange,
} from "../../base/address.ts";
import type { PageSize } from "../../machine/description.ts";
import {
  ACCESSED,
  DIRTY,
  entryOf,
  frameOfEntry,
  NO_EXECUTE,
  PAGE_SIZE,
  pagesPer,
  PRESENT,
  USER,
  WRITABLE,
} from "../../machine/page-table.ts";

/** A present user entry for a page of `size`. */
export const leafEntry = (
  frame: FrameNumber,
  rights: { readonly writable: boolean; readonly executable: boolean },
  size: PageSize = "4K",
): bigint =>
  entryOf(frame, { user: true, writable: rights.writable, noExecute: !rights.executable }) |
  (size === "4K" ? 0n : PAGE_SIZE);

/** The page of `size` that holds `page`. */
export const leafAt = (page: PageNumber, size: PageSize): PageRange => {
  const pages = pagesPer(size);
  return pageRange(pageNumber(Math.floor(page / pages) * pages), pages);
};

/**
 * Bits of a leaf that hardware ignores: a protocol's record of who may have cached the entry while
 * its accessed bit is clear. 0: nobody.
 *
 *   |  58:52                |  11:9                 |
 *   | record, low 7 bits    | record, high 3 bits   |
 */
const RECORD_LOW = 0x7fn << 52n;
const RECORD_HIGH = 7n << 9n;
const RECORD = RECORD_LOW | RECORD_HIGH;

/** The record of an entry that anybody may have cached. */
export const BY_ANYBODY = 0x3ff;

/** What an entry has recorded. */
export const recordOf = (entry: bigint): number =>
  Number(((entry & RECORD_LOW) >> 52n) | ((entry & RECORD_HIGH) >> 2n));

export const withRecord = (entry: bigint, record: number): bigint =>
  (entry & ~RECORD) |
  ((BigInt(record) << 52n) & RECORD_LOW) |
  ((BigInt(record) << 2n) & RECORD_HIGH);

/** pte_modify: what is left of an entry whose rights change: what hardware and protocol noted. */
export const notedIn = (entry: bigint): bigint => entry & (ACCESSED | DIRTY | RECORD);

/** pte_mkold and pte_mkclean of an entry that may be cached all the same. */
export const madeOld = (entry: bigint): bigint => {
  const record = (entry & ACCESSED) !== 0n ? BY_ANYBODY : recordOf(entry);
  return withRecord(entry & ~(ACCESSED | DIRTY), record);
};

/** pte_needs_flush: any right is another one, or what the hardware has noted of a write is gone. */
export function needsFlush(old: bigint, now: bigint): boolean {
  if ((old & PRESENT) === 0n) return false;
  if (frameOfEntry(old) !== frameOfEntry(now)) return true;
  const flushedOnChange = (old ^ now) & (WRITABLE | USER | NO_EXECUTE);
  const flushedOnClear = old & ~now & (PRESENT | DIRTY);
  return (flushedOnChange | flushedOnClear) !== 0n;
}

/** Whether `now` in place of `old` takes something away: then what is cached of `old` must go. */
export function withdraws(old: bigint, now: bigint): boolean {
  if ((old & PRESENT) === 0n) return false;
  if ((now & PRESENT) === 0n || frameOfEntry(old) !== frameOfEntry(now)) return true;
  return ((old & ~now & (WRITABLE | USER)) | (~old & now & NO_EXECUTE)) !== 0n;
}
