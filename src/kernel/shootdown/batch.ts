// arch_tlbbatch_add_mm (arch/x86/mm/tlb.c).

import { cpusOf } from "../cpu/cpumask.ts";
import { type KernelCode, locked } from "../operation/operation.ts";
import type { FlushBatch } from "../state/flush-batch.ts";
import type { Mm } from "../state/mm.ts";
import { nameFunctions } from "../operation/origin.ts";

/**
 * arch_tlbbatch_add_mm: a switch to `mm` after this sees the new generation, a CPU that runs `mm`
 * is in the mask. The increment is the barrier between the entries and the mask.
 */
export function* addToBatch(batch: FlushBatch, mm: Mm): KernelCode {
  yield* locked(mm.tlbGeneration, (generation) => generation + 1);
  for (const id of yield* cpusOf(mm.cpumask)) batch.cpus.add(id);
}

nameFunctions({ arch_tlbbatch_add_mm: addToBatch });
