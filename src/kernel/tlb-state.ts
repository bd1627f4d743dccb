// struct tlb_state and tlb_context of arch/x86/mm/tlb.c: what one CPU knows of its own TLB.

import type { PageRange } from "../base/address.ts";
import type { Cell } from "./cell.ts";
import type { Mm } from "./mm.ts";

/** TLB_NR_DYN_ASIDS: the address spaces whose translations a CPU keeps apart. */
export const DYNAMIC_ASIDS = 6;

/** What the translations of one ASID slot belong to, and how fresh they are. */
export interface TlbContext {
  contextId: number;
  tlbGeneration: number;
}

/** struct flush_tlb_info: what a flush asks of the CPUs that it calls. */
export interface FlushInfo {
  /** Null: whatever is loaded (a batched flush). */
  readonly mm: Mm | null;
  /** Null: everything. */
  readonly range: PageRange | null;
  readonly newGeneration: number;
  readonly freedTables: boolean;
}

/** Cells are read by other CPUs; the plain fields only by their own CPU with interrupts off. */
export interface TlbState {
  readonly loadedMm: Cell<Mm>;
  /** cpu_tlbstate.active_mm, before Linux 4.14: core code's active_mm, not always what CR3 has. */
  readonly activeMm: Cell<Mm>;
  /** Before Linux 4.14 state == TLBSTATE_LAZY. */
  readonly isLazy: Cell<boolean>;
  /** The flush that this CPU is initiating. */
  readonly flushInfo: Cell<FlushInfo | null>;
  loadedAsid: number;
  nextAsid: number;
  readonly contexts: readonly TlbContext[];
  /** The address space whose root, or user root, CR3 holds: what Linux reads off CR3 itself. */
  cr3Mm: Mm;
  /** Page-table isolation: CR3 holds the user root, as it does in user mode and only there. */
  onUserRoot: boolean;
  /** By ASID, a bit: the user PCID is to be flushed when it is loaded next. */
  userPcidFlushMask: number;
  /** Every slot but the loaded one holds kernel translations that are too old. */
  invalidateOther: boolean;
}

/** kern_pcid: PCID 0 is left to code that knows of none. */
export const pcidOfAsid = (asid: number): number => asid + 1;
