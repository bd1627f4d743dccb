// The shape of each mode's paging structures, and the bits of entries that cases are made of.

import type { VectorMode } from "../vectors/vector.ts";

export interface Level {
  /** An entry maps 1 << shift bytes. */
  readonly shift: number;
  readonly entries: number;
}

const LONG_MODE: readonly Level[] = [39, 30, 21, 12].map((shift) => ({ shift, entries: 512 }));

/** From the root down. */
export const LEVELS: Readonly<Record<VectorMode, readonly Level[]>> = {
  l5: [{ shift: 48, entries: 512 }, ...LONG_MODE],
  l4: LONG_MODE,
  pae: [{ shift: 30, entries: 4 }, ...LONG_MODE.slice(2)],
  l2: [
    { shift: 22, entries: 1024 },
    { shift: 12, entries: 1024 },
  ],
};

export const is64Bit = (mode: VectorMode): boolean => mode === "l4" || mode === "l5";

export const entryBytes = (mode: VectorMode): 4 | 8 => (mode === "l2" ? 4 : 8);

/** Linear-address bits that are translated. */
export const linearBits = (mode: VectorMode): number =>
  mode === "l5" ? 57 : mode === "l4" ? 48 : 32;

export const indexAt = ({ shift, entries }: Level, address: bigint): number =>
  Number((address >> BigInt(shift)) & BigInt(entries - 1));

/** Sign-extended from the highest translated bit, or cut to 32 bits. */
export function canonical(mode: VectorMode, address: bigint): bigint {
  const bits = linearBits(mode);
  return is64Bit(mode)
    ? BigInt.asUintN(64, BigInt.asIntN(bits, address))
    : BigInt.asUintN(32, address);
}

/** Slots of a root that map the harness of the oracle: not in a case's hands. */
export const RESERVED_SLOTS: Readonly<Record<VectorMode, readonly number[]>> = {
  l4: [511],
  l5: [511],
  pae: [3],
  l2: [1008, 1009, 1010, 1011, 1016],
};

/** Bits of CR3 that are the address of the root. */
export const ROOT_MASK: Readonly<Record<VectorMode, bigint>> = {
  l4: 0x000f_ffff_ffff_f000n,
  l5: 0x000f_ffff_ffff_f000n,
  pae: 0xffff_ffe0n,
  l2: 0xffff_f000n,
};

export const PRESENT = 1n << 0n;
export const WRITABLE = 1n << 1n;
export const USER = 1n << 2n;
export const WRITE_THROUGH = 1n << 3n;
export const CACHE_DISABLE = 1n << 4n;
export const ACCESSED = 1n << 5n;
export const DIRTY = 1n << 6n;
/** Bit 7: a page here instead of a table; in an entry that maps 4 KiB, PAT. */
export const PAGE_SIZE = 1n << 7n;
export const GLOBAL = 1n << 8n;
export const AVAILABLE = 0b111n << 9n;
export const NO_EXECUTE = 1n << 63n;

/** A table that grants everything. */
export const OPEN_TABLE = PRESENT | WRITABLE | USER;

export const CR0_WRITE_PROTECT = 1n << 16n;
export const CR4_PAGE_SIZE = 1n << 4n;
export const CR4_PAE = 1n << 5n;
export const CR4_GLOBAL = 1n << 7n;
export const CR4_FIVE_LEVELS = 1n << 12n;
export const CR4_SMEP = 1n << 20n;
export const CR4_SMAP = 1n << 21n;
export const CR4_PROTECTION_KEYS = 1n << 22n;
export const EFER_NO_EXECUTE = 1n << 11n;
