// Page tables as they are in memory, looked at without cycles, caches or A/D: for the kernel that
// builds them, and for checkers that compare cached entries with them.

import { MACHINE } from "./layout";
import { read } from "./memory";
import {
  ADDRESS_BITS,
  combineRights,
  entryAddress,
  isLeaf,
  offsetMask,
  pageMask,
  PRESENT,
  RIGHTS,
  USER,
  WRITABLE,
} from "./pte";

const FULL_RIGHTS: u64 = PRESENT | WRITABLE | USER;

/**
 * Follows the page's path to `level`, or to a leaf above it. The entry that names what is there is
 * in resultEntry (frame of a table or page, rights combined), the raw last entry in
 * resultPhysical. Returns the level reached: of the table, or of the leaf plus LEAF; 0: absent, with
 * the level of the table that lacks the entry in resultLevel.
 */
export function descend(root: u64, page: u64, levels: u32, level: u32): u32 {
  let path = (root << 12) | FULL_RIGHTS;
  let at = levels;
  MACHINE.resultEntry = path;
  while (at > level) {
    const entry = read(entryAddress((path & ADDRESS_BITS) >> 12, page, at));
    MACHINE.resultLevel = at;
    MACHINE.resultPhysical = entry;
    if ((entry & PRESENT) == 0) return 0;
    path = (entry & ADDRESS_BITS) | combineRights(path & RIGHTS, entry);
    MACHINE.resultEntry = path;
    if (isLeaf(entry, at)) return at | LEAF;
    at--;
  }
  return at;
}

export const LEAF: u32 = 8;

/** The level of the page's leaf with descend's results, or 0. */
export function leafLevel(root: u64, page: u64, levels: u32): u32 {
  return descend(root, page, levels, 0) & ~LEAF;
}

/** The frame of a 4 KiB page inside the leaf of `level` whose entry is `leaf`. */
export function frameInLeaf(leaf: u64, page: u64, level: u32): u64 {
  const mask = offsetMask(level - 1);
  return ((leaf & ADDRESS_BITS & ~mask) | ((page << 12) & mask)) >> 12;
}

/** Whether a table has no present entry. */
export function isEmptyTable(table: u64): bool {
  for (let index: u64 = 0; index < 512; index++) {
    if ((read((table << 12) | (index << 3)) & PRESENT) != 0) return false;
  }
  return true;
}

/**
 * The first page of [page, end) that lies in a present leaf, `end` when there is none; the leaf's
 * raw entry is in resultPhysical and its level in resultLevel. Absent subtrees are skipped whole.
 */
export function nextLeaf(root: u64, page: u64, end: u64, levels: u32): u64 {
  while (page < end) {
    if (leafLevel(root, page, levels) != 0) return page;
    // The entry at resultLevel is absent: go on behind what it would map.
    page = (page | pageMask(MACHINE.resultLevel - 1)) + 1;
  }
  return end;
}
