// src/kernel/locking, src/kernel/memory, and the operations that look at a lock.

import type { PageRange } from "../../../src/base/address.ts";
import {
  lockAreas,
  lockForChange,
  lockToRead,
  unlockAreas,
  unlockToRead,
} from "../../../src/kernel/locking/area-lock.ts";
import {
  lockForReading,
  lockForWriting,
  spinUnlock,
  unlockForReading,
  unlockForWriting,
} from "../../../src/kernel/locking/lock.ts";
import { freeAddressSpace } from "../../../src/kernel/memory/exit-mmap.ts";
import {
  flushKernelRange,
  flushRange,
  flushTlbRange,
  postponeUnmap,
} from "../../../src/kernel/memory/flush.ts";
import { madviseDontNeed, madviseFree } from "../../../src/kernel/memory/madvise.ts";
import { mmput } from "../../../src/kernel/memory/mm-count.ts";
import { mmap, munmap, unmapLocked } from "../../../src/kernel/memory/mmap.ts";
import {
  beginGather,
  finishGather,
  MmuGather,
  zapArea,
  zapTables,
} from "../../../src/kernel/memory/mmu-gather.ts";
import { mprotect } from "../../../src/kernel/memory/mprotect.ts";
import { mremap } from "../../../src/kernel/memory/mremap.ts";
import { handleFault } from "../../../src/kernel/memory/page-fault.ts";
import { claimRange, findRoom } from "../../../src/kernel/memory/postponed.ts";
import { reclaim, tryToUnmap } from "../../../src/kernel/memory/reclaim.ts";
import { unuseTemporaryMm, useTemporaryMm } from "../../../src/kernel/memory/temporary-mm.ts";
import {
  deferFlush,
  flushBatchedPending,
  tryToUnmapFlush,
  UnmapBatch,
} from "../../../src/kernel/memory/unmap-batch.ts";
import { vfree, vmalloc } from "../../../src/kernel/memory/vmalloc.ts";
import { cleanPages } from "../../../src/kernel/memory/writeback.ts";
import { changeAreas, detachIfEmpty } from "../../../src/kernel/operation/guarded-operation.ts";
import { restoreInterrupts } from "../../../src/kernel/operation/interrupt-operation.ts";
import { broadcast } from "../../../src/kernel/shootdown/broadcast.ts";
import { type Given, needs, type Rows } from "./contract.ts";
import {
  AREA_LOCK,
  AREAS_TO_GIVE_UP,
  INTERRUPTS_OFF,
  INTERRUPTS_ON,
  MAY_SLEEP,
  MMAP_LOCK,
  MMAP_LOCK_FOR_WRITING,
  NO_USERS,
  OWN_TABLE_LOCK,
  PAGE_TABLE_LOCK,
  READ_LOCK_TO_GIVE_UP,
  SPIN_LOCK_TO_GIVE_UP,
  WRITE_LOCK_TO_GIVE_UP,
} from "./need.ts";

const COUNTS = "one locked operation: in any context";
const TELLS = "tells observers, and does nothing";
const INSTRUCTIONS = "instructions, which any code may use";

const WRITE_FAULT = 6;

/** Pages for vfree, by CPU. */
const allocated = new WeakMap<Given["cpu"], PageRange>();

function* tryToUnmapFlushOf({ cpu }: Given) {
  const batch = new UnmapBatch();
  batch.flushRequired = true;
  yield* tryToUnmapFlush(cpu, batch);
}

