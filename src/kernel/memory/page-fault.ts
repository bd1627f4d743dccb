// mm/memory.c: page faults of user accesses. Anonymous pages appear, copy-on-write pages are
// copied.

import { assert } from "../../base/assert.ts";
import { type PageNumber, pageRange } from "../../base/address.ts";
import type { PageSize } from "../../machine/description.ts";
import {
  ACCESSED,
  DIRTY,
  frameOfEntry,
  pagesPer,
  PRESENT,
  WRITABLE,
} from "../../machine/page-table.ts";
import { lockToRead, unlockToRead } from "../locking/area-lock.ts";
import type { Area } from "../state/area.ts";
import { costs } from "../operation/costs.ts";
import type { Cpu } from "../state/cpu.ts";
import { leafAt, leafEntry } from "../state/leaf-entry.ts";
import { flushRange } from "./flush.ts";
import { spinLock, spinUnlock } from "../locking/lock.ts";
import type { Mm } from "../state/mm.ts";
import {
  exchangeEntry,
  type KernelCode,
  kernelAccess,
  note,
  readEntry,
  work,
  workTimes,
  writeEntry,
} from "../operation/operation.ts";
import { tablesOf } from "../operation/table-operation.ts";
import { backToUser, enterKernel } from "../cpu/pti.ts";
import { nameFunctions } from "../operation/origin.ts";
import { mightSleep, needPageTableLock } from "../operation/precondition.ts";

export interface PageFault {
  readonly page: PageNumber;
  /** SDM 3A 4.7: bit 0 present, bit 1 write, bit 2 user, bit 4 fetch. */
  readonly errorCode: number;
}

const WRITE_FAULT = 2;

/** exc_page_fault: from user mode, or under a kernel thread that uses a user's address space. */
export function* handleFault(cpu: Cpu, fault: PageFault): KernelCode {
  yield* mightSleep("do_user_addr_fault");
  const fromUser = yield* enterKernel(cpu);
  yield* handleMmFault(cpu, fault);
  if (fromUser) yield* backToUser(cpu);
}

/** handle_mm_fault for an access of the current task. */
function* handleMmFault(cpu: Cpu, fault: PageFault): KernelCode {
  const mm = cpu.current.mm;
  assert(mm !== null, `only user tasks access user memory (page ${fault.page.toString(16)})`);
  const held = yield* lockToRead(mm, pageRange(fault.page, 1));
  const area = mm.areas.at(fault.page);
  const isWrite = (fault.errorCode & WRITE_FAULT) !== 0;
  if (area === undefined || (isWrite && !area.writable)) {
    yield* unlockToRead(mm, held);
    cpu.current.signal = { mm, page: fault.page, isWrite }; // bad_area: force_sig_fault(SIGSEGV)
    return;
  }
  const { pageSize = "4K" } = area;
  const page = leafAt(fault.page, pageSize).start;
  const lock = mm.pageTableLocks.of(page, pageSize);
  const hadTable = yield* hasTable(cpu, mm, page, pageSize);
  yield* spinLock(lock);
  // pte_offset_map_lock: where the table has gone meanwhile, the access faults again.
  const isGone = hadTable && !(yield* hasTable(cpu, mm, page, pageSize));
  if (!isGone) yield* handleEntryFault(cpu, mm, { page, isWrite, area });
  yield* spinUnlock(lock);
  yield* unlockToRead(mm, held);
}

/** Whether there is a table for the page's entry: asked only where others may free it. */
function* hasTable(cpu: Cpu, mm: Mm, page: PageNumber, size: PageSize): KernelCode<boolean> {
  if (size !== "4K" || cpu.kernel.protocol.traits.emptyTables === "kept") return true;
  return (yield* tablesOf(mm, pageRange(page, 1), size)).length > 0;
}

/** handle_pte_fault. Lock held. */
function* handleEntryFault(
  cpu: Cpu,
  mm: Mm,
  { page, isWrite, area }: { page: PageNumber; isWrite: boolean; area: Area },
): KernelCode {
  const entry = yield* readEntry(mm, page);
  if ((entry & PRESENT) === 0n) yield* addPage(cpu, mm, { page, isWrite, area });
  else if (isWrite && (entry & WRITABLE) === 0n) yield* copyOnWrite(cpu, mm, page, area, entry);
  else yield* work(costs.faultSpurious);
}

