// Paging-structure caches (SDM 3A 4.10.3): for a prefix of the virtual address, the frame of the
// table below and the rights combined so far. One array of one set for each level; any may have 0
// entries.
//
//   cache of level l holds the table of level l:  l = 1 PDE cache, 2 PDPTE, 3 PML4E, 4 PML5E

import { dataOf, drop, fill, find, tagOf, touch, useData } from "./array.ts";
import { Geometry, GEOMETRY_BYTES } from "./geometry.ts";
import { baseOf, Core } from "./layout.ts";
import { findLinked, touchInOnlySet, youngestOf } from "./linked.ts";
import { ADDRESS_BITS } from "./pte.ts";
import { dropMatching, nextWithNumber } from "./scan.ts";
import { PCID_BITS, tagFor, VALID } from "./tag.ts";

export const STRUCTURE_LEVELS: u32 = 4;
const GEOMETRIES: usize = memory.data(STRUCTURE_LEVELS * <u32>GEOMETRY_BYTES, 64);

/** The one of level 1, at an address that the compiler knows. */
export const PDE_CACHE = changetype<Geometry>(GEOMETRIES);

/** The cache whose entries point to tables of `level`. `ways` is 0 when there is none. */
export function structureCache(level: u32): Geometry {
  return changetype<Geometry>(GEOMETRIES + <usize>(level - 1) * GEOMETRY_BYTES);
}

function prefixOf(core: Core, page: u64, level: u32): u64 {
  return page >> (<u64>core.indexBits * <u64>level);
}

/** Frame bits and rights for the table of `level` on the page's path, or 0. */
export function useStructure(core: Core, page: u64, level: u32): u64 {
  const g = structureCache(level);
  if (g.ways == 0) return 0;
  const prefix = prefixOf(core, page, level);
  return useData(g, baseOf(core), prefix, tagFor(prefix, 0, core.pcidBits));
}

/**
 * In long mode, the PDE cache's entry that knows the page's page table, or 0; it does not count as
 * used. Where the cache is linked, which is fully associative, that is most often the youngest.
 */
export function findPageTable(core: Core, page: u64): usize {
  if (PDE_CACHE.ways == 0) return 0;
  const key = tagFor(page >> 9, 0, core.pcidBits);
  if (PDE_CACHE.linked == 0) return find(PDE_CACHE, baseOf(core), page >> 9, key);
  const youngest = youngestOf(PDE_CACHE, baseOf(core), 0);
  return tagOf(youngest) == key ? youngest : findLinked(PDE_CACHE, baseOf(core), key);
}

/** Makes an entry of the PDE cache count as used. */
export function touchPageTable(base: usize, entry: usize): void {
  if (PDE_CACHE.linked == 0) touch(PDE_CACHE, base, 0, entry);
  else touchInOnlySet(PDE_CACHE, base, entry);
}

/** Enters a table of `level` that a lookup has just missed. */
export function fillStructure(core: Core, page: u64, level: u32, data: u64): void {
  const g = structureCache(level);
  if (g.ways == 0) return;
  const prefix = prefixOf(core, page, level);
  const root = <u32>core.rootFrame;
  fill(g, baseOf(core), prefix, tagFor(prefix, 0, core.pcidBits), data, root);
  core.structureCleanPcid = 0;
}

/** Drops all entries of a PCID. */
export function dropStructuresOf(core: Core, pcidBits: u64): void {
  const name = <u32>(pcidBits >> 52) + 1;
  if (core.structureCleanPcid == name) return;
  dropStructures(core, PCID_BITS, pcidBits);
  core.structureCleanPcid = name;
}

/** Drops the entries of every PCID. */
export function dropAllStructures(core: Core): void {
  dropStructures(core, VALID, VALID);
}

function dropStructures(core: Core, mask: u64, value: u64): void {
  for (let level: u32 = 1; level <= STRUCTURE_LEVELS; level++) {
    const g = structureCache(level);
    if (g.ways != 0) dropMatching(g, baseOf(core), mask, value);
  }
}

/** Drops the entries of a PCID that a walk for the page would use. */
export function dropStructuresFor(core: Core, page: u64, pcidBits: u64): void {
  for (let level: u32 = 1; level <= STRUCTURE_LEVELS; level++) {
    const g = structureCache(level);
    if (g.ways == 0) continue;
    const prefix = prefixOf(core, page, level);
    const entry = find(g, baseOf(core), prefix, tagFor(prefix, 0, pcidBits));
    if (entry != 0) drop(g, baseOf(core), entry);
  }
}

/** Drops the entries of every PCID that a walk for the page would use. */
export function dropStructuresForAll(core: Core, page: u64): void {
  for (let level: u32 = 1; level <= STRUCTURE_LEVELS; level++) {
    const g = structureCache(level);
    if (g.ways == 0) continue;
    const prefix = prefixOf(core, page, level);
    let entry = nextWithNumber(g, baseOf(core), prefix, 0);
    while (entry != 0) {
      const next = nextWithNumber(g, baseOf(core), prefix, entry);
      drop(g, baseOf(core), entry);
      entry = next;
    }
  }
}

/** Whether an entry points to a table. */
export function pointsTo(g: Geometry, entry: usize, table: u64): bool {
  return (dataOf(g, entry) & ADDRESS_BITS) == table << 12;
}

/** Whether an entry belongs to the core's current PCID. */
export function ofCurrentPcid(core: Core, entry: usize): bool {
  return (tagOf(entry) & PCID_BITS) == core.pcidBits;
}
