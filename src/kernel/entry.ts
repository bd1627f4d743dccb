// Leaf entries as this kernel writes them: user pages, accessed and dirty left to the hardware.

import {
  type FrameNumber,
  type PageNumber,
  pageNumber,
  type PageRange,
  pageRange,
} from "../base/address.ts";
import type { PageSize } from "../machine/description.ts";
import {
  entryOf,
  frameOfEntry,
  NO_EXECUTE,
  PAGE_SIZE,
  pagesPer,
  PRESENT,
  USER,
  WRITABLE,
} from "../machine/page-table.ts";

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

/** Whether `now` in place of `old` takes something away: then what is cached of `old` must go. */
export function withdraws(old: bigint, now: bigint): boolean {
  if ((old & PRESENT) === 0n) return false;
  if ((now & PRESENT) === 0n || frameOfEntry(old) !== frameOfEntry(now)) return true;
  return ((old & ~now & (WRITABLE | USER)) | (~old & now & NO_EXECUTE)) !== 0n;
}
