// The control bits that paging looks at, and what they select. SDM 3A 2.2.1 (IA32_EFER), 2.5 (CR0,
// CR3, CR4), 4.1.1 (paging modes). IA-32e mode is always 64-bit mode: there are no code segments.

import type { ControlRegisters, PagingFeatures } from "../base/architecture.ts";

/** Bit `position`, and bits high:low as the manual writes them; none if high < low. */
export const bit = (position: number): bigint => 1n << BigInt(position);
export const bits = (high: number, low: number): bigint =>
  high < low ? 0n : bit(high + 1) - bit(low);

export const CR0 = {
  PE: bit(0),
  ET: bit(4),
  WP: bit(16),
  NW: bit(29),
  CD: bit(30),
  PG: bit(31),
} as const;

export const CR4 = {
  PSE: bit(4),
  PAE: bit(5),
  PGE: bit(7),
  LA57: bit(12),
  PCIDE: bit(17),
  SMEP: bit(20),
  SMAP: bit(21),
  PKE: bit(22),
  PKS: bit(24),
} as const;

export const EFER = { SCE: bit(0), LME: bit(8), LMA: bit(10), NXE: bit(11) } as const;

/** What a logical processor knows of paging. Replaced, never changed. */
export interface Processor {
  readonly features: PagingFeatures;
  readonly registers: ControlRegisters;
  /** The four PDPTE registers of PAE paging. SDM 3A 4.4.1. */
  readonly pdptes: readonly bigint[];
}

export type PagingMode = "none" | "32-bit" | "PAE" | "4-level" | "5-level";

export const has = (register: bigint, flag: bigint): boolean => (register & flag) !== 0n;

/** IA32_EFER.LMA: IA-32e mode is enabled, and paging is on. */
export const isLongMode = ({ cr0, efer }: ControlRegisters): boolean =>
  has(cr0, CR0.PG) && has(efer, EFER.LME);

/** SDM 3A 4.1.1, table 4-1. */
export function pagingMode(registers: ControlRegisters): PagingMode {
  if (!has(registers.cr0, CR0.PG)) return "none";
  if (!has(registers.cr4, CR4.PAE)) return "32-bit";
  if (!isLongMode(registers)) return "PAE";
  return has(registers.cr4, CR4.LA57) ? "5-level" : "4-level";
}

/** SDM 1, 3.3.7.1: bits 63 down to the highest translated one are all alike. */
export function isCanonical(registers: ControlRegisters, address: bigint): boolean {
  const width = has(registers.cr4, CR4.LA57) ? 57 : 48;
  return BigInt.asUintN(64, BigInt.asIntN(width, address)) === address;
}
