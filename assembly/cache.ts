// Latency of a physical line: L1D and L2 of the core, the LLC that neighbours share, memory. Each
// set is its line tags, most recently used first: exact LRU without further state.
//
//   tag = physical line number + 1, 32 bits; 0: empty, so untouched memory is an empty cache
//
// Unlike hardware: tags of lines 256 GiB apart are equal; fetches go through L1D too; a fill enters
// all three levels, evictions are silent and copies in other cores are not invalidated.

import { alignUp } from "./bits.ts";
import { baseOf, Core, MACHINE } from "./layout.ts";
import { allocate } from "./memory.ts";

@unmanaged
export class CacheShape {
  sets: u32;
  /** sets - 1 when that is a mask, else 0. */
  setMask: u32;
  ways: u32;
  setBytes: u32;
  latencyCycles: f64;
  /** Of the sets in a core's region; unused for the LLC. */
  offset: u32;
}

export const L1D = changetype<CacheShape>(memory.data(offsetof<CacheShape>(), 64));
export const L2 = changetype<CacheShape>(memory.data(offsetof<CacheShape>(), 64));
export const LLC = changetype<CacheShape>(memory.data(offsetof<CacheShape>(), 64));

export const LINE_SHIFT: u64 = 6;

/** Fills in a shape; returns the bytes that all its sets take. */
export function shapeCache(cache: CacheShape, sizeBytes: u32, ways: u32, latencyCycles: f64): u32 {
  const sets = max<u32>(1, (sizeBytes >> (<u32>LINE_SHIFT)) / ways);
  cache.sets = sets;
  cache.setMask = (sets & (sets - 1)) == 0 ? sets - 1 : 0;
  cache.ways = ways;
  cache.setBytes = alignUp(ways, 4) << 2;
  cache.latencyCycles = latencyCycles;
  return sets * cache.setBytes;
}

/** Bytes of one LLC's directory: the address of each set, which is allocated when first touched. */
export function llcDirectoryBytes(): u32 {
  return LLC.sets << 2;
}

function setIndex(cache: CacheShape, line: u32): u32 {
  return cache.setMask != 0 ? line & cache.setMask : line % cache.sets;
}

function llcSet(core: Core, line: u32): usize {
  const directory = MACHINE.llcDirectory + <usize>core.llc * MACHINE.llcDirectoryBytes;
  const entry = directory + ((<usize>setIndex(LLC, line)) << 2);
  let set = <usize>load<u32>(entry);
  if (set == 0) {
    set = allocate(LLC.setBytes);
    store<u32>(entry, <u32>set);
  }
  return set;
}

/** Bit i: place i of a set holds `tag`. Pads behind the last way are 0 and match no tag. */
function placesOf(set: usize, ways: u32, tag: u32): u32 {
  const wanted = i32x4.splat(tag);
  let equal: u32 = 0;
  for (let place: u32 = 0; place < ways; place += 4) {
    const found = i32x4.bitmask(i32x4.eq(v128.load(set + ((<usize>place) << 2)), wanted));
    equal |= found << place;
  }
  return equal;
}

/**
 * Moves the tags before `place` one place back and puts `tag` in front. Goes through all ways,
 * however early the place: a loop of fixed length is predicted.
 */
function bringToFront(set: usize, ways: u32, place: u32, tag: u32): void {
  let carry = i32x4.splat(tag);
  let after = i32x4.sub(i32x4(0, 1, 2, 3), i32x4.splat(place));
  const end = set + ((<usize>ways) << 2);
  for (let address = set; address < end; address += 16) {
    const tags = v128.load(address);
    const shifted = v128.shuffle<i32>(carry, tags, 3, 4, 5, 6);
    v128.store(address, v128.bitselect(tags, shifted, i32x4.gt_s(after, i32x4.splat(0))));
    after = i32x4.add(after, i32x4.splat(4));
    carry = tags;
  }
}

/** Looks a tag up in a set and makes it the most recent, evicting the oldest on a miss. */
function hitOrFill(set: usize, ways: u32, tag: u32): bool {
  if (load<u32>(set) == tag) return true;
  const places = placesOf(set, ways, tag);
  bringToFront(set, ways, ctz(places | (1 << (ways - 1))), tag);
  return places != 0;
}

/** Cycles of a load from (or a store to) a physical address, whose line is then in L1D. */
export function accessCycles(core: Core, physical: u64): f64 {
  const line = <u32>(physical >> LINE_SHIFT);
  const set = baseOf(core) + L1D.offset + <usize>setIndex(L1D, line) * L1D.setBytes;
  if (hitOrFill(set, L1D.ways, line + 1)) return L1D.latencyCycles;
  return missCycles(core, line);
}

function missCycles(core: Core, line: u32): f64 {
  const set = baseOf(core) + L2.offset + <usize>setIndex(L2, line) * L2.setBytes;
  if (hitOrFill(set, L2.ways, line + 1)) return L2.latencyCycles;
  if (hitOrFill(llcSet(core, line), LLC.ways, line + 1)) return LLC.latencyCycles;
  return MACHINE.dramCycles;
}
