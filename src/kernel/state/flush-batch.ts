// struct arch_tlbflush_unmap_batch (arch/x86/mm/tlb.c): one flush for entries of many address
// spaces. A batch knows CPUs only, no mm: each CPU in it forgets what it has loaded.

/** The CPUs that a batched flush is to reach. One task's own. */
export class FlushBatch {
  readonly cpus = new Set<number>();

  /** The CPUs in ascending order, as for_each_cpu has them. */
  inOrder(): number[] {
    return [...this.cpus].sort((a, b) => a - b);
  }
}
