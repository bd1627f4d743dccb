// The translation lookaside buffers: first level for instructions and for data, and a second level
// that the two may share. A list has one array for each page size, or fewer that are shared; a page
// size without an array is not cached there. Entries live in a level without regard to the other.

import { dataOf, drop, fill, find, kindsPresent, replace, rootOf, use } from "./array.ts";
import { Geometry, GEOMETRY_BYTES } from "./geometry.ts";
import { baseOf, Core, MACHINE, populationOffset } from "./layout.ts";
import { GLOBAL, SIZE_2M, SIZE_4M, sizeOf, sizeShift } from "./pte.ts";
import { dropMatching, nextWithNumber } from "./scan.ts";
import { GLOBAL_KIND, PCID_BITS, TAG_GLOBAL, tagFor, VALID } from "./tag.ts";

/** Lists of arrays. The population of the structure caches is kept as a fifth list. */
export const FIRST_DATA: u32 = 0;
export const FIRST_INSTRUCTION: u32 = 1;
export const SECOND_DATA: u32 = 2;
export const SECOND_INSTRUCTION: u32 = 3;
/** Every kind of entry, for lookup. */
export const ANY_KIND: u32 = 0xff;
/** Entries of 4 KiB pages of one PCID: what user programs mostly use. */
export const USUAL_KIND: u32 = 0;
export const TLB_LISTS: u32 = 4;
export const STRUCTURE_LIST: u32 = 4;

export const ARRAYS_PER_LIST: u32 = 4;
const GEOMETRIES: usize = memory.data(TLB_LISTS * ARRAYS_PER_LIST * <u32>GEOMETRY_BYTES, 64);
/** Of the arrays of a list, 0 is the one of 4 KiB pages, at an address that the compiler knows. */
export const USUAL_FIRST = changetype<Geometry>(GEOMETRIES);
export const USUAL_SECOND = changetype<Geometry>(
  GEOMETRIES + <usize>(SECOND_DATA * ARRAYS_PER_LIST) * GEOMETRY_BYTES,
);
/** Address of the geometry of each list's array for each page size; 0: none. */
const ARRAY_OF: usize = memory.data(TLB_LISTS * 4 * 4, 64);
/** The list a first-level list falls back on: SECOND_DATA for both when it is shared. */
const SECOND_OF: usize = memory.data(2 * 4, 64);

export function tlbArray(list: u32, index: u32): Geometry {
  return changetype<Geometry>(
    GEOMETRIES + <usize>(list * ARRAYS_PER_LIST + index) * GEOMETRY_BYTES,
  );
}

/** 4-MByte pages are where 2-MByte pages are. */
export function assignArray(list: u32, size: u32, array: Geometry): void {
  store<u32>(ARRAY_OF + ((<usize>(list * 4 + size)) << 2), <u32>changetype<usize>(array));
  if (size == SIZE_2M) assignArray(list, SIZE_4M, array);
}

export function assignSecondLevel(first: u32, second: u32): void {
  store<u32>(SECOND_OF + ((<usize>first) << 2), second);
}

export function secondLevelOf(first: u32): u32 {
  return load<u32>(SECOND_OF + ((<usize>first) << 2));
}

/** Address of the array for a page size, 0 when the list has none. */
function arrayOf(list: u32, size: u32): usize {
  return <usize>load<u32>(ARRAY_OF + ((<usize>(list * 4 + size)) << 2));
}

function numberFor(page: u64, size: u32): u64 {
  return page >> sizeShift(size);
}

/**
 * The data of the entry that translates a page in the current PCID, or 0; it counts as used. Only
 * the kinds of entry in `kinds` are looked for. Its root is left in resultRoot.
 */
export function lookup(core: Core, list: u32, page: u64, kinds: u32): u64 {
  let left = kinds & kindsPresent(baseOf(core), populationOffset(list));
  while (left != 0) {
    const kind = ctz(left);
    const size = kind & 3;
    const g = changetype<Geometry>(arrayOf(list, size));
    const number = numberFor(page, size);
    const entry = use(g, baseOf(core), number, tagFor(number, kind, core.pcidBits));
    if (entry != 0) {
      MACHINE.resultRoot = rootOf(g, entry);
      return dataOf(g, entry);
    }
    left &= left - 1;
  }
  return 0;
}

