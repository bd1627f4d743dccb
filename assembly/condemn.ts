// For checkers, at no emulated cost: which cached entries no longer agree with the tables in
// memory. Such an entry becomes CONDEMNED; the machine goes on using it, as hardware would, and
// says so. In long mode only.

import { REACHED_BY_CURRENT_PCID, REACHED_BY_OTHER_PCID, REACHED_BY_ROOT } from "./abi.ts";
import { dataOf, kindsPresent, rootOf, setData, tagOf } from "./array.ts";
import { Geometry } from "./geometry.ts";
import { baseOf, Core, coreAt, MACHINE, populationOffset } from "./layout.ts";
import {
  ADDRESS_BITS,
  CONDEMNED,
  DIRTY,
  NO_EXECUTE,
  pageMask,
  sizeOf,
  sizeShift,
  USER,
  WRITABLE,
} from "./pte.ts";
import { nextValid, nextWithNumber } from "./scan.ts";
import { ofCurrentPcid, pointsTo, STRUCTURE_LEVELS, structureCache } from "./structure-cache.ts";
import { descend, frameInLeaf, leafLevel } from "./tables.ts";
import { numberOf, PAGE_BITS, TAG_GLOBAL } from "./tag.ts";
import { ARRAYS_PER_LIST, TLB_LISTS, tlbArray } from "./tlb.ts";

/** Ranges up to this are looked up page by page, longer ones by going through all entries. */
export const PROBED_PAGES: u64 = 64;

/** The pages of the upper half begin here, with 4 levels. */
const KERNEL_PAGES: u64 = (<u64>1) << 35;

/** Whether `cached` grants something that `actual` does not. */
function grantsMore(cached: u64, actual: u64): bool {
  return ((cached & ~actual & (WRITABLE | USER)) | (~cached & actual & NO_EXECUTE)) != 0;
}

/** Whether the pages of [start, end) that an entry covers are all mapped as it says. */
function agrees(core: Core, root: u64, tag: u64, data: u64, start: u64, end: u64): bool {
  const size = sizeOf(data);
  const covered = numberOf(tag) << sizeShift(size);
  let page = max<u64>(start, covered);
  const last = min<u64>(end, covered + ((<u64>1) << sizeShift(size)));
  while (page < last) {
    const level = leafLevel(root, page, core.levels);
    if (level == 0) return false;
    const actual = MACHINE.resultEntry;
    if (frameInLeaf(actual, page, level) != frameInLeaf(data, page, size + 1)) return false;
    // A write through an entry with D sets no D in memory: it would be lost.
    if (grantsMore(data, actual) || (data & ~MACHINE.resultPhysical & DIRTY) != 0) return false;
    page = (page | pageMask(level - 1)) + 1;
  }
  return true;
}

/**
 * Condemns the entry if it is of `from` and disagrees with `root`'s tables; returns 1 if it did.
 */
function examine(
  g: Geometry,
  core: Core,
  entry: usize,
  from: u64,
  root: u64,
  start: u64,
  end: u64,
): u32 {
  const data = dataOf(g, entry);
  if (rootOf(g, entry) != <u32>from || (data & CONDEMNED) != 0) return 0;
  if (agrees(core, root, tagOf(entry), data, start, end)) return 0;
  setData(g, entry, data | CONDEMNED);
  return 1;
}

/** Whether an entry, or a structure-cache entry, covers one of the pages. */
export function overlaps(tag: u64, shift: u64, start: u64, end: u64): bool {
  const first = numberOf(tag) << shift;
  return first < end && first + ((<u64>1) << shift) > start;
}

function probeArray(
  g: Geometry,
  core: Core,
  kinds: u32,
  from: u64,
  root: u64,
  start: u64,
  end: u64,
): u32 {
  let condemned: u32 = 0;
  for (let size: u32 = 0; size < 3; size++) {
    if ((kinds & (0x11 << size)) == 0) continue;
    const shift = sizeShift(size);
    for (let number = start >> shift; number <= (end - 1) >> shift; number++) {
      let entry = nextWithNumber(g, baseOf(core), number, 0);
      for (; entry != 0; entry = nextWithNumber(g, baseOf(core), number, entry)) {
        if (sizeOf(dataOf(g, entry)) != size) continue;
        condemned += examine(g, core, entry, from, root, start, end);
      }
    }
  }
  return condemned;
}

function scanArray(g: Geometry, core: Core, from: u64, root: u64, start: u64, end: u64): u32 {
  let condemned: u32 = 0;
  let entry = nextValid(g, baseOf(core), 0);
  for (; entry != 0; entry = nextValid(g, baseOf(core), entry)) {
    const shift = sizeShift(sizeOf(dataOf(g, entry)));
    if (!overlaps(tagOf(entry), shift, start, end)) continue;
    condemned += examine(g, core, entry, from, root, start, end);
  }
  return condemned;
}

