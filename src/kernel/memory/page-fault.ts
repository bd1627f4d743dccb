// mm/memory.c: page faults of user accesses. Anonymous pages appear, copy-on-write pages are
// copied.

import { assert } from "../../base/assert.ts";
import { type FrameNumber, type PageNumber, pageRange } from "../../base/address.ts";
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
  const page = leafAt(fault.page, area.pageSize ?? "4K").start;
  yield* handleEntryFault(cpu, mm, { page, isWrite, area });
  yield* unlockToRead(mm, held);
}

/** A use of `page`, the first of its leaf, that the entry may not allow. */
interface Use {
  readonly page: PageNumber;
  readonly isWrite: boolean;
  readonly area: Area;
}

/** vm_fault: with what was seen before a lock was taken. */
interface EntryFault extends Use {
  readonly pageSize: PageSize;
  readonly hadTable: boolean;
  readonly entry: bigint;
}

/** handle_pte_fault: the entry is read without its lock, and looked at again under it. */
function* handleEntryFault(cpu: Cpu, mm: Mm, use: Use): KernelCode {
  const { page, isWrite, area } = use;
  const { pageSize = "4K" } = area;
  const hadTable = yield* hasTable(cpu, mm, page, pageSize);
  const entry = yield* readEntry(mm, page);
  const fault = { ...use, pageSize, hadTable, entry };
  yield* work(costs.handleFault);
  if ((entry & PRESENT) === 0n) return yield* addPage(cpu, mm, fault);
  if (!(yield* lockIfSame(cpu, mm, fault))) return;
  const isRefused = isWrite && (entry & WRITABLE) === 0n;
  const isShared = cpu.kernel.frames.mapCount(frameOfEntry(entry)) > 1;
  if (!isRefused) yield* work(costs.faultSpurious);
  else if (!isShared) yield* reusePage(mm, fault);
  yield* unlockEntry(mm, fault);
  if (isRefused && isShared) yield* copyOnWrite(cpu, mm, fault);
}

/** Whether there is a table for the page's entry: asked only where others may free it. */
function* hasTable(cpu: Cpu, mm: Mm, page: PageNumber, size: PageSize): KernelCode<boolean> {
  if (size !== "4K" || cpu.kernel.protocol.traits.emptyTables === "kept") return true;
  return (yield* tablesOf(mm, pageRange(page, 1), size)).length > 0;
}

/**
 * pte_offset_map_lock and pte_same: where the table has gone or the entry has changed meanwhile,
 * nothing is held, and the access faults again.
 */
function* lockIfSame(cpu: Cpu, mm: Mm, fault: EntryFault): KernelCode<boolean> {
  const { page, pageSize, hadTable, entry } = fault;
  yield* spinLock(mm.pageTableLocks.of(page, pageSize));
  const isGone = hadTable && !(yield* hasTable(cpu, mm, page, pageSize));
  if (!isGone && (yield* readEntry(mm, page)) === entry) return true;
  yield* unlockEntry(mm, fault);
  return false;
}

function* unlockEntry(mm: Mm, { page, pageSize }: EntryFault): KernelCode {
  yield* spinUnlock(mm.pageTableLocks.of(page, pageSize));
}

/**
 * do_anonymous_page, hugetlb_no_page: a page is allocated and cleared before the lock is taken. A
 * read gets the zero page, read-only, until the first write; or a large page, read-only for now.
 */
function* addPage(cpu: Cpu, mm: Mm, fault: EntryFault): KernelCode {
  const { page, pageSize, isWrite, area } = fault;
  const { frames, zeroFrame } = cpu.kernel;
  const isZeroPage = pageSize === "4K" && !isWrite;
  if (!isZeroPage) {
    yield* work(costs.allocatePage);
    yield* workTimes(costs.clearPage, pagesPer(pageSize));
  }
  if (!(yield* lockIfSame(cpu, mm, fault))) return;
  if (isZeroPage) frames.share(zeroFrame);
  else yield* work(costs.addPage);
  const frame = isZeroPage ? zeroFrame : allocate(cpu, pageSize);
  const rights = { ...area, writable: isWrite };
  yield* installLeaf(cpu, mm, page, leafEntry(frame, rights, pageSize), pageSize);
  yield* unlockEntry(mm, fault);
}

const allocate = ({ kernel: { frames } }: Cpu, size: PageSize): FrameNumber =>
  size === "4K" ? frames.allocate() : frames.allocateLarge(size);

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

/** wp_page_reuse: the only user takes the page over; more rights need no flush. Lock held. */
function* reusePage(mm: Mm, { page, pageSize, entry }: EntryFault): KernelCode {
  yield* work(costs.faultSpurious);
  // Marked young (pte_mkyoung): the entry may have been used since it was read.
  yield* writeEntry(mm, page, entry | WRITABLE | ACCESSED | DIRTY, pageSize);
}

/** wp_page_copy, hugetlb_wp: a page with other users is copied before the lock is taken again. */
function* copyOnWrite(cpu: Cpu, mm: Mm, fault: EntryFault): KernelCode {
  const { page, pageSize, area } = fault;
  const { frames, zeroFrame, protocol } = cpu.kernel;
  const old = frameOfEntry(fault.entry);
  yield* work(costs.allocatePage);
  const fill = old === zeroFrame ? costs.clearPage : costs.copyPage;
  yield* workTimes(fill, pagesPer(pageSize));
  if (!(yield* lockIfSame(cpu, mm, fault))) return;
  // ptep_clear_flush before the copy appears: no CPU may still read the old page by then.
  const range = leafAt(page, pageSize);
  // An instruction TLB would not see the write.
  const evictedHere = protocol.traits.copiedPage === "write" && !area.executable;
  const taken = [yield* exchangeEntry(mm, page, 0n, pageSize)];
  yield* flushRange(cpu, { mm, range, freedTables: false, taken, pageSize, evictedHere });
  yield* work(costs.addPage);
  yield* installLeaf(cpu, mm, page, leafEntry(allocate(cpu, pageSize), area, pageSize), pageSize);
  // A write that adds nothing: the older entry, which allows none, is dropped, and the page walked.
  if (evictedHere) yield* kernelAccess(page, "write");
  yield* note({ kind: "revoked", mm, range });
  yield* unlockEntry(mm, fault);
  frames.release(old);
}

nameFunctions({
  handle_mm_fault: [handleFault, handleMmFault],
  hasTable,
  handle_pte_fault: handleEntryFault,
  pte_offset_map_lock: lockIfSame,
  pte_unmap_unlock: unlockEntry,
  do_anonymous_page: addPage,
  set_pte_at: installLeaf,
  wp_page_reuse: reusePage,
  wp_page_copy: copyOnWrite,
});
