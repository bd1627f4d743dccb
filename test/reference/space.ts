// A processor in one paging mode, plus changes, and tables that lead to one page.

import {
  type Access,
  type AccessKind,
  type ControlRegisters,
  EVERY_FEATURE,
  type PagingEngine,
  type PagingFeatures,
} from "../../src/base/architecture.ts";
import { ReferenceEngine } from "../../src/reference/reference.ts";

export type Mode = "none" | "32-bit" | "PAE" | "4-level" | "5-level";

export const P = 1n;
export const RW = 2n;
export const US = 4n;
export const A = 1n << 5n;
export const D = 1n << 6n;
export const PS = 1n << 7n;
export const XD = 1n << 63n;
export const ALL = P | RW | US;

export const WP = 1n << 16n;
export const PG = 1n << 31n;
export const PSE = 1n << 4n;
export const PAE = 1n << 5n;
export const LA57 = 1n << 12n;
export const PCIDE = 1n << 17n;
export const SMEP = 1n << 20n;
export const SMAP = 1n << 21n;
export const PKE = 1n << 22n;
export const PKS = 1n << 24n;
export const LME = 1n << 8n;
export const LMA = 1n << 10n;
export const NXE = 1n << 11n;

export const FEATURES: PagingFeatures = { ...EVERY_FEATURE, physicalAddressBits: 46 };

const CR4_OF: Readonly<Record<Mode, bigint>> = {
  none: 0n,
  "32-bit": PSE,
  PAE: PAE,
  "4-level": PAE,
  "5-level": PAE | LA57,
};

export const isLong = (mode: Mode): boolean => mode === "4-level" || mode === "5-level";

/** WP and NXE are on; CR3 is 0. */
export function registersOf(mode: Mode, changed: Partial<ControlRegisters> = {}): ControlRegisters {
  const cr0 = mode === "none" ? 0x33n : PG | WP | 0x33n;
  const efer = NXE | (isLong(mode) ? LME | LMA : 0n);
  return { cr0, cr3: 0n, cr4: CR4_OF[mode], efer, pkru: 0n, pkrs: 0n, ...changed };
}

export const boot = (
  mode: Mode,
  changed: Partial<ControlRegisters> = {},
  features: Partial<PagingFeatures> = {},
): ReferenceEngine => new ReferenceEngine({ ...FEATURES, ...features }, registersOf(mode, changed));

export const LEVELS: Readonly<Record<Mode, readonly number[]>> = {
  none: [],
  "32-bit": [2, 1],
  PAE: [3, 2, 1],
  "4-level": [4, 3, 2, 1],
  "5-level": [5, 4, 3, 2, 1],
};

/** The table of each level. The root is at 0x10000, or for PAE at 0x10020. */
export const tableOf = (mode: Mode, level: number): bigint => {
  const depth = LEVELS[mode].indexOf(level);
  return mode === "PAE" && depth === 0 ? 0x10020n : 0x10000n + BigInt(depth) * 0x1000n;
};

export const entryBytes = (mode: Mode): 4 | 8 => (mode === "32-bit" ? 4 : 8);

export function entryAddress(mode: Mode, level: number, address: bigint): bigint {
  const width = mode === "32-bit" ? 10n : 9n;
  const shift = 12n + width * BigInt(level - 1);
  const index = (address >> shift) & (mode === "PAE" && level === 3 ? 3n : (1n << width) - 1n);
  return tableOf(mode, level) + index * BigInt(entryBytes(mode));
}

export interface Mapping {
  readonly address: bigint;
  /** The leaf, whole. */
  readonly leaf: bigint;
  /** 1 unless the page is large. */
  readonly level?: number;
  /** Flags of the entries above. */
  readonly above?: bigint;
}

/** Writes the entries from the root to the leaf, then loads CR3. */
export function map(engine: PagingEngine, mode: Mode, mapping: Mapping): void {
  const { address, leaf, level: leafLevel = 1, above = ALL } = mapping;
  for (const level of LEVELS[mode]) {
    if (level < leafLevel) break;
    const flags = mode === "PAE" && level === 3 ? P : above;
    const value = level === leafLevel ? leaf : tableOf(mode, level - 1) | flags;
    engine.writePhysical(entryAddress(mode, level, address), entryBytes(mode), value);
  }
  const root = tableOf(mode, LEVELS[mode][0]!);
  const fault = engine.control({ kind: "write", register: "cr3", value: root });
  if (fault !== undefined) throw new Error("CR3 was refused");
}

export const entryOf = (engine: PagingEngine, mode: Mode, level: number, address: bigint): bigint =>
  engine.readPhysical(entryAddress(mode, level, address), entryBytes(mode));

/** A supervisor's access of 4 bytes unless told otherwise. */
export const access = (
  kind: AccessKind,
  address: bigint,
  changed: Partial<Access> = {},
): Access => ({ address, kind, bytes: 4, user: false, ...changed });

export const pageFault = (errorCode: number, address: bigint) => ({
  fault: { vector: 14, errorCode, address },
});
export const GP = { vector: 13, errorCode: 0 };
