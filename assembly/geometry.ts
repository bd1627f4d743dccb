// The shape of one array (a TLB array or a structure cache), the same in every core, and where its
// tables are inside a core's region.
//
//   valid | tags | data | order: a word per set | roots | occupied: a bit per set    up to 16 ways
//   valid | tags | data | roots | links | chains | buckets                           more ways
//
// A slot is one entry's place. With up to 16 ways, slot = set * stride + way. With more, slots
// 0..sets-1 are the heads of the sets' recency lists and the entries' slots come after them.

import { REPLACE_LRU } from "./abi.ts";
import { alignUp, log2Ceiling } from "./bits.ts";

@unmanaged
export class Geometry {
  sets: u32;
  ways: u32;
  /** Slots from one set to the next: ways, rounded up to four for SIMD. */
  stride: u32;
  slots: u32;
  entries: u32;
  /** sets - 1 when that is a mask, else 0. */
  setMask: u32;
  /** Bits to fold the number into to select a set; 0: its low bits. */
  foldBits: u32;
  policy: u32;
  /** 1: exact LRU of more than 8 ways; see replacement.ts. */
  listed: u32;
  /** 1: found by hash and kept in recency lists. */
  linked: u32;
  hashShift: u32;
  population: u32;
  /** How many entries are valid: a word in the core. */
  valid: u32;
  tags: u32;
  data: u32;
  roots: u32;
  order: u32;
  occupied: u32;
  links: u32;
  chains: u32;
  buckets: u32;
}

/** Behind the fields, the words `keep` and `set` of each way; see replacement.ts. */
const POLICY_OFFSET: usize = (offsetof<Geometry>() + 15) & ~15;
export const GEOMETRY_BYTES: usize = POLICY_OFFSET + 16 * 16;
export const SIMD_WAYS: u32 = 16;
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
  g.policy = policy;
  g.setMask = (sets & (sets - 1)) == 0 ? sets - 1 : 0;
  g.foldBits = fold ? log2Ceiling(sets) : 0;
  g.listed = policy == REPLACE_LRU && ways > MATRIX_WAYS ? 1 : 0;
  g.linked = ways > SIMD_WAYS ? 1 : 0;
  g.stride = g.linked != 0 ? ways : alignUp(ways, 4);
  g.slots = g.linked != 0 ? sets + entries : sets * g.stride;
  assert(g.linked == 0 || g.slots < 65536);
  g.entries = entries;
  g.valid = offset;
  g.tags = alignUp(offset + 4, 16);
  g.data = g.tags + g.slots * 8;
  g.order = alignUp(g.data + g.slots * 8, 8);
  g.roots = g.order + (g.linked != 0 ? 0 : sets * 8);
  g.occupied = alignUp(g.roots + g.slots * 4, 8);
  g.links = g.occupied + (g.linked != 0 ? 0 : alignUp(sets, 64) >> 3);
  if (g.linked == 0) return g.links;
  const hashBits = log2Ceiling(entries) + 2;
  g.hashShift = 32 - hashBits;
  g.chains = g.links + g.slots * 4;
  g.buckets = g.chains + alignUp(g.slots * 2, 4);
  return g.buckets + (((<u32>1) << hashBits) << 1);
}

/** The set that a page number (or prefix) selects. */
export function setOf(g: Geometry, number: u64): u32 {
  if (g.foldBits != 0) return setOfFolded(g, number);
  if (g.setMask != 0) return (<u32>number) & g.setMask;
  return g.sets == 1 ? 0 : <u32>(number % <u64>g.sets);
}

/** All groups of foldBits bits of the number, XORed: by doubling, 16 groups in four steps. */
function setOfFolded(g: Geometry, number: u64): u32 {
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
