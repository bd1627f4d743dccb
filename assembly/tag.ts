// The tag of a cached translation, and the kinds of entry that an array counts.
//
//    63      52 51  49 48                              4  3   2  1   0
//   |   PCID   |   0  |  page number >> 9 * size        | G | size | valid |
//
// Kind = G and size, bits 3:1. A global entry has PCID 0 in its tag: it is used in every PCID.
// Structure-cache entries use the same form with size 0 and the VA prefix as their number.

export const VALID: u64 = 1;
export const TAG_GLOBAL: u64 = 1 << 3;
export const PCID_SHIFT: u64 = 52;
export const PCID_BITS: u64 = 0xfff << PCID_SHIFT;
const NUMBER_BITS: u64 = ((1 << 45) - 1) << 4;
export const GLOBAL_KIND: u32 = 4;

/** The bits of a page number that tags keep. */
export const PAGE_BITS: u64 = (1 << 45) - 1;

/** Bits 56:12 of an address, which name a page with 4 or with 5 levels. */
export function pageOf(address: u64): u64 {
  return (address << 7) >> 19;
}

/** The bits of a tag that arrays count entries by. */
export const COUNTED_BITS: u64 = 15;

export function kindOf(tag: u64): u32 {
  return (<u32>(tag >> 1)) & 7;
}

export function numberOf(tag: u64): u64 {
  return (tag & NUMBER_BITS) >> 4;
}

/** The tag of the entry of `kind` for a number, `pcidBits` ignored when the kind is global. */
export function tagFor(number: u64, kind: u32, pcidBits: u64): u64 {
  return (number << 4) | ((<u64>kind) << 1) | VALID | ((kind & GLOBAL_KIND) != 0 ? 0 : pcidBits);
}

/** What a set keeps of a tag to find it by: the low bits of its number. */
export function signatureOf(tag: u64): u32 {
  return (<u32>(tag >> 4)) & 0xffff;
}
