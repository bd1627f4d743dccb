// Known wrong variants: kernels with one historical mistake each, off by default. Kernel code asks
// `isMutated` at the line that the mistake was made in, so that wrong and right stand side by side.

import type { Cpu } from "./cpu.ts";

export interface Mutation {
  /** One sentence: what is done wrong. */
  readonly summary: string;
  /** Commit, CVE or mail. */
  readonly source: string;
}

export const mutations = {
  "ranged-flush-over-gap": {
    summary: "a ranged flush is made even where the slot lacks an earlier generation",
    source: "the rule of flush_tlb_func: new == local + 1 and new == mm_tlb_gen (Linux 4.14)",
  },
  "batched-unmap-not-noted": {
    summary: "reclaim does not tell the mm that entries are gone and not yet flushed",
    source: "3ea277194daa, mm, mprotect: flush TLB if potentially racing with a parallel reclaim",
  },
  "unplug-keeps-lazy-mm": {
    summary:
      "a CPU goes offline with a borrowed mm loaded, and its reference is dropped all the same",
    source: "idle_task_exit and finish_cpu (bf2c59fce407) without the switch to init_mm",
  },
  "unplug-switches-offline": {
    summary: "a CPU leaves its borrowed mm only after it has left cpu_online_mask",
    source:
      "idle_task_exit, Linux 5.8 to 6.12; lazy tlb: fix hotplug exit race (Piggin, Nov. 2024)",
  },
  "pv-flush-ignores-entry": {
    summary:
      "a vCPU that was entered while a flush was asked of the host is not interrupted either",
    source: "kvm_flush_tlb_multi without the result of its try_cmpxchg (858a43aae236)",
  },
} as const satisfies Record<string, Mutation>;

export type MutationName = keyof typeof mutations;
export const MUTATION_NAMES = Object.keys(mutations) as readonly MutationName[];

/** Whether this kernel makes the mistake `name`. */
export const isMutated = (cpu: Cpu, name: MutationName): boolean =>
  cpu.kernel.options.mutation === name;