/** do_anonymous_page: a read gets the zero page, read-only, until the first write. Lock held. */
function* addPage(
  cpu: Cpu,
  mm: Mm,
  { page, isWrite, area }: { page: PageNumber; isWrite: boolean; area: Area },
): KernelCode {
  const { pageSize = "4K" } = area;
  yield* work(costs.faultAnonymous);
  if (pageSize !== "4K") return yield* addLargePage(cpu, mm, { page, isWrite, area }, pageSize);
  if (!isWrite) {
    const { frames, zeroFrame } = cpu.kernel;
    frames.share(zeroFrame);
    return yield* installLeaf(cpu, mm, page, leafEntry(zeroFrame, { ...area, writable: false }));
  }
  yield* work(costs.allocatePage);
  yield* work(costs.clearPage);
  yield* installLeaf(cpu, mm, page, leafEntry(cpu.kernel.frames.allocate(), area));
}

/** set_pte of a page that this CPU has faulted in, where no leaf was. Lock held. */
function* installLeaf(
  cpu: Cpu,
  mm: Mm,
  page: PageNumber,
  entry: bigint,
  size: PageSize = "4K",
): KernelCode {
  const { protocol } = cpu.kernel;
  yield* needPageTableLock(mm, "set_pte_at");
  if (protocol.installLeaf === undefined) yield* writeEntry(mm, page, entry, size);
  else yield* protocol.installLeaf(cpu, { mm, page, entry, size });
}

/** hugetlb_no_page: a page of the pool, also for a read, which makes it read-only for now. */
function* addLargePage(
  cpu: Cpu,
  mm: Mm,
  { page, isWrite, area }: { page: PageNumber; isWrite: boolean; area: Area },
  size: "2M" | "1G",
): KernelCode {
  yield* work(costs.allocatePage);
  yield* workTimes(costs.clearPage, pagesPer(size));
  const rights = { ...area, writable: isWrite };
  const frame = cpu.kernel.frames.allocateLarge(size);
  yield* installLeaf(cpu, mm, page, leafEntry(frame, rights, size), size);
}

/** do_wp_page, hugetlb_wp: the only user takes the page over, others get a copy. Lock held. */
function* copyOnWrite(cpu: Cpu, mm: Mm, page: PageNumber, area: Area, entry: bigint): KernelCode {
  const { frames } = cpu.kernel;
  const { pageSize = "4K" } = area;
  const old = frameOfEntry(entry);
  if (frames.mapCount(old) === 1) {
    yield* work(costs.faultSpurious); // wp_page_reuse: more rights need no flush
    // Marked young (pte_mkyoung): the entry may have been used since it was read.
    yield* writeEntry(mm, page, entry | WRITABLE | ACCESSED | DIRTY, pageSize);
    return;
  }
  yield* work(costs.allocatePage);
  yield* workTimes(costs.copyPage, pagesPer(pageSize));
  // ptep_clear_flush before the copy appears: no CPU may still read the old page by then.
  const range = leafAt(page, pageSize);
  // An instruction TLB would not see the write.
  const evictedHere = cpu.kernel.protocol.traits.copiedPage === "write" && !area.executable;
  const taken = [yield* exchangeEntry(mm, page, 0n, pageSize)];
  yield* flushRange(cpu, { mm, range, freedTables: false, taken, pageSize, evictedHere });
  const frame = pageSize === "4K" ? frames.allocate() : frames.allocateLarge(pageSize);
  yield* installLeaf(cpu, mm, page, leafEntry(frame, area, pageSize), pageSize);
  // A write that adds nothing: the older entry, which allows none, is dropped, and the page walked.
  if (evictedHere) yield* kernelAccess(page, "write");
  yield* note({ kind: "revoked", mm, range });
  frames.release(old);
}

nameFunctions({
  handle_mm_fault: [handleFault, handleMmFault],
  hasTable,
  handle_pte_fault: handleEntryFault,
  do_anonymous_page: addPage,
  set_pte_at: installLeaf,
  hugetlb_no_page: addLargePage,
  do_wp_page: copyOnWrite,
});
