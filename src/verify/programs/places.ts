// Where things are in a random program, few of each so that they meet: table pages that serve as
// tables of every level, indexes into them, and linear addresses made of those indexes. Whole
// regions of the address space are then the same tables, and a page is reached in many ways.

import type { Dice } from "../../base/dice.ts";
import { bit, bits } from "../../reference/registers.ts";

/** Pages that hold entries. */
export const TABLES: readonly bigint[] = [0x1000n, 0x2000n, 0x4000n, 0x8000n];
/** The page that holds PDPTEs of PAE paging, which have fewer bits than other entries. */
const PDPT_PAGE = 0x3000n;
export const PDPTS: readonly bigint[] = [PDPT_PAGE, PDPT_PAGE + 0x20n];

/** The low ones of 9 or 10 bits; the last is all ones. By index modulo 16, they share sets. */
const INDEXES: readonly bigint[] = [0n, 0n, 1n, 16n, -1n];

/** Of small pages, one of which is a table as well; and of pages of any size. */
const SMALL_FRAMES: readonly bigint[] = [0x1000n, 0x9000n, 0xa000n];
const LARGE_FRAMES: readonly bigint[] = [0n, 0x20_0000n, 0x40_0000n, 0x4000_0000n];

const entryAt = (table: bigint, index: bigint, bytes: 4 | 8): bigint =>
  table + BigInt.asUintN(bytes === 8 ? 9 : 10, index) * BigInt(bytes);

/** Every place that random addresses lead to. */
export const entryPlaces = (bytes: 4 | 8): readonly bigint[] =>
  TABLES.flatMap((table) => [...new Set(INDEXES)].map((index) => entryAt(table, index, bytes)));

export const PDPTE_PLACES: readonly bigint[] = PDPTS.flatMap((table) =>
  [0n, 8n, 16n, 24n].map((offset) => table + offset),
);

export const entryPlace = (dice: Dice, bytes: 4 | 8): bigint =>
  entryAt(dice.pick(TABLES), dice.pick(INDEXES), bytes);

/** Seldom at the top of memory, or of the wrong size. */
export function frame(dice: Dice, isLarge: boolean, physicalAddressBits: number): bigint {
  const low = dice.pick(isLarge !== dice.once(12) ? LARGE_FRAMES : SMALL_FRAMES);
  return dice.once(6) ? low | bit(physicalAddressBits - 1) : low;
}

export type Width = 32 | 48 | 57;

/** How linear addresses are cut up. */
export interface Space {
  readonly width: Width;
  readonly indexBits: 9 | 10;
}

/** A canonical linear address, close to the end of its page now and then. */
export function linearAddress(dice: Dice, { width, indexBits }: Space): bigint {
  let address = 0n;
  for (let shift = 12; shift < width; shift += indexBits) {
    address |= BigInt.asUintN(indexBits, dice.pick(INDEXES)) << BigInt(shift);
  }
  address |= dice.pick([0n, 0n, 0x8n, 0x123n, 0xff8n, 0xff9n, 0xffcn, 0xfffn]);
  if (width === 32) return BigInt.asUintN(32, address);
  return BigInt.asUintN(64, BigInt.asIntN(width, address));
}

/** An address beside the canonical ones, or just at their edges. */
export function strayAddress(dice: Dice, space: Space): bigint {
  const edges = [bits(46, 3), bit(47), bits(55, 3), bit(56), bits(63, 47), bits(63, 3)];
  return dice.once(2)
    ? dice.pick(edges)
    : linearAddress(dice, space) ^ bit(dice.pick([31, 32, 47, 48, 56, 57, 63]));
}
