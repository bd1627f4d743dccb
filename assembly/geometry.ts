// The shape of one array (a TLB array or a structure cache), the same in every core, and where its
// tables are inside a core's region.
//
// Up to 16 ways: `valid`, one bit per set in `occupied`, then the sets, each of them whole:
//
//   | order u64 | - u64 | signatures 16 x u16 | - 16 | entries |    of 5 to 16 ways
//   | order u64 | - u64 | tags | data | roots |                     of fewer
//
// More ways: `valid`, the heads of the sets' recency lists, the entries, buckets; see linked.ts.
//
// An entry is known by the address of its tag. Its data and its root are `distance` and twice
// `distance` bytes behind: next to it in the entries of more than 4 ways, each of 32 bytes.

import { REPLACE_LRU } from "./abi.ts";
import { alignUp, log2Ceiling } from "./bits.ts";

@unmanaged
export class Geometry {
  sets: u32;
  /** 0: there is no such array. */
  ways: u32;
  entries: u32;
  /** sets - 1 when that is a mask, else 0. */
  setMask: u32;
  /** Bits to fold the number into to select a set; 0: its low bits. */
  foldBits: u32;
  policy: u32;
  /** 1: the order of a set is a list of ways; see replacement.ts. */
  listed: u32;
  /** 1: found by hash and kept in recency lists. */
  linked: u32;
  population: u32;
  /** How many entries are valid: a word in the core. */
  valid: u32;
  occupied: u32;
  /** The first set, or the first entry. */
  first: u32;
  setBytes: u32;
  /** From a set to its first tag. */
  tags: u32;
  /** log2 of the bytes from a tag to the next. */
  tagShift: u32;
  distance: u32;
  /** One bit for each way. */
  wayMask: u32;
  heads: u32;
  buckets: u32;
  /** Of the offsets of buckets. */
  bucketMask: u32;
}

/** Behind the fields, the words `keep` and `set` of each way; see replacement.ts. */
const POLICY_OFFSET: usize = (offsetof<Geometry>() + 15) & ~15;
export const GEOMETRY_BYTES: usize = POLICY_OFFSET + 16 * 16;
const SIMD_WAYS: u32 = 16;
/** Up to so many ways, the tags themselves are compared. */
export const COMPARED_WAYS: u32 = 4;
/** From a set to its signatures, and to the tags of a set with and without signatures. */
export const SIGNATURES: usize = 16;
export const SIGNED_TAGS: usize = 64;
export const PLAIN_TAGS: usize = 16;
/** An entry of more than 4 ways: log2 of its bytes, and from its tag to its data and its root. */
export const ENTRY_SHIFT: usize = 5;
export const ENTRY_DATA: usize = 8;
export const ENTRY_ROOT: usize = 16;
const MOST_BUCKETS: u32 = 4096;
/** A matrix of their order has 64 bits. */
const MATRIX_WAYS: u32 = 8;

export function keepBits(g: Geometry, way: u32): usize {
  return changetype<usize>(g) + POLICY_OFFSET + ((<usize>way) << 4);
}

export function setBits(g: Geometry, way: u32): usize {
  return keepBits(g, way) + 8;
}

/** Fills in a geometry whose tables begin at `offset`; returns the offset behind them. */
export function shape(
  g: Geometry,
  entries: u32,
  ways: u32,
  policy: u32,
  fold: bool,
  offset: u32,
): u32 {
  const sets = entries / ways;
  assert(ways > 0 && sets * ways == entries);
  g.sets = sets;
  g.ways = ways;
  g.entries = entries;
  g.policy = policy;
  g.setMask = (sets & (sets - 1)) == 0 ? sets - 1 : 0;
  g.foldBits = fold ? log2Ceiling(sets) : 0;
  g.linked = ways > SIMD_WAYS ? 1 : 0;
  g.listed = policy == REPLACE_LRU && ways > MATRIX_WAYS ? 1 : 0;
  g.valid = offset;
  return g.linked != 0 ? shapeLinked(g, offset + 8) : shapeSets(g, offset + 8);
}

function shapeSets(g: Geometry, offset: u32): u32 {
  g.occupied = alignUp(offset, 8);
  g.first = alignUp(g.occupied + (alignUp(g.sets, 64) >> 3), 64);
  g.wayMask = ((<u32>1) << g.ways) - 1;
  if (g.ways > COMPARED_WAYS) {
    g.tags = <u32>SIGNED_TAGS;
    g.tagShift = <u32>ENTRY_SHIFT;
    g.distance = <u32>ENTRY_DATA;
    g.setBytes = <u32>SIGNED_TAGS + (g.ways << (<u32>ENTRY_SHIFT));
  } else {
    g.tags = <u32>PLAIN_TAGS;
    g.tagShift = 3;
    g.distance = COMPARED_WAYS << 3;
    g.setBytes = g.tags + 3 * g.distance;
  }
  return g.first + g.sets * g.setBytes;
}

function shapeLinked(g: Geometry, offset: u32): u32 {
  const buckets = min<u32>((<u32>1) << (log2Ceiling(g.entries) + 2), MOST_BUCKETS);
  g.heads = offset;
  g.first = alignUp(g.heads + (g.sets << 2), 64);
  g.distance = <u32>ENTRY_DATA;
  g.buckets = g.first + (g.entries << (<u32>ENTRY_SHIFT));
  g.bucketMask = (buckets - 1) << 2;
  return g.buckets + (buckets << 2);
}

/** The address of a set of up to 16 ways. */
export function setAt(g: Geometry, core: usize, set: u32): usize {
  return core + g.first + <usize>(set * g.setBytes);
}

/** The entry in a way of a set of up to 16. */
export function entryIn(g: Geometry, set: usize, way: u32): usize {
  return set + g.tags + ((<usize>way) << g.tagShift);
}

/** The set that a page number (or prefix) selects. */
export function setOf(g: Geometry, number: u64): u32 {
  if (isPlain(g)) return setOfPlain(g, number);
  if (g.foldBits != 0) return setOfAnyFold(g, number);
  return <u32>(number % <u64>g.sets);
}

/** Whether setOfPlain knows how the array selects a set: by a mask, perhaps after a usual fold. */
export function isPlain(g: Geometry): bool {
  const masked = g.setMask != 0 || g.sets == 1;
  return masked && (g.foldBits == 0 || g.foldBits == 7 || g.foldBits == 8);
}

/** All groups of foldBits bits of the number, XORed: by doubling. */
export function setOfPlain(g: Geometry, number: u64): u32 {
  let folded = number;
  if (g.foldBits == 7) {
    folded ^= folded >> 7;
    folded ^= folded >> 14;
    folded ^= folded >> 28;
  } else if (g.foldBits == 8) {
    folded ^= folded >> 8;
    folded ^= folded >> 16;
    folded ^= folded >> 32;
  }
  return (<u32>folded) & g.setMask;
}

function setOfAnyFold(g: Geometry, number: u64): u32 {
  const width = <u64>g.foldBits;
  let folded = number ^ (number >> width);
  folded ^= folded >> (2 * width);
  folded ^= folded >> (4 * width);
  if (width < 6) folded ^= folded >> (8 * width);
  if (width < 3) folded ^= folded >> (16 * width);
  if (width < 2) folded ^= folded >> 32;
  const set = (<u32>folded) & (((<u32>1) << (<u32>width)) - 1);
  return g.setMask != 0 ? set : set % g.sets;
}
