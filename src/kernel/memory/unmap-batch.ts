// mm/rmap.c: what reclaim has unmapped and not yet flushed, and how others who change the same
// address space learn that stale entries may still be about.

import type { Cpu } from "../state/cpu.ts";
import { flushRange } from "./flush.ts";
import { type BatchedFlushes, type Mm, NONE_PENDING, WHOLE_USER_HALF } from "../state/mm.ts";
import { isMutated } from "../state/mutated.ts";
import { call, type KernelCode, load, locked, note, store } from "../operation/operation.ts";
import { FlushBatch } from "../state/flush-batch.ts";
import type { BatchedUnmap, DeferredFlush } from "../state/shootdown-protocol.ts";
import { nameFunctions } from "../operation/origin.ts";
import { needInterruptsOn, needPageTableLock } from "../operation/precondition.ts";

/** struct tlbflush_unmap_batch: current->tlb_ubc, one task's own. */
export class UnmapBatch {
  readonly flush = new FlushBatch();
  flushRequired = false;
}

/** tlb_flush_batched as a flag, until Linux 5.16. */
const SOME_PENDING: BatchedFlushes = { pending: 1, flushed: 0 };

/** set_tlb_ubc_flush_pending. Caller holds the page-table lock and has taken the entry away. */
export function* deferFlush(
  cpu: Cpu,
  batch: UnmapBatch,
  deferred: DeferredFlush,
  by: BatchedUnmap,
): KernelCode {
  const { mm } = deferred;
  yield* needPageTableLock(mm, "set_tlb_ubc_flush_pending");
  yield* by.add(cpu, batch.flush, deferred);
  batch.flushRequired = true;
  const { batchedUnmaps } = cpu.kernel.protocol.traits;
  if (batchedUnmaps === "unnoted" || isMutated(cpu, "batched-unmap-not-noted")) return;
  if (batchedUnmaps === "flagged") return yield* store(mm.tlbFlushBatched, SOME_PENDING);
  yield* locked(mm.tlbFlushBatched, (noted) => ({ ...noted, pending: noted.pending + 1 }));
}

/** try_to_unmap_flush: on return no CPU uses a translation that the batch stands for. */
export function* tryToUnmapFlush(cpu: Cpu, batch: UnmapBatch): KernelCode {
  if (!batch.flushRequired) return;
  yield* needInterruptsOn("arch_tlbbatch_flush");
  yield* note({ kind: "batchFlushBegin" });
  const remote = yield* call(cpu.kernel.protocol.batchedUnmap!.flush(cpu, batch.flush));
  batch.flushRequired = false;
  yield* note({ kind: "batchFlushReturn", remote });
}

/**
 * flush_tlb_batched_pending: an entry that is not present may be one that reclaim has taken away
 * and not flushed. Who relies on "not present, so nothing to flush" flushes first. Caller holds the
 * page-table lock of what it relies on; reclaim may hold that of another table.
 */
export function* flushBatchedPending(cpu: Cpu, mm: Mm): KernelCode {
  yield* needPageTableLock(mm, "flush_tlb_batched_pending");
  const noted = yield* load(mm.tlbFlushBatched);
  const { pending, flushed } = noted;
  if (pending === flushed) return;
  yield* flushRange(cpu, { mm, range: WHOLE_USER_HALF, freedTables: true }); // flush_tlb_mm
  const isFlag = cpu.kernel.protocol.traits.batchedUnmaps === "flagged";
  if (isFlag || isMutated(cpu, "batched-unmap-forgotten")) {
    return yield* store(mm.tlbFlushBatched, NONE_PENDING);
  }
  // atomic_cmpxchg: what was put off meanwhile, under the lock of another table, is not flushed.
  yield* locked(mm.tlbFlushBatched, (now) => (now === noted ? { pending, flushed: pending } : now));
}

nameFunctions({
  set_tlb_ubc_flush_pending: deferFlush,
  try_to_unmap_flush: tryToUnmapFlush,
  flush_tlb_batched_pending: flushBatchedPending,
});
