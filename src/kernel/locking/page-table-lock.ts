// Taking the locks of page tables, one table after the other.

import type { PageRange } from "../../base/address.ts";
import type { PageSize } from "../../machine/description.ts";
import type { KernelCode } from "../operation/operation.ts";
import { tablesOf } from "../operation/table-operation.ts";
import type { Mm } from "../state/mm.ts";
import { spinLock, spinUnlock } from "./lock.ts";

/** Does `change` to each part of the range that has a table, under the lock of that table. */
export function* underEachLock(
  mm: Mm,
  range: PageRange,
  size: PageSize,
  change: (part: PageRange) => KernelCode,
): KernelCode {
  for (const part of yield* tablesOf(mm, range, size)) {
    const lock = mm.pageTableLocks.of(part.start, size);
    yield* spinLock(lock);
    yield* change(part);
    yield* spinUnlock(lock);
  }
}
