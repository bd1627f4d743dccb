// struct tlb_state and tlb_context of arch/x86/mm/tlb.c: what one CPU knows of its own TLB.

import type { PageRange } from "../../base/address.ts";
import type { PageSize } from "../../machine/description.ts";
import type { Cell, Line } from "../operation/cell.ts";
import type { Mm } from "./mm.ts";

/** TLB_NR_DYN_ASIDS: the address spaces whose translations a CPU keeps apart. */
export const DYNAMIC_ASIDS = 6;

/** What the translations of one ASID slot belong to, and how fresh they are. */
export interface TlbContext {
  contextId: number;
  tlbGeneration: number;
}

/** LOADED_MM_SWITCHING: CR3 is about to change, and nobody can say which mm is loaded. */
export const SWITCHING = "switching";

/** TLB_GENERATION_INVALID: what a flush that belongs to no one mm has for a generation. */
export const NO_GENERATION = 0;

/** struct flush_tlb_info: what a flush asks of the CPUs that it calls. */
export interface FlushInfo {
  /** Null: whatever is loaded (a batched flush). */
  readonly mm: Mm | null;
  /** Null: everything. */
  readonly range: PageRange | null;
  /** One invalidation for each page of this size in the range: 4K unless given. */
  readonly pageSize?: PageSize;
  readonly newGeneration: number;
  readonly freedTables: boolean;
  /** The initiator is about to evict the page from its own TLB by a write to it. */
  readonly evictedHere?: boolean;
  /** trim_cpumask: CPUs that are in the mask for nothing are called too, to leave it. */
  readonly trimMask?: boolean;
}

/** What a batched flush asks: everything of whatever is loaded. */
export const FLUSH_ALL_LOADED: FlushInfo = {
  mm: null,
  range: null,
  newGeneration: NO_GENERATION,
  freedTables: false,
};

/** Cells are read by other CPUs; the plain fields only by their own CPU with interrupts off. */
export interface TlbState {
  /** SWITCHING is stored by its own CPU, which sees it only while interrupts are off. */
  readonly loadedMm: Cell<Mm | typeof SWITCHING>;
  /** cpu_tlbstate.active_mm, before Linux 4.14: core code's active_mm, not always what CR3 has. */
  readonly activeMm: Cell<Mm>;
  /** Before Linux 4.14 state == TLBSTATE_LAZY. */
  readonly isLazy: Cell<boolean>;
  /** In a system call that uses no user memory; beside is_lazy. */
  readonly inBatchedCall: Cell<boolean>;
  /** The flush that this CPU is initiating. */
  readonly flushInfo: Cell<FlushInfo | null>;
  /** loaded_mm_asid as others look at it: the global ASID loaded, 0 for one of the CPU's own. */
  readonly globalAsid: Cell<number>;
  /** Flushes of others' TLBs so far: every so often one considers a global ASID. */
  remoteFlushes: number;
  loadedAsid: number;
  nextAsid: number;
  readonly contexts: readonly TlbContext[];
  /** Where the slots from the third on are; the first two are in the line of loaded_mm. */
  readonly contextLine: Line;
  /** The address space whose root, or user root, CR3 holds: what Linux reads off CR3 itself. */
  cr3Mm: Mm;
  /** Page-table isolation: CR3 holds the user root, as it does in user mode and only there. */
  onUserRoot: boolean;
  /** By ASID, a bit: the user PCID is to be flushed when it is loaded next. */
  userPcidFlushMask: number;
  /** In-context flush: what the loaded slot's user PCID is to lose on the way to user mode. */
  pendingUserFlush: PageRange | null;
  /** Every slot but the loaded one holds kernel translations that are too old. */
  invalidateOther: boolean;
}

/** kern_pcid: PCID 0 is left to code that knows of none. */
export const pcidOfAsid = (asid: number): number => asid + 1;
