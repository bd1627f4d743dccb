// LATR's shared data: each CPU has a ring of states, one for each unmapping that it has left to the
// others' sweeps, and a list of its own of the pages that wait for them.

import type { FrameNumber, PageRange } from "../../base/address.ts";
import { Cell, type Line } from "../operation/cell.ts";
import type { Kernel, KernelPart } from "../state/kernel.ts";
import type { Mm } from "../state/mm.ts";
import { type Restore, saveArray } from "../../base/restore.ts";
import type { FlushInfo } from "../state/tlb-state.ts";

/** States of a ring: with all of them in use, flushes interrupt as ever. */
export const LATR_STATES = 64;

/** One state: a line of its own. */
export interface LatrState {
  readonly info: Cell<FlushInfo | null>;
  /** The CPUs that have not yet swept it, a bit each. 0: the state is free. */
  readonly cpus: Cell<bigint>;
}

/** Pages, and the addresses they were at, that are given back when a state has been swept. */
export interface LatrReclaim {
  readonly state: LatrState;
  readonly mm: Mm;
  readonly range: PageRange;
  readonly frames: readonly FrameNumber[];
  /** Not before this jiffy. */
  readonly due: number;
  readonly isDone: Cell<boolean>;
}

export class LatrRing {
  readonly states: readonly LatrState[];
  /** States written so far, and the first of them that may not have been swept: one line. */
  readonly posted: Cell<number>;
  readonly oldest: Cell<number>;
  /** lazy_mm_list: this CPU's own, in the order of time. */
  readonly reclaims: LatrReclaim[] = [];

  constructor(cpu: number, allocateLine: () => Line) {
    const heads = allocateLine();
    this.posted = new Cell(`cpu${cpu}.latr.posted`, heads, 0);
    this.oldest = new Cell(`cpu${cpu}.latr.oldest`, heads, 0);
    this.states = Array.from({ length: LATR_STATES }, (_, index) => {
      const line = allocateLine();
      const name = `cpu${cpu}.latr[${index}]`;
      return {
        info: new Cell<FlushInfo | null>(`${name}.info`, line, null),
        cpus: new Cell(`${name}.cpus`, line, 0n),
      };
    });
  }

  stateAt(index: number): LatrState {
    return this.states[index % LATR_STATES]!;
  }

  save(): Restore {
    return saveArray(this.reclaims);
  }
}

/** The rings of all CPUs. */
export class LatrRings implements KernelPart {
  readonly all: readonly LatrRing[];

  constructor(kernel: Kernel) {
    this.all = kernel.cpus.map(({ id }) => new LatrRing(id, () => kernel.allocateLine(id)));
  }

  save(): Restore {
    const restores = this.all.map((ring) => ring.save());
    return () => {
      for (const restore of restores) restore();
    };
  }
}
