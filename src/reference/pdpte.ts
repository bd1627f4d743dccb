// The PDPTE registers of PAE paging: when they are loaded, and what stops it. SDM 3A 4.4.1.
// Some AMD processors that run a guest with nested paging read the PDPTEs at every walk instead.

import type { ControlRegisters } from "../base/architecture.ts";
import { ENTRY, reservedInPdpteRegister } from "./entry.ts";
import type { ReadPhysical } from "./memory.ts";
import { bits, CR0, CR4, has, pagingMode, type Processor } from "./registers.ts";

const CR0_LOADING = CR0.CD | CR0.NW | CR0.PG;
const CR4_LOADING = CR4.PAE | CR4.PGE | CR4.PSE | CR4.SMEP;

/** Whether a write to CR0, CR3 or CR4 loads the registers. */
export function loadsPdptes(before: ControlRegisters, changed: Partial<ControlRegisters>): boolean {
  const after = { ...before, ...changed };
  if (pagingMode(after) !== "PAE") return false;
  if (changed.cr3 !== undefined) return true;
  return has(before.cr0 ^ after.cr0, CR0_LOADING) || has(before.cr4 ^ after.cr4, CR4_LOADING);
}

/** The four PDPTEs at CR3, or undefined if a present one has a reserved bit: #GP(0). */
export function pdptesAt(processor: Processor, read: ReadPhysical): bigint[] | undefined {
  const table = processor.registers.cr3 & bits(31, 5);
  const pdptes = [0n, 8n, 16n, 24n].map((offset) => read(table + offset, 8));
  const reserved = reservedInPdpteRegister(processor);
  const isBad = (pdpte: bigint): boolean => has(pdpte, ENTRY.P) && has(pdpte, reserved);
  return pdptes.some(isBad) ? undefined : pdptes;
}
