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
  "no-barrier-before-generation": {
    summary: "switch_mm reads the generation without a barrier where its mask bit is set already",
    source: "83b0177a6c48, x86/mm: Fix SMP ordering in switch_mm_irqs_off (6.18), CVE-2025-40174",
  },
  "switching-stored-late": {
    summary: "switch_mm stores LOADED_MM_SWITCHING after it has read the generation",
    source: "Dolan, x86/mm: Fix check/use ordering in switch_mm_irqs_off (6.12.y, October 2025)",
  },
  "should-flush-ignores-switching": {
    summary: "a flush passes over a CPU that is in the middle of a switch",
    source: "fea4e317f9e7, x86/mm: Eliminate window where TLB flushes may be inadvertently skipped",
  },
  "generation-zero-is-old": {
    summary: "a flush of whatever is loaded, which has no generation, is taken for an old one",
    source: "8f1d56f64f8d, which fixes aa44284960d5 (x86/mm/tlb: Avoid reading mm_tlb_gen, 6.0)",
  },
  "freed-tables-false": {
    summary: "page tables are unlinked, and the flush is told that none were",
    source: "3ef938c3503f, x86/mm: Fix flush_tlb_range() when used for zapping, CVE-2025-22045",
  },
  "transition-without-switching-wait": {
    summary: "a transition to a global ASID passes over a CPU that is in the middle of a switch",
    source: "finish_asid_transition's wait for LOADED_MM_SWITCHING (van Riel, INVLPGB, 6.15)",
  },
} as const satisfies Record<string, Mutation>;

export type MutationName = keyof typeof mutations;
export const MUTATION_NAMES = Object.keys(mutations) as readonly MutationName[];

/** Whether this kernel makes the mistake `name`. */
export const isMutated = (cpu: Cpu, name: MutationName): boolean =>
  cpu.kernel.options.mutation === name;
