// Entries of the paging structures in long mode (SDM 3A figure 4-11), and of the TLB, which keeps
// the same bit positions.
//
//    63  62       52 51           M M-1          12 11  9  8  7  6  5  4 3  2   1   0
//   | XD | ignored  | reserved (0) | frame         | ign | G PS  D  A  - -  U/S R/W  P |
//
//   A TLB's data word has the rights combined over all levels in P, R/W, U/S and XD, D and G of the
//   leaf, CONDEMNED in bit 9 and the page size in bits 11:10.

import { MACHINE } from "./layout.ts";

export const PRESENT: u64 = 1 << 0;
export const WRITABLE: u64 = 1 << 1;
export const USER: u64 = 1 << 2;
export const ACCESSED: u64 = 1 << 5;
export const DIRTY: u64 = 1 << 6;
export const PAGE_SIZE: u64 = 1 << 7;
export const GLOBAL: u64 = 1 << 8;
export const NO_EXECUTE: u64 = 1 << 63;

/** Of a cached entry only: a checker knows that using it is wrong. */
export const CONDEMNED: u64 = 1 << 9;
export const SIZE_SHIFT: u64 = 10;

export const ADDRESS_BITS: u64 = 0x000ffffffffff000;
export const RIGHTS: u64 = PRESENT | WRITABLE | USER | NO_EXECUTE;

/** Page sizes are numbered by the level above 1 at which their leaf is: 4K 0, 2M 1, 1G 2. */
export function offsetMask(size: u32): u64 {
  return ((<u64>4096) << (9 * <u64>size)) - 1;
}

/** As offsetMask, of page numbers. */
export function pageMask(size: u32): u64 {
  return offsetMask(size) >> 12;
}

export function sizeOf(data: u64): u32 {
  return (<u32>(data >> SIZE_SHIFT)) & 3;
}

/** Index of the entry for a page in the table of `level` (1: PT .. 5: PML5). */
export function entryIndex(page: u64, level: u32): u64 {
  return (page >> (9 * <u64>(level - 1))) & 511;
}

export function entryAddress(table: u64, page: u64, level: u32): u64 {
  return (table << 12) | (entryIndex(page, level) << 3);
}

/** Whether an entry of `level` maps a page (SDM 3A 4.5.4: PS is looked at in PDPTEs and PDEs). */
export function isLeaf(entry: u64, level: u32): bool {
  return level == 1 || ((entry & PAGE_SIZE) != 0 && level <= 3);
}

/** The bits that must be 0 in a present entry of `level` (SDM 3A table 4-15 to 4-20). */
export function reservedBits(entry: u64, level: u32, noExecuteEnabled: bool): u64 {
  let reserved = MACHINE.reservedAddressBits;
  if (!noExecuteEnabled) reserved |= NO_EXECUTE;
  if (level >= 4) return reserved | PAGE_SIZE;
  // Bit 12 of a large leaf is PAT; from 13 up to the page's own size must be 0.
  if (level > 1 && (entry & PAGE_SIZE) != 0) reserved |= offsetMask(level - 1) & ~(<u64>0x1fff);
  return reserved;
}

/** Rights of a walk's path so far with one more entry: R/W and U/S must all be set, XD none. */
export function combineRights(path: u64, entry: u64): u64 {
  return (path & entry & (PRESENT | WRITABLE | USER)) | ((path | entry) & NO_EXECUTE);
}
