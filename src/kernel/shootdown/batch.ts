// One flush for entries of many address spaces, since Linux 4.14: arch_tlbbatch_add_mm, and the
// arch_tlbbatch_flush of those kernels that flush here before they call the others (to 5.12).

import { cpusOf } from "../cpu/cpumask.ts";
import { type KernelCode, locked, store } from "../operation/operation.ts";
import type { Cpu } from "../state/cpu.ts";
import type { FlushBatch } from "../state/flush-batch.ts";
import type { BatchedUnmap, DeferredFlush } from "../state/shootdown-protocol.ts";
import { FLUSH_ALL_LOADED, type FlushInfo } from "../state/tlb-state.ts";
import { flushHereWithInterruptsOff } from "./generation.ts";
import { nameFunctions } from "../operation/origin.ts";
import { needPageTableLock } from "../operation/precondition.ts";

/**
 * arch_tlbbatch_add_mm: a switch to `mm` after this sees the new generation, a CPU that runs `mm`
 * is in the mask. The increment is the barrier between the entries and the mask.
 */
export function* addToBatch(_cpu: Cpu, batch: FlushBatch, { mm }: DeferredFlush): KernelCode {
  yield* needPageTableLock(mm, "arch_tlbbatch_add_mm");
  yield* locked(mm.tlbGeneration, (generation) => generation + 1);
  for (const id of yield* cpusOf(mm.cpumask)) batch.cpus.add(id);
}

/** How a flush of `cpu` reaches the other CPUs of `mask`, and waits for them. */
type FlushOthers = (cpu: Cpu, mask: readonly number[], info: FlushInfo) => KernelCode;

/** arch_tlbbatch_flush of Linux 4.14 to 5.12: here first, then the others. */
function* flushBatch(cpu: Cpu, batch: FlushBatch, others: FlushOthers): KernelCode<boolean> {
  const mask = batch.inOrder();
  batch.cpus.clear();
  yield* store(cpu.tlb.flushInfo, FLUSH_ALL_LOADED);
  if (mask.includes(cpu.id)) yield* flushHereWithInterruptsOff(cpu);
  const remote = mask.some((id) => id !== cpu.id);
  if (remote) yield* others(cpu, mask, FLUSH_ALL_LOADED);
  return remote;
}

export const batchedUnmapBy = (others: FlushOthers): BatchedUnmap => ({
  add: addToBatch,
  flush: (cpu, batch) => flushBatch(cpu, batch, others),
});

nameFunctions({ arch_tlbbatch_add_mm: addToBatch, arch_tlbbatch_flush: flushBatch });
