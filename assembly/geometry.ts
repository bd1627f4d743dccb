// The shape of one array (a TLB array or a structure cache), the same in every core, and where its
// tables are inside a core's region.
//
// Up to 16 ways: `valid`, one bit per set in `occupied`, then the sets, each of them whole:
//
//   | order u64 | - u64 | signatures 16 x u16 | tags | data | roots |    of 5 to 16 ways
//   | order u64 | - u64 | tags | data | roots |                          of fewer
//
// More ways: `valid`, then one table after the other:
//
//   | tags | data | roots | links | chains | buckets |
//
// An entry is known by the address of its tag. Its data and its root are `distance` and twice
// `distance` bytes behind. The first `sets` places of a table of more ways are the heads of the
// sets' recency lists.

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
  hashShift: u32;
  population: u32;
  /** How many entries are valid: a word in the core. */
  valid: u32;
  occupied: u32;
  /** The first set, or the table of tags. */
  first: u32;
  setBytes: u32;
  /** From a set to its tags. */
  tags: u32;
  distance: u32;
  links: u32;
  chains: u32;
  buckets: u32;
}

/** Behind the fields, the words `keep` and `set` of each way; see replacement.ts. */
const POLICY_OFFSET: usize = (offsetof<Geometry>() + 15) & ~15;
export const GEOMETRY_BYTES: usize = POLICY_OFFSET + 16 * 16;
export const SIMD_WAYS: u32 = 16;
/** Up to so many ways, the tags themselves are compared. */
export const COMPARED_WAYS: u32 = 4;
/** From a set to its signatures, and to the tags of a set with and without signatures. */
export const SIGNATURES: usize = 16;
export const SIGNED_TAGS: usize = SIGNATURES + 2 * <usize>SIMD_WAYS;
export const PLAIN_TAGS: usize = 16;
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
  const stride = alignUp(g.ways, COMPARED_WAYS);
  g.occupied = alignUp(offset, 8);
  g.first = alignUp(g.occupied + (alignUp(g.sets, 64) >> 3), 16);
  g.tags = <u32>(g.ways > COMPARED_WAYS ? SIGNED_TAGS : PLAIN_TAGS);
  g.distance = stride << 3;
  g.setBytes = g.tags + 3 * g.distance;
  return g.first + g.sets * g.setBytes;
}

function shapeLinked(g: Geometry, offset: u32): u32 {
  const slots = g.sets + g.entries;
  const hashBits = log2Ceiling(g.entries) + 2;
  assert(slots < 65536);
  g.hashShift = 64 - hashBits;
  g.first = alignUp(offset, 16);
  g.distance = slots << 3;
  g.links = g.first + 3 * g.distance;
  g.chains = g.links + slots * 4;
  g.buckets = g.chains + alignUp(slots * 2, 4);
  return g.buckets + (((<u32>1) << hashBits) << 1);
}

/** The address of a set of up to 16 ways. */
export function setAt(g: Geometry, core: usize, set: u32): usize {
  return core + g.first + <usize>(set * g.setBytes);
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
