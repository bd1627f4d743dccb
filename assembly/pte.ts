// Entries of the paging structures (SDM 3A figures 4-4, 4-7 and 4-11), and of the TLB, which keeps
// the same bit positions. The 64-bit form; that of 32-bit paging is its lower half.
//
//    63  62 59 58   52 51           M M-1          12 11  9  8  7  6  5  4 3  2   1   0
//   | XD | key | ignored | reserved (0) | frame     | ign | G PS  D  A  - -  U/S R/W  P |
//
//   A TLB has in its data word the rights combined over all levels in P, R/W, U/S and XD; D, G and
//   key of the leaf; CONDEMNED in bit 9 and the page size in bits 11:10. A is set in whatever is
//   cached, the words of the structure caches included: array.ts relies on it.

export const PRESENT: u64 = 1 << 0;
export const WRITABLE: u64 = 1 << 1;
export const USER: u64 = 1 << 2;
export const ACCESSED: u64 = 1 << 5;
export const DIRTY: u64 = 1 << 6;
export const PAGE_SIZE: u64 = 1 << 7;
export const GLOBAL: u64 = 1 << 8;
export const NO_EXECUTE: u64 = 1 << 63;
export const KEY: u64 = 15 << 59;

/** Of a cached entry only: a checker knows that using it is wrong. */
export const CONDEMNED: u64 = 1 << 9;
/** Of what an access needs only, never of an entry: its protection key has to be looked at. */
export const KEY_TEST: u64 = 1 << 58;
export const SIZE_SHIFT: u64 = 10;

export const ADDRESS_BITS: u64 = 0x000ffffffffff000;
export const RIGHTS: u64 = PRESENT | WRITABLE | USER | NO_EXECUTE;

/** Page sizes as a TLB numbers them; 0 is 4 KiB. */
export const SIZE_2M: u32 = 1;
export const SIZE_1G: u32 = 2;
export const SIZE_4M: u32 = 3;

/** log2 of the 4 KiB pages in a page of a size. */
export function sizeShift(size: u32): u64 {
  return size == SIZE_4M ? 10 : 9 * <u64>size;
}

export function offsetMask(size: u32): u64 {
  return ((<u64>4096) << sizeShift(size)) - 1;
}

/** As offsetMask, of page numbers. */
export function pageMask(size: u32): u64 {
  return offsetMask(size) >> 12;
}

export function sizeOf(data: u64): u32 {
  return (<u32>(data >> SIZE_SHIFT)) & 3;
}

/** SDM 3A table 4-4: bits 20:13 of a 4-MByte page's entry are its address bits 39:32. */
export function largeAddress(entry: u64): u64 {
  return (entry & 0xffc00000) | ((entry & 0x1fe000) << 19);
}

/** Rights of a walk's path so far with one more entry: R/W and U/S must all be set, XD none. */
export function combineRights(path: u64, entry: u64): u64 {
  return (path & entry & (PRESENT | WRITABLE | USER)) | ((path | entry) & NO_EXECUTE);
}
