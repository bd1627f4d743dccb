// The control bits that change how tables are read, apart from those that MOV CR4 also invalidates.

import type { MachineInstance } from "./wasm.ts";

export interface PagingChange {
  /** EFER.NXE. */
  readonly noExecute?: boolean;
  /** CR0.WP. */
  readonly writeProtect?: boolean;
  /** CR4.LA57. */
  readonly fiveLevels?: boolean;
}

const NAMES: Readonly<Record<keyof PagingChange, string>> = {
  noExecute: "CONTROL_NO_EXECUTE",
  writeProtect: "CONTROL_WRITE_PROTECT",
  fiveLevels: "CONTROL_FIVE_LEVELS",
};

/** Sets what `change` names on one core; nothing is invalidated and no cycles pass. */
export function setPaging(instance: MachineInstance, core: number, change: PagingChange): void {
  let bits = instance.functions.controlBits(core);
  for (const name of ["noExecute", "writeProtect", "fiveLevels"] as const) {
    const bit = instance.constant(NAMES[name]);
    if (change[name] !== undefined) bits = change[name] ? bits | bit : bits & ~bit;
  }
  instance.functions.setControlBits(core, bits);
}
