// Invalidations that reach a core from outside, without an instruction and without a cycle of its
// own: hardware that no CPU has, or that no figures are known of. And what a directory that shadows
// the core's TLBs and paging-structure caches would know of it.

import { BROADCAST_PAGES, BROADCAST_PAGES_OF_ALL } from "./abi.ts";
import { dataOf, kindsPresent, tagOf } from "./array.ts";
import { overlaps, PROBED_PAGES } from "./condemn.ts";
import { Geometry } from "./geometry.ts";
import { invalidateAs, invalidatePageOfAll } from "./invalidate.ts";
import { baseOf, Core, coreAt, populationOffset } from "./layout.ts";
import { sizeOf, sizeShift } from "./pte.ts";
import { nextValid, nextWithNumber } from "./scan.ts";
import { dropStructuresFor, STRUCTURE_LEVELS, structureCache } from "./structure-cache.ts";
import { PAGE_BITS, PCID_BITS, PCID_SHIFT, TAG_GLOBAL } from "./tag.ts";
import { ARRAYS_PER_LIST, dropPage, TLB_LISTS, tlbArray } from "./tlb.ts";

/** As an INVLPGB of this extent (BROADCAST_*), but for a page's global translation, which goes. */
export function invalidateFromOutside(
  index: u32,
  extent: u32,
  pcid: u32,
  first: f64,
  pages: f64,
): void {
  const core = coreAt(index);
  const pcidBits = (<u64>pcid) << PCID_SHIFT;
  if (extent == BROADCAST_PAGES_OF_ALL) {
    for (let page = <u64>first; page < <u64>first + <u64>pages; page++) {
      invalidatePageOfAll(core, page & PAGE_BITS);
    }
    return;
  }
  if (extent != BROADCAST_PAGES) return invalidateAs(core, extent, pcidBits, 0);
  for (let page = <u64>first; page < <u64>first + <u64>pages; page++) {
    dropPage(core, page & PAGE_BITS, pcidBits, true);
    dropStructuresFor(core, page & PAGE_BITS, pcidBits);
  }
}

function isMeant(tag: u64, pcidBits: u64): bool {
  return (tag & TAG_GLOBAL) != 0 || (tag & PCID_BITS) == pcidBits;
}

function probes(g: Geometry, core: Core, pcidBits: u64, start: u64, end: u64): bool {
  for (let size: u32 = 0; size < 3; size++) {
    const shift = sizeShift(size);
    for (let number = start >> shift; number <= (end - 1) >> shift; number++) {
      let entry = nextWithNumber(g, baseOf(core), number, 0);
      for (; entry != 0; entry = nextWithNumber(g, baseOf(core), number, entry)) {
        if (sizeOf(dataOf(g, entry)) == size && isMeant(tagOf(entry), pcidBits)) return true;
      }
    }
  }
  return false;
}

function scans(g: Geometry, core: Core, pcidBits: u64, start: u64, end: u64): bool {
  let entry = nextValid(g, baseOf(core), 0);
  for (; entry != 0; entry = nextValid(g, baseOf(core), entry)) {
    const shift = sizeShift(sizeOf(dataOf(g, entry)));
    if (isMeant(tagOf(entry), pcidBits) && overlaps(tagOf(entry), shift, start, end)) return true;
  }
  return false;
}

function holdsStructure(core: Core, pcidBits: u64, start: u64, end: u64): bool {
  for (let level: u32 = 1; level <= STRUCTURE_LEVELS; level++) {
    const g = structureCache(level);
    if (g.ways == 0) continue;
    let entry = nextValid(g, baseOf(core), 0);
    for (; entry != 0; entry = nextValid(g, baseOf(core), entry)) {
      if ((tagOf(entry) & PCID_BITS) != pcidBits) continue;
      if (overlaps(tagOf(entry), 9 * <u64>level, start, end)) return true;
    }
  }
  return false;
}

/** Whether a core holds a translation of the pages in a PCID, or with `paths` the way to one. */
export function holdsTranslation(index: u32, pcid: u32, first: f64, pages: f64, paths: bool): bool {
  const core = coreAt(index);
  const pcidBits = (<u64>pcid) << PCID_SHIFT;
  const start = (<u64>first) & PAGE_BITS;
  const end = start + <u64>pages;
  for (let list: u32 = 0; list < TLB_LISTS; list++) {
    if (kindsPresent(baseOf(core), populationOffset(list)) == 0) continue;
    for (let array: u32 = 0; array < ARRAYS_PER_LIST; array++) {
      const g = tlbArray(list, array);
      if (g.ways == 0) continue;
      const found =
        end - start <= PROBED_PAGES
          ? probes(g, core, pcidBits, start, end)
          : scans(g, core, pcidBits, start, end);
      if (found) return true;
    }
  }
  return paths && holdsStructure(core, pcidBits, start, end);
}
