// What the last walk loaded, read from the machine (assembly/walk-log.ts). A PDPTE of PAE paging is
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

export function readWalkLog({ functions }: MachineInstance): MachineWalk {
  const steps = Array.from({ length: functions.stepCount() }, (_, index) => ({
    level: functions.stepLevel(index),
    address: BigInt.asUintN(64, functions.stepAddress(index)),
    value: BigInt.asUintN(64, functions.stepEntry(index)),
    cycles: functions.stepCycles(index),
  }));
  const path = BigInt.asUintN(64, functions.startRights());
  const startRights = {
    writable: (path & WRITABLE) !== 0n,
    user: (path & USER) !== 0n,
    executable: (path & NO_EXECUTE) === 0n,
  };
  return { startLevel: functions.startLevel(), startRights, steps };
}
