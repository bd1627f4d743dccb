// Leaf entries as this kernel writes them: user pages, accessed and dirty left to the hardware.

import type { FrameNumber } from "../base/address.ts";
import {
  entryOf,
  frameOfEntry,
  NO_EXECUTE,
  PRESENT,
  USER,
  WRITABLE,
} from "../machine/page-table.ts";

/** A present 4 KiB user entry. */
export const leafEntry = (
  frame: FrameNumber,
  rights: { readonly writable: boolean; readonly executable: boolean },
): bigint =>
  entryOf(frame, { user: true, writable: rights.writable, noExecute: !rights.executable });

/** Whether `now` in place of `old` takes something away: then what is cached of `old` must go. */
export function withdraws(old: bigint, now: bigint): boolean {
  if ((old & PRESENT) === 0n) return false;
  if ((now & PRESENT) === 0n || frameOfEntry(old) !== frameOfEntry(now)) return true;
  return ((old & ~now & (WRITABLE | USER)) | (~old & now & NO_EXECUTE)) !== 0n;
}
