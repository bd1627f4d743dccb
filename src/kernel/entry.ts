// Leaf entries as this kernel writes them: user pages, accessed and dirty left to the hardware.

import {
  type FrameNumber,
  type PageNumber,
  pageNumber,
  type PageRange,
  pageRange,
} from "../base/address.ts";
import type { PageSize } from "../machine/description.ts";
import { entryOf, PAGE_SIZE, pagesPer } from "../machine/page-table.ts";

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