export const LOCKING_ROWS: Rows = {
  "locking/area-lock": {
    lockAreas: needs({ down_write: MAY_SLEEP }, function* ({ mm }) {
      yield* lockAreas(mm);
      yield* unlockAreas(mm);
    }),
    unlockAreas: needs({ mmap_write_unlock: AREAS_TO_GIVE_UP }, ({ mm }) => unlockAreas(mm)),
    lockForChange: needs({ vma_start_write: MMAP_LOCK_FOR_WRITING }, ({ mm }) =>
      lockForChange(mm, []),
    ),
    lockToRead: needs({ mmap_read_lock: MAY_SLEEP }, function* ({ mm, range }) {
      yield* unlockToRead(mm, yield* lockToRead(mm, range));
    }),
    unlockToRead: needs({ up_read: READ_LOCK_TO_GIVE_UP }, ({ mm }) =>
      unlockToRead(mm, "mmap_lock"),
    ),
  },
  "locking/lock": {
    unbalanced: TELLS,
    spinLock: "in any context; whoever takes a lock twice waits for ever",
    spinUnlock: needs({ spin_unlock: SPIN_LOCK_TO_GIVE_UP }, ({ tableLock }) =>
      spinUnlock(tableLock),
    ),
    lockForReading: needs({ down_read: MAY_SLEEP }, function* ({ mm }) {
      yield* lockForReading(mm.mmapLock);
      yield* unlockForReading(mm.mmapLock);
    }),
    unlockForReading: needs({ up_read: READ_LOCK_TO_GIVE_UP }, ({ mm }) =>
      unlockForReading(mm.mmapLock),
    ),
    lockForWriting: needs({ down_write: MAY_SLEEP }, function* ({ mm }) {
      yield* lockForWriting(mm.mmapLock);
      yield* unlockForWriting(mm.mmapLock);
    }),
    unlockForWriting: needs({ up_write: WRITE_LOCK_TO_GIVE_UP }, ({ mm }) =>
      unlockForWriting(mm.mmapLock),
    ),
  },
  "locking/page-table-lock": {
    underEachLock: "takes each lock; the reverse map's walkers hold none of mmap_lock",
  },
};

export const OPERATION_ROWS: Rows = {
  "operation/area-operation": "a look, under whatever lock or none",
  "operation/entry-operation": INSTRUCTIONS,
  "operation/guarded-operation": {
    changeAreas: needs({ changeAreas: MMAP_LOCK_FOR_WRITING }, ({ mm }) =>
      changeAreas(mm, (areas) => areas.all),
    ),
    detachIfEmpty: needs({ detachIfEmpty: OWN_TABLE_LOCK }, ({ mm, range }) =>
      detachIfEmpty(mm, range),
    ),
  },
  "operation/interrupt-operation": {
    saveInterrupts: "in any context",
    restoreInterrupts: needs({ local_irq_restore: INTERRUPTS_OFF }, ({ cpu }) =>
      restoreInterrupts(cpu, false),
    ),
  },
  "operation/operation": INSTRUCTIONS,
  "operation/precondition": "the needs themselves",
  "operation/remote-operation": INSTRUCTIONS,
  "operation/table-operation": "looks, and the unlinking that zapTables answers for",
  "operation/user-operation": INSTRUCTIONS,
  "operation/vcpu-operation": "what the host does",
};

