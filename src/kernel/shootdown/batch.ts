// arch_tlbbatch_add_mm and struct arch_tlbflush_unmap_batch (arch/x86/mm/tlb.c): one flush for
// entries of many address spaces. A batch knows CPUs only, no mm: whoever is in it forgets what it
// has loaded.

import { cpusOf } from "../cpu-mask.ts";
import type { Mm } from "../mm.ts";
import { type Kernel, locked } from "../operation.ts";

/** The CPUs that a batched flush is to reach. One task's own. */
export class FlushBatch {
  readonly cpus = new Set<number>();

  /** The CPUs in ascending order, as for_each_cpu has them. */
  inOrder(): number[] {
    return [...this.cpus].sort((a, b) => a - b);
  }
}

/**
 * arch_tlbbatch_add_mm: a switch to `mm` after this sees the new generation, a CPU that runs `mm`
 * is in the mask. The increment is the barrier between the entries and the mask.
 */
export function* addToBatch(batch: FlushBatch, mm: Mm): Kernel {
  yield* locked(mm.tlbGeneration, (generation) => generation + 1);
  for (const id of yield* cpusOf(mm.cpumask)) batch.cpus.add(id);
}
