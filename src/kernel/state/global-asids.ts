// The space of global ASIDs: those that mean the same address space on every CPU. Linux keeps it in
// arch/x86/mm/tlb.c.

import { Cell, type Line } from "../operation/cell.ts";
import { type Restore, saveSet } from "../../base/restore.ts";
import { DYNAMIC_ASIDS } from "./tlb-state.ts";

/** MAX_ASID_AVAILABLE without page-table isolation: PCID 0 is kept free, and ASIDs count from 0. */
export const ASIDS = 4094;

/** Guarded by `lock`, which is taken with interrupts off. */
export class GlobalAsids {
  /** global_asid_lock */
  readonly lock: Cell<number>;
  /** last_global_asid: where the search for a free one goes on. */
  last = DYNAMIC_ASIDS;
  /** global_asid_used: given out since the last flush of everything, those given back included. */
  readonly used = new Set<number>();
  /** global_asid_freed: given back, and stale on any CPU until the next flush of everything. */
  readonly freed = new Set<number>();

  constructor(line: Line) {
    this.lock = new Cell("global_asid_lock", line, 0);
  }

  save(): Restore {
    const { last } = this;
    const used = saveSet(this.used);
    const freed = saveSet(this.freed);
    return () => {
      this.last = last;
      used();
      freed();
    };
  }
}
