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
  assert(ways <= 32);
  // Up to 16 ways are handled as 8 or as 16.
  cache.setBytes = alignUp(ways, ways > 16 ? 4 : 8) << 2;
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

/** 32 words of ones, then 36 of zeros: read from the middle, lanes up to a place. */
const LANES: usize = memory.data(68 * 4, 16);
const LANES_MIDDLE: usize = LANES + 32 * 4;

/** Fills LANES; once. */
export function shapeLanes(): void {
  memory.fill(LANES, 0xff, 32 * 4);
}

/** Ones in the lanes of a vector whose first place is `first` that are not behind `place`. */
function lanesUpTo(place: u32, first: u32): v128 {
  return v128.load(LANES_MIDDLE + ((<isize>first - <isize>place - 1) << 2));
}

/** `tags` moved one lane up, the last lane of `before` put in front. */
function shiftIn(before: v128, tags: v128): v128 {
  return v128.shuffle<i32>(before, tags, 3, 4, 5, 6);
}

/**
 * Looks a tag up in a set and makes it the most recent, evicting the oldest on a miss: the tags
 * before its place move one place back. Pads behind the last way are 0 and match no tag.
 */
function hitOrFill(set: usize, ways: u32, tag: u32): bool {
  return ways > 16 ? hitOrFillMany(set, ways, tag) : hitOrFillFew(set, ways, tag);
}

function hitOrFillFew(set: usize, ways: u32, tag: u32): bool {
  const wanted = i32x4.splat(tag);
  const a = v128.load(set);
  const b = v128.load(set, 16);
  const last = (<u32>1) << (ways - 1);
  let equal = i32x4.bitmask(i32x4.eq(a, wanted)) | (i32x4.bitmask(i32x4.eq(b, wanted)) << 4);
  if (ways > 8) {
    const c = v128.load(set, 32);
    const d = v128.load(set, 48);
    equal |= i32x4.bitmask(i32x4.eq(c, wanted)) << 8;
    equal |= i32x4.bitmask(i32x4.eq(d, wanted)) << 12;
    const place = ctz(equal | last);
    v128.store(set, v128.bitselect(shiftIn(b, c), c, lanesUpTo(place, 8)), 32);
    v128.store(set, v128.bitselect(shiftIn(c, d), d, lanesUpTo(place, 12)), 48);
  }
  const place = ctz(equal | last);
  v128.store(set, v128.bitselect(shiftIn(wanted, a), a, lanesUpTo(place, 0)));
  v128.store(set, v128.bitselect(shiftIn(a, b), b, lanesUpTo(place, 4)), 16);
  return equal != 0;
}

function hitOrFillMany(set: usize, ways: u32, tag: u32): bool {
  const wanted = i32x4.splat(tag);
  let equal: u32 = 0;
  for (let place: u32 = 0; place < ways; place += 4) {
    const tags = v128.load(set + ((<usize>place) << 2));
    equal |= i32x4.bitmask(i32x4.eq(tags, wanted)) << place;
  }
  const place = ctz(equal | ((<u32>1) << (ways - 1)));
  let before = wanted;
  for (let first: u32 = 0; first < ways; first += 4) {
    const address = set + ((<usize>first) << 2);
    const tags = v128.load(address);
    v128.store(address, v128.bitselect(shiftIn(before, tags), tags, lanesUpTo(place, first)));
    before = tags;
  }
  return equal != 0;
}

/** Whether useLine may be used: L1D has the usual shape. */
export function fitsUseLine(): bool {
  return L1D.ways <= 16 && (L1D.setMask != 0 || L1D.sets == 1);
}

/** Whether L1D holds a line, which is then its set's most recent either way. */
export function useLine(base: usize, line: u32): bool {
  const set = base + L1D.offset + <usize>((line & L1D.setMask) * L1D.setBytes);
  return load<u32>(set) == line + 1 || hitOrFillFew(set, L1D.ways, line + 1);
}

/** Cycles of a load from (or a store to) a physical address, whose line is then in L1D. */
export function accessCycles(core: Core, physical: u64): f64 {
  const line = <u32>(physical >> LINE_SHIFT);
  const set = baseOf(core) + L1D.offset + <usize>setIndex(L1D, line) * L1D.setBytes;
  if (load<u32>(set) == line + 1) return L1D.latencyCycles;
  if (hitOrFill(set, L1D.ways, line + 1)) return L1D.latencyCycles;
  return missCycles(core, line);
}

/** Cycles of an access that L1D has just missed. */
export function missCycles(core: Core, line: u32): f64 {
  const set = baseOf(core) + L2.offset + <usize>setIndex(L2, line) * L2.setBytes;
  if (hitOrFill(set, L2.ways, line + 1)) return L2.latencyCycles;
  if (hitOrFill(llcSet(core, line), LLC.ways, line + 1)) return LLC.latencyCycles;
  return MACHINE.dramCycles;
}
