// The PDPTE registers of PAE paging: loaded when CR3 is, and by some writes to CR0 and CR4. SDM 3A
// 4.4.1. Some AMD processors that run a guest with nested paging read the PDPTEs at every walk.

import { Core, MACHINE } from "./layout.ts";
import { read } from "./memory.ts";
import { PRESENT } from "./pte.ts";

/** SDM 3A table 4-8: bits 2:1, 8:5 and all from MAXPHYADDR up. */
const LOW_RESERVED: u64 = 0x1e6;

export function pdpteRegister(core: Core, index: u32): usize {
  return changetype<usize>(core) + offsetof<Core>("pdpte0") + ((<usize>index) << 3);
}

/** Loads all four from where CR3 points; false, and none loaded, when a present one is bad. */
export function loadPdptes(core: Core): bool {
  const table = core.cr3 & 0xffffffe0;
  const reserved = LOW_RESERVED | ~(((<u64>1) << (<u64>MACHINE.physicalAddressBits)) - 1);
  for (let index: u64 = 0; index < 4; index++) {
    const pdpte = read(table + index * 8);
    if ((pdpte & PRESENT) != 0 && (pdpte & reserved) != 0) return false;
  }
  for (let index: u32 = 0; index < 4; index++) {
    store<u64>(pdpteRegister(core, index), read(table + <u64>index * 8));
  }
  return true;
}
