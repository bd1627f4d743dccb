// What fdatasync does to the page tables before a file's pages are written: a page that was written
// to becomes clean and read-only, so that the next write is noticed. The file itself, its locks and
// its storage are left out.

import { type PageRange, pageRange } from "../../base/address.ts";
import { DIRTY, WRITABLE } from "../../machine/page-table.ts";
import { costs } from "../operation/costs.ts";
import type { Cpu } from "../state/cpu.ts";
import { flushRange } from "./flush.ts";
import { spinLock, spinUnlock } from "../locking/lock.ts";
import type { Mm } from "../state/mm.ts";
import {
  exchangeEntry,
  type KernelCode,
  note,
  readEntry,
  work,
  writeEntry,
} from "../operation/operation.ts";
import { presentPages } from "../operation/table-operation.ts";
import { nameFunctions } from "../operation/origin.ts";
import { mightSleep } from "../operation/precondition.ts";

/**
 * folio_mkclean of each page of the range, which is mapped by 4K and by `mm` alone: a flush for
 * each, with the page-table lock held (ptep_clear_flush in page_vma_mkclean_one).
 */
export function* cleanPages(cpu: Cpu, mm: Mm, range: PageRange): KernelCode {
  yield* mightSleep("folio_mkclean"); // rmap_walk takes i_mmap_rwsem
  for (const page of yield* presentPages(mm, range)) {
    const lock = mm.pageTableLocks.of(page, "4K");
    yield* spinLock(lock);
    const entry = yield* readEntry(mm, page);
    if ((entry & (DIRTY | WRITABLE)) !== 0n) {
      const one = pageRange(page, 1);
      yield* note({ kind: "revoking", mm, range: one });
      const old = yield* exchangeEntry(mm, page, 0n);
      yield* flushRange(cpu, { mm, range: one, freedTables: false, taken: [old] });
      yield* writeEntry(mm, page, old & ~(DIRTY | WRITABLE));
      yield* note({ kind: "revoked", mm, range: one });
    }
    yield* work(costs.protectPage);
    yield* spinUnlock(lock);
  }
}

nameFunctions({ folio_mkclean: cleanPages });
