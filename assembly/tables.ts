// Page tables of long mode as they are in memory, looked at without cycles, caches or A/D: for the
// kernel that builds them, and for checkers that compare cached entries with them.

import { MACHINE } from "./layout.ts";
import { read } from "./memory.ts";
import {
  ADDRESS_BITS,
  combineRights,
  offsetMask,
  PAGE_SIZE,
  pageMask,
  PRESENT,
  RIGHTS,
  USER,
  WRITABLE,
} from "./pte.ts";

const FULL_RIGHTS: u64 = PRESENT | WRITABLE | USER;

function entryAddress(table: u64, page: u64, level: u32): u64 {
  return (table << 12) | (((page >> (9 * <u64>(level - 1))) & 511) << 3);
}

/** Whether an entry of `level` maps a page (SDM 3A 4.5.4: PS is looked at in PDPTEs and PDEs). */
function isLeaf(entry: u64, level: u32): bool {
  return level == 1 || ((entry & PAGE_SIZE) != 0 && level <= 3);
}

/**
 * Follows the page's path to `level`, or to a leaf above it. What is there (frame of a table or
 * page, rights combined) is left in resultEntry, the last raw entry in resultPhysical. Returns the
 * level reached: of the table, or of the leaf plus LEAF; 0 when an entry is absent, with the level
 * of its table in resultLevel.
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

const LEAF: u32 = 8;

/** The level of the page's leaf with descend's results, or 0. */
export function leafLevel(root: u64, page: u64, levels: u32): u32 {
  return descend(root, page, levels, 0) & ~LEAF;
}

/**
 * The level of the deepest table on the page's path, at least `level`; its frame in resultEntry.
 */
export function findTable(root: u64, page: u64, levels: u32, level: u32): u32 {
  let table = root;
  let at = levels;
  while (at > level) {
    const entry = read(entryAddress(table, page, at));
    if ((entry & PRESENT) == 0 || isLeaf(entry, at)) break;
    table = (entry & ADDRESS_BITS) >> 12;
    at--;
  }
  MACHINE.resultEntry = table << 12;
  return at;
}

/** The frame of a 4 KiB page inside the leaf of `level` whose entry is `leaf`. */
export function frameInLeaf(leaf: u64, page: u64, level: u32): u64 {
  const mask = offsetMask(level - 1);
  return ((leaf & ADDRESS_BITS & ~mask) | ((page << 12) & mask)) >> 12;
}

/** The first index at or above `from` of a present entry in a table, 512 when there is none. */
export function nextPresent(table: u64, from: u32): u32 {
  let index = from;
  while (index < 512 && (read((table << 12) | ((<u64>index) << 3)) & PRESENT) == 0) index++;
  return index;
}

/** The frame of the table that an entry of a table of `level` names, -1 when it names none. */
export function tableBelow(table: u64, index: u32, level: u32): f64 {
  const entry = read((table << 12) | ((<u64>index) << 3));
  if ((entry & PRESENT) == 0 || isLeaf(entry, level)) return -1;
  return <f64>((entry & ADDRESS_BITS) >> 12);
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
