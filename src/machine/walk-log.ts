// What the last walk loaded, read from the machine (assembly/walk-log.ts). A PDPTE of PAE paging is
// in a register: a walk that begins with one has its first step below it.

import type { MachineInstance } from "./wasm.ts";

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
  readonly steps: readonly MachineStep[];
}

export function readWalkLog({ functions }: MachineInstance): MachineWalk {
  const steps = Array.from({ length: functions.stepCount() }, (_, index) => ({
    level: functions.stepLevel(index),
    address: BigInt.asUintN(64, functions.stepAddress(index)),
    value: BigInt.asUintN(64, functions.stepEntry(index)),
    cycles: functions.stepCycles(index),
  }));
  return { startLevel: functions.startLevel(), steps };
}
