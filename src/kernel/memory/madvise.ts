// madvise: MADV_DONTNEED takes the pages away and leaves the area; MADV_FREE leaves both, clean.

import type { PageRange } from "../../base/address.ts";
import { assert } from "../../base/assert.ts";
import { lockToRead, unlockToRead } from "../locking/area-lock.ts";
import { batchedCall } from "../cpu/batched-call.ts";
import { isSmall } from "../state/area.ts";
import { costs } from "../operation/costs.ts";
import type { Cpu } from "../state/cpu.ts";
import { madeOld } from "../state/leaf-entry.ts";
import { ACCESSED, DIRTY, frameOfEntry } from "../../machine/page-table.ts";
import { beginGather, finishGather, zapArea } from "./mmu-gather.ts";
import type { Mm } from "../state/mm.ts";
import {
  exchangeEntry,
  type KernelCode,
  note,
  readEntry,
  work,
  workTimes,
  writeEntry,
} from "../operation/operation.ts";
import { underEachLock } from "../locking/page-table-lock.ts";
import { presentPages } from "../operation/table-operation.ts";
import { flushBatchedPending } from "./unmap-batch.ts";
import { nameFunctions } from "../operation/origin.ts";

/** madvise_dontneed_free: under the lock of the area, or mmap_lock for reading. */
export function* madviseDontNeed(cpu: Cpu, mm: Mm, range: PageRange): KernelCode {
  yield* batchedCall(cpu, discard(cpu, mm, range));
}

function* discard(cpu: Cpu, mm: Mm, range: PageRange): KernelCode {
  const held = yield* lockToRead(mm, range);
  yield* work(costs.adviseRange);
  yield* note({ kind: "revoking", mm, range });
  const gather = yield* beginGather(cpu, mm);
  for (const area of mm.areas.within(range)) {
    yield* zapArea(cpu, gather, area, cpu.kernel.protocol.traits.emptyTables);
  }
  yield* finishGather(cpu, gather);
  yield* note({ kind: "revoked", mm, range });
  yield* unlockToRead(mm, held);
}

/**
 * madvise_free_pte_range: entries that are young or dirty become old and clean, so that a later
 * write can be noticed. Not of huge pages.
 */
export function* madviseFree(cpu: Cpu, mm: Mm, range: PageRange): KernelCode {
  yield* batchedCall(cpu, clean(cpu, mm, range));
}

function* clean(cpu: Cpu, mm: Mm, range: PageRange): KernelCode {
  const held = yield* lockToRead(mm, range);
  yield* work(costs.adviseRange);
  assert(mm.areas.within(range).every(isSmall), "MADV_FREE is for 4K pages (EINVAL)");
  yield* note({ kind: "revoking", mm, range });
  const gather = yield* beginGather(cpu, mm);
  yield* underEachLock(mm, range, "4K", function* (part) {
    yield* flushBatchedPending(cpu, mm);
    let cleaned = 0;
    for (const page of yield* presentPages(mm, part)) {
      if (!wasUsed(cpu, yield* readEntry(mm, page))) continue;
      const entry = yield* exchangeEntry(mm, page, 0n);
      yield* writeEntry(mm, page, madeOld(entry));
      gather.change(entry, page, "4K");
      cleaned++;
    }
    yield* workTimes(costs.protectPage, cleaned);
  });
  yield* finishGather(cpu, gather);
  // Nobody writes through an entry that was dirty: the page would pass for clean, and be dropped.
  yield* note({ kind: "revoked", mm, range });
  yield* unlockToRead(mm, held);
}

/** Whether the entry is young or dirty. The zero page has nothing to lose (vm_normal_folio). */
const wasUsed = (cpu: Cpu, entry: bigint): boolean =>
  (entry & (ACCESSED | DIRTY)) !== 0n && frameOfEntry(entry) !== cpu.kernel.zeroFrame;

nameFunctions({
  madvise_dontneed_single_vma: madviseDontNeed,
  discard,
  madvise_free_pte_range: madviseFree,
  clean,
});
