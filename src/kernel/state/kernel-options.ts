// What a kernel is configured with: boot parameters and CONFIG options, and the mutation.

import type { MutationName } from "../operation/mutation.ts";

/** The x2APIC's destination mode; "off": an xAPIC, with ids of 8 bits, behind MMIO. */
export type X2apic = "cluster" | "physical" | "off";

export const X2APIC_MODES: readonly X2apic[] = ["cluster", "physical", "off"];

export interface KernelOptions {
  /** CR4.PCIDE. */
  readonly pcid: boolean;
  /** tlb_single_page_flush_ceiling, in pages. */
  readonly flushCeiling: number;
  /** Page-table isolation: a root for user mode, a root for the kernel. Off unless given. */
  readonly pti?: boolean;
  /** X86_FEATURE_INVPCID: whether the kernel uses the instruction. Off unless given. */
  readonly invpcid?: boolean;
  /** How an idle CPU waits: only "halt" needs an interrupt to be woken. */
  readonly idle: "poll" | "mwait" | "halt" | "c6";
  /** How the local APICs are addressed: "cluster" unless given. */
  readonly x2apic?: X2apic;
  /** apic_use_ipi_shorthand: one ICR write reaches every other CPU. Off unless given. */
  readonly ipiShorthand?: boolean;
  /** A freed frame is never handed out again, so that every use after the free is seen as one. */
  readonly quarantinesFrames?: boolean;
  /** CONFIG_PER_VMA_LOCK: faults lock their area, not the whole mm. Off unless given. */
  readonly vmaLocks?: boolean;
  /** Whether INVLPGB is used where the protocol knows how, which needs PCIDs. */
  readonly invlpgb?: boolean;
  /** An mm that is active on more CPUs than this gets a global ASID: 3 unless given. */
  readonly globalAsidCpus?: number;
  /** The one way in which this kernel is wrong, if it is. */
  readonly mutation?: MutationName;
}