export const MEMORY_ROWS: Rows = {
  "memory/exit-mmap": {
    freeAddressSpace: needs({ exit_mmap: NO_USERS, unmap_page_range: MAY_SLEEP }, ({ cpu, mm }) =>
      freeAddressSpace(cpu, mm),
    ),
  },
  "memory/flush": {
    flushRange: needs(
      { flush_tlb_mm_range: INTERRUPTS_ON },
      ({ cpu, request }) => flushRange(cpu, request),
      { protocol: broadcast },
    ),
    flushTlbRange: needs(
      { flush_tlb_mm_range: INTERRUPTS_ON },
      ({ cpu, request }) => flushTlbRange(cpu, request),
      { protocol: broadcast },
    ),
    canPostponeUnmap: "looks at a ring of its own",
    postponeUnmap: needs({ latr_postpone: INTERRUPTS_ON }, ({ cpu, mm, range }) =>
      postponeUnmap(cpu, { mm, range, frames: [] }),
    ),
    flushKernelRange: needs({ flush_tlb_kernel_range: INTERRUPTS_ON }, ({ cpu, kernelRange }) =>
      flushKernelRange(cpu, kernelRange),
    ),
  },
  "memory/flush-pending": {
    beginUnflushed: COUNTS,
    hasOtherUnflushed: COUNTS,
    endUnflushed: COUNTS,
  },
  "memory/madvise": {
    madviseDontNeed: needs({ batchedCall: MAY_SLEEP }, ({ cpu, mm, range }) =>
      madviseDontNeed(cpu, mm, range),
    ),
    madviseFree: needs({ batchedCall: MAY_SLEEP }, ({ cpu, mm, range }) =>
      madviseFree(cpu, mm, range),
    ),
  },
  "memory/mm-count": {
    mmget: COUNTS,
    mmput: needs({ mmput: MAY_SLEEP }, ({ cpu, mm }) => mmput(cpu, mm), { comesBack: false }),
    mmgrab: COUNTS,
    mmdrop: "in any context; a policy that interrupts others is told by callMany",
  },
  "memory/mmap": {
    mmap: needs({ down_write: MAY_SLEEP }, ({ cpu, mm }) => mmap(cpu, mm, { pageCount: 1 })),
    munmap: needs({ batchedCall: MAY_SLEEP }, ({ cpu, mm, range }) => munmap(cpu, mm, range)),
    unmapLocked: needs(
      { unmap_region: MMAP_LOCK_FOR_WRITING, unmap_page_range: MAY_SLEEP },
      ({ cpu, mm, range }) => unmapLocked(cpu, mm, range),
    ),
  },
  "memory/mmu-gather": {
    zapArea: needs({ unmap_page_range: [MAY_SLEEP, AREA_LOCK] }, ({ cpu, mm, area }) =>
      zapArea(cpu, new MmuGather(mm, false), area),
    ),
    beginGather: COUNTS,
    zapTables: needs({ free_pgtables: MMAP_LOCK }, ({ mm, range }) =>
      zapTables(new MmuGather(mm, false), range),
    ),
    finishGather: needs({ tlb_finish_mmu: MAY_SLEEP }, function* ({ cpu, mm }) {
      yield* finishGather(cpu, yield* beginGather(cpu, mm));
    }),
  },
  "memory/mprotect": {
    mprotect: needs({ batchedCall: MAY_SLEEP }, ({ cpu, mm, range }) =>
      mprotect(cpu, mm, range, { writable: false, executable: false }),
    ),
  },
  "memory/mremap": {
    mremap: needs({ down_write: MAY_SLEEP }, ({ cpu, mm, range }) => mremap(cpu, mm, range, range)),
  },
  "memory/page-fault": {
    handleFault: needs({ do_user_addr_fault: MAY_SLEEP }, ({ cpu, range }) =>
      handleFault(cpu, { page: range.start, errorCode: WRITE_FAULT }),
    ),
  },
  "memory/postponed": {
    findRoom: needs({ get_unmapped_area: MMAP_LOCK_FOR_WRITING }, ({ mm, range }) =>
      findRoom(mm, 1, range.start, 1),
    ),
    claimRange: needs({ get_unmapped_area: MMAP_LOCK_FOR_WRITING }, ({ cpu, mm, range }) =>
      claimRange(cpu, mm, range),
    ),
  },
  "memory/reclaim": {
    reclaim: needs({ shrink_page_list: MAY_SLEEP }, ({ cpu }) => reclaim(cpu, [])),
    tryToUnmap: needs({ try_to_unmap_one: MAY_SLEEP }, ({ cpu, mm, range }) =>
      tryToUnmap(cpu, new UnmapBatch(), { mm, page: range.start }),
    ),
  },
  "memory/temporary-mm": {
    useTemporaryMm: needs({ use_temporary_mm: INTERRUPTS_OFF }, ({ cpu, mm }) =>
      useTemporaryMm(cpu, mm),
    ),
    unuseTemporaryMm: needs({ unuse_temporary_mm: INTERRUPTS_OFF }, ({ cpu, mm }) =>
      unuseTemporaryMm(cpu, mm),
    ),
  },
  "memory/unmap-batch": {
    deferFlush: needs({ set_tlb_ubc_flush_pending: PAGE_TABLE_LOCK }, ({ cpu, mm }) =>
      deferFlush(cpu, new UnmapBatch(), { mm, taken: 0n }, cpu.kernel.protocol.batchedUnmap!),
    ),
    tryToUnmapFlush: needs({ arch_tlbbatch_flush: INTERRUPTS_ON }, tryToUnmapFlushOf),
    flushBatchedPending: needs({ flush_tlb_batched_pending: PAGE_TABLE_LOCK }, ({ cpu, mm }) =>
      flushBatchedPending(cpu, mm),
    ),
  },
  "memory/vmalloc": {
    vmalloc: needs({ vmalloc: MAY_SLEEP }, ({ cpu }) => vmalloc(cpu, 1)),
    vfree: needs({ vfree: MAY_SLEEP }, ({ cpu }) => vfree(cpu, allocated.get(cpu)!), {
      *before({ cpu }) {
        allocated.set(cpu, yield* vmalloc(cpu, 1));
      },
    }),
  },
  "memory/withdrawal": {
    revoking: TELLS,
    revoked: TELLS,
    leftUnflushed: TELLS,
  },
  "memory/writeback": {
    cleanPages: needs({ folio_mkclean: MAY_SLEEP }, ({ cpu, mm, range }) =>
      cleanPages(cpu, mm, range),
    ),
  },
};
