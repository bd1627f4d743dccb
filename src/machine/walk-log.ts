// What a walk has loaded, read from the machine (assembly/walk-log.ts). A PDPTE of PAE paging is
// in a register: a walk that begins with one has its first step below it.

import type { MachineInstance } from "./wasm.ts";

/** Of an entry: R/W, U/S, XD. */
const WRITABLE = 1n << 1n;
const USER = 1n << 2n;
const NO_EXECUTE = 1n << 63n;

/** One entry that was loaded. */
export interface MachineStep {
  /** 5: a PML5E, 4: a PML4E, 3: a PDPTE, 2: a PDE, 1: a PTE. */
  readonly level: number;
  /** Physical. */
  readonly address: bigint;
  readonly value: bigint;
  /** Of this load. */
  readonly cycles: number;
}

export interface MachineWalk {
  /** The linear address that was walked for. */
  readonly address: bigint;
  /**
   * The level of the table that it began at: below the paging mode's highest when a
   * paging-structure cache knew the prefix. 0: a PDPTE register was not present.
   */
  readonly startLevel: number;
  /** What the entry that it began at allows: everything, unless a structure cache had it. */
  readonly startRights: {
    readonly writable: boolean;
    readonly user: boolean;
    readonly executable: boolean;
  };
  readonly steps: readonly MachineStep[];
}

/** The last walk, 0, or the one before it, 1. */
export function readWalkLog({ functions }: MachineInstance, back: 0 | 1): MachineWalk {
  const steps = Array.from({ length: functions.stepCount(back) }, (_, index) => ({
    level: functions.stepLevel(back, index),
    address: BigInt.asUintN(64, functions.stepAddress(back, index)),
    value: BigInt.asUintN(64, functions.stepEntry(back, index)),
    cycles: functions.stepCycles(back, index),
  }));
  const address = BigInt.asUintN(64, functions.walkedAddress(back));
  const path = BigInt.asUintN(64, functions.startRights(back));
  const startRights = {
    writable: (path & WRITABLE) !== 0n,
    user: (path & USER) !== 0n,
    executable: (path & NO_EXECUTE) === 0n,
  };
  return { address, startLevel: functions.startLevel(back), startRights, steps };
}
