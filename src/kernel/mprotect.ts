// mprotect: the rights of present entries change, then the range is flushed once.

import type { PageRange } from "../base/address.ts";
import type { PageSize } from "../machine/description.ts";
import { leafAt, leafEntry } from "./entry.ts";
import { ACCESSED, DIRTY, frameOfEntry } from "../machine/page-table.ts";
import { batchedCall } from "./batched-call.ts";
import { costs } from "./costs.ts";
import type { Cpu } from "./cpu.ts";
import { flushRange } from "./flush.ts";
import { lockForWriting, spinLock, spinUnlock, unlockForWriting } from "./lock.ts";
import type { Mm } from "./mm.ts";
import {
  exchangeEntry,
  type Kernel,
  note,
  presentPages,
  work,
  workTimes,
  writeEntry,
} from "./operation.ts";
import { flushBatchedPending } from "./unmap-batch.ts";

export interface Rights {
  readonly writable: boolean;
  readonly executable: boolean;
}

/** do_mprotect: change_protection over the areas of the range. */
export function* mprotect(cpu: Cpu, mm: Mm, range: PageRange, rights: Rights): Kernel {
  yield* batchedCall(cpu, changeRights(cpu, mm, range, rights));
}

function* changeRights(cpu: Cpu, mm: Mm, range: PageRange, rights: Rights): Kernel {
  yield* lockForWriting(mm.mmapLock);
  yield* work(costs.protectArea);
  yield* note({ kind: "revoking", mm, range });
  let flushed = null as PageRange | null;
  let pageSize: PageSize = "2M";
  for (const area of mm.areas.protect(range, rights)) {
    yield* spinLock(mm.pageTableLock);
    yield* flushBatchedPending(cpu, mm);
    const { pageSize: size = "4K" } = area;
    const pages = yield* presentPages(mm, area);
    for (const page of pages) {
      const old = yield* exchangeEntry(mm, page, 0n, size); // ptep_modify_prot_start
      const frame = frameOfEntry(old);
      // A shared frame stays read-only: the next write copies it.
      const writable = rights.writable && cpu.kernel.frames.mapCount(frame) === 1;
      const noted = old & (ACCESSED | DIRTY); // pte_modify keeps them
      yield* writeEntry(mm, page, leafEntry(frame, { ...rights, writable }, size) | noted, size);
      flushed = { start: flushed?.start ?? page, end: leafAt(page, size).end };
      if (size === "4K") pageSize = size;
    }
    yield* workTimes(costs.protectPage, pages.length);
    yield* spinUnlock(mm.pageTableLock);
  }
  if (flushed !== null) {
    yield* flushRange(cpu, { mm, range: flushed, freedTables: false, pageSize });
  }
  yield* note({ kind: "revoked", mm, range });
  yield* unlockForWriting(mm.mmapLock);
}
