// What a shootdown protocol is and needs, as far as others go by it: which configurations make
// sense with it, which scenarios it can play, and which lazy policies it breaks. Every trait is
// stated; what is made of a Linux kernel spreads that kernel's.

export interface ProtocolTraits {
  /** CR4.PCIDE. none: each switch empties the TLB. required: it cannot do without. */
  readonly pcid: "none" | "optional" | "required";
  /**
   * Page-table isolation. none: it loads one root only, as before Linux 4.15. kernel-pcids: it
   * flushes the PCIDs of kernel roots alone, which is enough where there are no PCIDs.
   */
  readonly isolation: "none" | "kernel-pcids" | "full";
  /** Whether it broadcasts flushes where the kernel is told to (`invlpgb`). */
  readonly invlpgb: "unknown" | "when-enabled";
  /** Whether kernels of its time have per-VMA locks. */
  readonly vmaLocks: boolean;
  /** Whose processors can carry it out. */
  readonly vendor: "any" | "Intel";
  /**
   * kvm: a guest, whose flushes interrupt no preempted vCPU: it stays on an mm that goes. Since
   * Linux 5.18 only a guest without MWAIT flushes so.
   */
  readonly host: "none" | "kvm" | "kvm-without-mwait";

  /** Whose kernel/smp.c: see cpu/smp.ts. Before 5.13 an idle CPU that polls is interrupted, too. */
  readonly smp: "4.8" | "4.15" | "5.13";
  /** What x86 leaves at a switch: what core code's active_mm says (until 4.13), or loaded_mm. */
  readonly switchesFrom: "active_mm" | "loaded_mm";
  /** With PCID a CPU that turns lazy keeps the mm, or leaves it and its mm_cpumask at once. */
  readonly lazyWithPcid: "keeps" | "leaves";
  /** A flush that frees tables moves lazy CPUs to init_mm, or leaves them there. */
  readonly freedTables: "end-lazy-use" | "leave-lazy-cpus";
  /**
   * What an mm knows of entries that reclaim has taken away and not yet flushed: nothing, that
   * there are some (tlb_flush_batched, Linux 4.13), or how many, so that none is forgotten (5.17).
   */
  readonly batchedUnmaps: "unnoted" | "flagged" | "counted";
  /** Whether flush_tlb_range, without knowing, says that tables are freed: since Linux 6.15. */
  readonly flushTlbRange: "frees-no-tables" | "frees-tables";
  /**
   * What mprotect flushes: the whole of each area where a page was present, or, since Linux 6.0,
   * once, what an mmu_gather has of the entries that need it. Since then a private page that has no
   * other user is made writable at once, too, and not by the next write.
   */
  readonly mprotect: "flushes-areas" | "gathers";
  /** What MADV_DONTNEED makes of a last-level table that it empties: freed since Linux 6.14. */
  readonly emptyTables: "kept" | "freed";
  /**
   * Each batch of an mmu_gather is filled, or keeps a slot for how many pages the last entry stands
   * for: since Linux 6.9.
   */
  readonly gatherBatches: "filled" | "one-slot-left";
  /** Whether an mm counts the changes that still have to be flushed (tlb_flush_pending, 4.13). */
  readonly gathers: "counted" | "uncounted";
  /** This CPU's bit in the mm_cpumask that it switches away from. */
  readonly maskOfPrevious: "cleared-before-cr3" | "cleared-after-cr3" | "kept";
  /** Whether init_mm has a mask too: a line that every CPU writes as it turns idle, until 4.20. */
  readonly initMmMask: "kept" | "none";
  /** When a switch clears is_lazy: at each one, or where it was set, since Linux 5.13. */
  readonly clearsIsLazy: "always" | "when-set";
  /** From one kernel thread to the next active_mm is counted anew, or goes along, since 5.4. */
  readonly kernelToKernel: "counted-anew" | "goes-along";
  /** What is_lazy shares its line with; nothing since Linux 5.13. */
  readonly isLazyBeside: "nothing" | "loaded_mm" | "call_single_queue";

  /** Whether accessed bits decide which CPUs a flush is for. */
  readonly accessedBits: "ignored" | "decide";
  /** When a target of a flush that frees tables acknowledges it. */
  readonly acknowledges: "after-flush" | "before-flush";
  /** User PCIDs lose a flush's pages by INVPCID at once, or by INVLPG on the way to user mode. */
  readonly userFlush: "at-once" | "on-return";
  /** The CPU that copies a page forgets the old one by INVLPG, or by a write that evicts it. */
  readonly copiedPage: "invlpg" | "write";
}

export const LINUX_5_13_TRAITS: ProtocolTraits = {
  pcid: "optional",
  isolation: "full",
  invlpgb: "unknown",
  vmaLocks: false,
  vendor: "any",
  host: "none",
  smp: "5.13",
  switchesFrom: "loaded_mm",
  lazyWithPcid: "keeps",
  freedTables: "end-lazy-use",
  batchedUnmaps: "flagged",
  flushTlbRange: "frees-no-tables",
  mprotect: "flushes-areas",
  emptyTables: "kept",
  gatherBatches: "filled",
  gathers: "counted",
  maskOfPrevious: "cleared-before-cr3",
  initMmMask: "none",
  clearsIsLazy: "when-set",
  kernelToKernel: "goes-along",
  isLazyBeside: "nothing",
  accessedBits: "ignored",
  acknowledges: "after-flush",
  userFlush: "at-once",
  copiedPage: "invlpg",
};

export const LINUX_6_18_TRAITS: ProtocolTraits = {
  ...LINUX_5_13_TRAITS,
  invlpgb: "when-enabled",
  vmaLocks: true,
  batchedUnmaps: "counted",
  flushTlbRange: "frees-tables",
  mprotect: "gathers",
  emptyTables: "freed",
  gatherBatches: "one-slot-left",
  maskOfPrevious: "kept",
};

/** Linux 4.20; what differs came with 5.4 and 5.13. */
export const LINUX_4_20_TRAITS: ProtocolTraits = {
  ...LINUX_5_13_TRAITS,
  smp: "4.15",
  clearsIsLazy: "always",
  kernelToKernel: "counted-anew",
  isLazyBeside: "loaded_mm",
};

export const LINUX_4_15_TRAITS: ProtocolTraits = {
  ...LINUX_4_20_TRAITS,
  lazyWithPcid: "leaves",
  initMmMask: "kept",
};

export const LINUX_4_8_TRAITS: ProtocolTraits = {
  ...LINUX_4_20_TRAITS,
  initMmMask: "kept",
  pcid: "none",
  isolation: "none",
  smp: "4.8",
  switchesFrom: "active_mm",
  batchedUnmaps: "unnoted",
  gathers: "uncounted",
  maskOfPrevious: "cleared-after-cr3",
};
