// The formats of paging-structure entries in every paging mode: SDM 3A tables 4-4 to 4-6 (32-bit),
// 4-8 to 4-11 (PAE), 4-14 to 4-20 (4- and 5-level); APM 2 5.2 and 5.3 where AMD differs.
//
//     63   62    59  52 51   M M-1           12 11   9  8  7  6  5  4    3   2   1   0
//   | XD | key  | ign | rsvd  | frame          | ign   | G PS  D  A PCD PWT U/S R/W  P |

import {
  bit,
  bits,
  CR4,
  EFER,
  has,
  pagingMode,
  type PagingMode,
  type Processor,
} from "./registers.ts";

/** 5: PML5, 4: PML4, 3: page-directory-pointer table, 2: page directory, 1: page table. */
export type Level = 1 | 2 | 3 | 4 | 5;
export type EntryName = "PML5E" | "PML4E" | "PDPTE" | "PDE" | "PTE";

export const ENTRY = {
  P: bit(0),
  RW: bit(1),
  US: bit(2),
  A: bit(5),
  D: bit(6),
  PS: bit(7),
  XD: bit(63),
} as const;

const NAMES: Readonly<Record<Level, EntryName>> = {
  5: "PML5E",
  4: "PML4E",
  3: "PDPTE",
  2: "PDE",
  1: "PTE",
};

export const entryName = (level: Level): EntryName => NAMES[level];

/** How a mode cuts up a linear address: levels from the top, and bits that index each table. */
export interface Shape {
  readonly levels: readonly Level[];
  readonly indexBits: 9 | 10;
  readonly entryBytes: 4 | 8;
}

/** SDM 3A table 4-2. */
export const SHAPES: Readonly<Record<PagingMode, Shape>> = {
  none: { levels: [], indexBits: 9, entryBytes: 8 },
  "32-bit": { levels: [2, 1], indexBits: 10, entryBytes: 4 },
  PAE: { levels: [3, 2, 1], indexBits: 9, entryBytes: 8 },
  "4-level": { levels: [4, 3, 2, 1], indexBits: 9, entryBytes: 8 },
  "5-level": { levels: [5, 4, 3, 2, 1], indexBits: 9, entryBytes: 8 },
};

/** log2 of the memory that one entry of `level` controls, or of the page that it maps. */
export const shiftOf = ({ indexBits }: Shape, level: Level): number => 12 + indexBits * (level - 1);

/** Whether a present entry without reserved bits maps a page. */
export function isLeaf({ registers }: Processor, level: Level, entry: bigint): boolean {
  if (level === 1) return true;
  if (!has(entry, ENTRY.PS)) return false;
  switch (pagingMode(registers)) {
    // SDM 3A 4.3: without CR4.PSE there are 4-KByte pages only.
    case "32-bit":
      return has(registers.cr4, CR4.PSE);
    case "PAE":
      return level === 2;
    default:
      return level <= 3;
  }
}

/** The bits that must be 0 in a present entry. */
export function reservedBits(processor: Processor, level: Level, entry: bigint): bigint {
  const mode = pagingMode(processor.registers);
  if (mode === "32-bit") return reservedIn32Bit(processor, level, entry);
  if (mode === "PAE" && level === 3) return reservedInPdpteRegister(processor);
  const { physicalAddressBits, gigabytePages, vendor } = processor.features;
  // SDM 3A table 4-10, 4-11: PAE paging ignores none of bits 62:52.
  let reserved = bits(mode === "PAE" ? 62 : 51, physicalAddressBits);
  if (!has(processor.registers.efer, EFER.NXE)) reserved |= ENTRY.XD;
  if (level >= 4) {
    reserved |= ENTRY.PS;
    // APM 2 figure 5-20: bit 8 of PML5E and PML4E must be zero. Intel ignores it.
    if (vendor === "amd") reserved |= bit(8);
  } else if (level > 1 && has(entry, ENTRY.PS)) {
    if (level === 2) reserved |= bits(20, 13);
    else reserved |= gigabytePages ? bits(29, 13) : ENTRY.PS;
  }
  return reserved;
}

/** SDM 3A table 4-8. Checked when the register is loaded. */
export const reservedInPdpteRegister = ({ features }: Processor): bigint =>
  bits(2, 1) | bits(8, 5) | bits(63, features.physicalAddressBits);

/** SDM 3A 4.3, table 4-4. With PSE-36, bits (M-20):13 of a 4-MByte PDE are address bits M-1:32. */
function reservedIn32Bit(processor: Processor, level: Level, entry: bigint): bigint {
  if (level === 1 || !isLeaf(processor, level, entry)) return 0n;
  return bits(21, Math.min(40, processor.features.physicalAddressBits) - 19);
}

/** Physical address of the table that a non-leaf entry references. */
export const tableOf = (entry: bigint): bigint => entry & bits(51, 12);

/** Physical address of the page that a leaf of `level` maps. */
export function pageOf({ registers }: Processor, level: Level, entry: bigint): bigint {
  const mode = pagingMode(registers);
  if (mode === "32-bit" && level === 2) {
    return (entry & bits(31, 22)) | (((entry & bits(20, 13)) >> 13n) << 32n);
  }
  return entry & bits(51, shiftOf(SHAPES[mode], level));
}