/** Whether a list holds entries of unusual kinds. */
export function holdsUnusual(core: Core, list: u32): bool {
  return (kindsPresent(baseOf(core), populationOffset(list)) & ~(1 << USUAL_KIND)) != 0;
}

/** Enters a translation that a list does not hold, if the list caches its page size. */
export function enter(core: Core, list: u32, page: u64, data: u64, root: u32): void {
  const array = arrayOf(list, sizeOf(data));
  if (array == 0) return;
  const number = numberFor(page, sizeOf(data));
  const tag = tagFor(number, kindOfData(data), core.pcidBits);
  fill(changetype<Geometry>(array), baseOf(core), number, tag, data, root);
}

/** As enter, over the entry for the same page of the same kind if there is one. */
export function reenter(core: Core, list: u32, page: u64, data: u64, root: u32): void {
  const array = arrayOf(list, sizeOf(data));
  if (array == 0) return;
  const number = numberFor(page, sizeOf(data));
  const tag = tagFor(number, kindOfData(data), core.pcidBits);
  replace(changetype<Geometry>(array), baseOf(core), number, tag, data, root);
}

function kindOfData(data: u64): u32 {
  return sizeOf(data) | ((data & GLOBAL) != 0 ? GLOBAL_KIND : 0);
}

/** Drops a PCID's translations of a page in every list, and with `globals` the global ones too. */
export function dropPage(core: Core, page: u64, pcidBits: u64, globals: bool): void {
  for (let list: u32 = 0; list < TLB_LISTS; list++) {
    let kinds = kindsPresent(baseOf(core), populationOffset(list));
    if (!globals) kinds &= (1 << GLOBAL_KIND) - 1;
    while (kinds != 0) {
      const kind = ctz(kinds);
      const g = changetype<Geometry>(arrayOf(list, kind & 3));
      const number = numberFor(page, kind & 3);
      const entry = find(g, baseOf(core), number, tagFor(number, kind, pcidBits));
      if (entry != 0) drop(g, baseOf(core), entry);
      kinds &= kinds - 1;
    }
  }
}

/** Drops the translations of a page in every list, of every PCID and global. */
export function dropPageOfAll(core: Core, page: u64): void {
  for (let list: u32 = 0; list < TLB_LISTS; list++) {
    if (kindsPresent(baseOf(core), populationOffset(list)) == 0) continue;
    for (let size: u32 = 0; size <= SIZE_4M; size++) {
      const array = arrayOf(list, size);
      if (array == 0) continue;
      dropNumber(changetype<Geometry>(array), baseOf(core), numberFor(page, size), size);
    }
  }
}

function dropNumber(g: Geometry, core: usize, number: u64, size: u32): void {
  let entry = nextWithNumber(g, core, number, 0);
  while (entry != 0) {
    const next = nextWithNumber(g, core, number, entry);
    if (sizeOf(dataOf(g, entry)) == size) drop(g, core, entry);
    entry = next;
  }
}

/** Drops the non-global entries of one PCID. */
export function dropPcid(core: Core, pcidBits: u64): void {
  const mask = PCID_BITS | TAG_GLOBAL | VALID;
  for (let list: u32 = 0; list < TLB_LISTS; list++) dropList(core, list, mask, pcidBits | VALID);
}

/** Drops the non-global entries of every PCID. */
export function dropNonGlobal(core: Core): void {
  for (let list: u32 = 0; list < TLB_LISTS; list++) dropNonGlobalOf(core, list);
}

export function dropNonGlobalOf(core: Core, list: u32): void {
  dropList(core, list, TAG_GLOBAL | VALID, VALID);
}

/** Drops the global entries. */
export function dropGlobals(core: Core): void {
  const mask = TAG_GLOBAL | VALID;
  for (let list: u32 = 0; list < TLB_LISTS; list++) dropList(core, list, mask, mask);
}

export function dropEverything(core: Core): void {
  for (let list: u32 = 0; list < TLB_LISTS; list++) dropList(core, list, VALID, VALID);
}

function dropList(core: Core, list: u32, mask: u64, value: u64): void {
  if (kindsPresent(baseOf(core), populationOffset(list)) == 0) return;
  for (let index: u32 = 0; index < ARRAYS_PER_LIST; index++) {
    const g = tlbArray(list, index);
    if (g.ways != 0) dropMatching(g, baseOf(core), mask, value);
  }
}