function condemnStructures(core: Core, from: u64, root: u64, start: u64, end: u64): u32 {
  let condemned: u32 = 0;
  const base = baseOf(core);
  for (let level: u32 = 1; level <= STRUCTURE_LEVELS; level++) {
    const g = structureCache(level);
    if (g.ways == 0) continue;
    const shift = 9 * <u64>level;
    for (let entry = nextValid(g, base, 0); entry != 0; entry = nextValid(g, base, entry)) {
      const tag = tagOf(entry);
      const data = dataOf(g, entry);
      if (rootOf(g, entry) != <u32>from || (data & CONDEMNED) != 0) continue;
      if (!overlaps(tag, shift, start, end)) continue;
      const reached = descend(root, numberOf(tag) << shift, core.levels, level);
      const same = reached == level && ((data ^ MACHINE.resultEntry) & ADDRESS_BITS) == 0;
      if (same && !grantsMore(data, MACHINE.resultEntry)) continue;
      setData(g, entry, data | CONDEMNED);
      condemned++;
    }
  }
  return condemned;
}

/**
 * Condemns a core's entries of [first, last) that were filled from the root `from` and disagree
 * with the tables of `root`.
 */
export function condemnRange(index: u32, from: u64, root: u64, first: u64, last: u64): u32 {
  const core = coreAt(index);
  const start = first & PAGE_BITS;
  const end = start + (last - first);
  let condemned: u32 = 0;
  for (let list: u32 = 0; list < TLB_LISTS; list++) {
    const kinds = kindsPresent(baseOf(core), populationOffset(list));
    if (kinds == 0 || end == start) continue;
    for (let array: u32 = 0; array < ARRAYS_PER_LIST; array++) {
      const g = tlbArray(list, array);
      if (g.ways == 0) continue;
      condemned +=
        end - start <= PROBED_PAGES
          ? probeArray(g, core, kinds, from, root, start, end)
          : scanArray(g, core, from, root, start, end);
    }
  }
  return condemned + condemnStructures(core, from, root, start, end);
}

/**
 * Condemns a core's translations of [first, last), of pages that every root maps as `root` does,
 * whatever root they were filled from. Returns how many of them are global.
 */
export function condemnShared(index: u32, root: u64, first: u64, last: u64): u32 {
  const core = coreAt(index);
  const start = first & PAGE_BITS;
  const end = start + (last - first);
  let globals: u32 = 0;
  for (let list: u32 = 0; list < TLB_LISTS; list++) {
    for (let array: u32 = 0; array < ARRAYS_PER_LIST; array++) {
      const g = tlbArray(list, array);
      if (g.ways == 0) continue;
      let entry = nextValid(g, baseOf(core), 0);
      for (; entry != 0; entry = nextValid(g, baseOf(core), entry)) {
        const data = dataOf(g, entry);
        const tag = tagOf(entry);
        if ((data & CONDEMNED) != 0 || !overlaps(tag, sizeShift(sizeOf(data)), start, end))
          continue;
        if (agrees(core, root, tag, data, start, end)) continue;
        setData(g, entry, data | CONDEMNED);
        if ((tag & TAG_GLOBAL) != 0) globals++;
      }
    }
  }
  return globals;
}

/**
 * Whether the PCID that a core has loaded still has a condemned entry of the user half, filled from
 * whichever root.
 */
export function holdsCondemned(index: u32): bool {
  const core = coreAt(index);
  for (let list: u32 = 0; list < TLB_LISTS; list++) {
    for (let array: u32 = 0; array < ARRAYS_PER_LIST; array++) {
      if (holdsCondemnedIn(tlbArray(list, array), core, 0)) return true;
    }
  }
  for (let level: u32 = 1; level <= STRUCTURE_LEVELS; level++) {
    if (holdsCondemnedIn(structureCache(level), core, level)) return true;
  }
  return false;
}

/** The same of one array: of structures of `level`, or of translations (0). */
function holdsCondemnedIn(g: Geometry, core: Core, level: u32): bool {
  if (g.ways == 0) return false;
  let entry = nextValid(g, baseOf(core), 0);
  for (; entry != 0; entry = nextValid(g, baseOf(core), entry)) {
    const data = dataOf(g, entry);
    if ((data & CONDEMNED) == 0 || !ofCurrentPcid(core, entry)) continue;
    const shift = level == 0 ? sizeShift(sizeOf(data)) : 9 * <u64>level;
    if (numberOf(tagOf(entry)) << shift < KERNEL_PAGES) return true;
  }
  return false;
}

/** By what a core can reach a table: REACHED_*. */
export function reachesTable(index: u32, table: u64): u32 {
  const core = coreAt(index);
  let reached: u32 = core.rootFrame == table ? REACHED_BY_ROOT : 0;
  for (let level: u32 = 1; level <= STRUCTURE_LEVELS; level++) {
    const g = structureCache(level);
    if (g.ways == 0) continue;
    let entry = nextValid(g, baseOf(core), 0);
    for (; entry != 0; entry = nextValid(g, baseOf(core), entry)) {
      if (!pointsTo(g, entry, table)) continue;
      reached |= ofCurrentPcid(core, entry) ? REACHED_BY_CURRENT_PCID : REACHED_BY_OTHER_PCID;
    }
  }
  return reached;
}

/** Condemns a core's structure-cache entries that point to a table. */
export function condemnTable(index: u32, table: u64): void {
  const core = coreAt(index);
  for (let level: u32 = 1; level <= STRUCTURE_LEVELS; level++) {
    const g = structureCache(level);
    if (g.ways == 0) continue;
    let entry = nextValid(g, baseOf(core), 0);
    for (; entry != 0; entry = nextValid(g, baseOf(core), entry)) {
      if (!pointsTo(g, entry, table)) continue;
      setData(g, entry, dataOf(g, entry) | CONDEMNED);
    }
  }
}
