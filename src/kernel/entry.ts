// Leaf entries as this kernel writes them: user pages, accessed and dirty left to the hardware.

import type { FrameNumber } from "../base/address.ts";
import { entryOf } from "../machine/page-table.ts";

/** A present 4 KiB user entry. */
export const leafEntry = (
  frame: FrameNumber,
  rights: { readonly writable: boolean; readonly executable: boolean },
): bigint =>
  entryOf(frame, { user: true, writable: rights.writable, noExecute: !rights.executable });
