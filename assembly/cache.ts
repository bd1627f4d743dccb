// Latency of a physical line: L1D and L2 of the core, the LLC that neighbours share, memory. Exact
// LRU; sets are in small-set.ts up to 8 ways, in large-set.ts above.
//
//   tag = physical line number + 1, 32 bits; 0: empty, so untouched memory is an empty cache
//
// Unlike hardware: tags of lines 256 GiB apart are equal; fetches go through L1D too; a fill enters
// all three levels, evictions are silent and copies in other cores are not invalidated.

import { largeSetBytes, useLargeSet } from "./large-set.ts";
import { baseOf, Core, MACHINE } from "./layout.ts";
import { allocate } from "./memory.ts";
import { ADDRESS_BITS } from "./pte.ts";
import {
  fillSmallSet,
  isMostRecent,
  SMALL_SET_BYTES,
  SMALL_WAYS,
  touchInSmallSet,
  useSmallSet,
  waysInSmallSet,
} from "./small-set.ts";

@unmanaged
class CacheShape {
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

const LINE_SHIFT: u64 = 6;

/** The line of a physical address. */
export function lineAt(physical: u64): u32 {
  return <u32>(physical >> LINE_SHIFT);
}

/** The physical line of an address in a 4 KiB page. */
export function lineOf(data: u64, address: u64): u32 {
  return lineAt((data & ADDRESS_BITS) | (address & 0xfff));
}

/** Fills in a shape; returns the bytes that all its sets take. */
export function shapeCache(cache: CacheShape, sizeBytes: u32, ways: u32, latencyCycles: f64): u32 {
  const sets = max<u32>(1, (sizeBytes >> (<u32>LINE_SHIFT)) / ways);
  cache.sets = sets;
  cache.setMask = (sets & (sets - 1)) == 0 ? sets - 1 : 0;
  cache.ways = ways;
  assert(ways <= 32);
  cache.setBytes = ways <= SMALL_WAYS ? SMALL_SET_BYTES : largeSetBytes(ways);
  cache.latencyCycles = latencyCycles;
  return sets * cache.setBytes;
}

/** Bytes of one LLC's directory: the address of each set, which is allocated when first touched. */
export function llcDirectoryBytes(): u32 {
  return LLC.sets << 2;
}

/** All sets of a core's own cache as they were at boot. */
export function emptyCache(core: Core, cache: CacheShape): void {
  memory.fill(baseOf(core) + cache.offset, 0, cache.sets * cache.setBytes);
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

/** Looks a line up in a set and makes it the most recent, evicting the oldest on a miss. */
function hitOrFill(set: usize, ways: u32, line: u32): bool {
  return ways <= SMALL_WAYS ? useSmallSet(set, ways, line + 1) : useLargeSet(set, ways, line + 1);
}

/** Whether the functions down to accessCycles may be used. */
export function isSmallL1D(): bool {
  return L1D.ways <= SMALL_WAYS && (L1D.setMask != 0 || L1D.sets == 1);
}

/** Whether a line is the most recent of its set in L1D. */
export function isMostRecentLine(base: usize, line: u32): bool {
  return isMostRecent(smallSetOf(base, line), line + 1);
}

/** As accessCycles, of a line. */
export function lineCycles(core: Core, base: usize, line: u32): f64 {
  const set = smallSetOf(base, line);
  const equal = waysInSmallSet(set, line + 1);
  if (equal == 0) return fillLine(core, set, line);
  touchInSmallSet(set, L1D.ways, ctz(equal), line + 1);
  return L1D.latencyCycles;
}

/** As lineCycles, of a line that may well be the most recent. */
export function recentLineCycles(core: Core, base: usize, line: u32): f64 {
  return isMostRecentLine(base, line) ? L1D.latencyCycles : lineCycles(core, base, line);
}

function fillLine(core: Core, set: usize, line: u32): f64 {
  fillSmallSet(set, L1D.ways, line + 1);
  return missCycles(core, line);
}

function smallSetOf(base: usize, line: u32): usize {
  return base + L1D.offset + <usize>((line & L1D.setMask) * SMALL_SET_BYTES);
}

/** Cycles of a load from (or a store to) a physical address, whose line is then in L1D. */
export function accessCycles(core: Core, physical: u64): f64 {
  const line = lineAt(physical);
  const set = baseOf(core) + L1D.offset + <usize>setIndex(L1D, line) * L1D.setBytes;
  return hitOrFill(set, L1D.ways, line) ? L1D.latencyCycles : missCycles(core, line);
}

/** Cycles of an access that L1D has just missed. */
function missCycles(core: Core, line: u32): f64 {
  const set = baseOf(core) + L2.offset + <usize>setIndex(L2, line) * L2.setBytes;
  if (hitOrFill(set, L2.ways, line)) return L2.latencyCycles;
  return hitOrFill(llcSet(core, line), LLC.ways, line) ? LLC.latencyCycles : MACHINE.dramCycles;
}
