// One array of cached translations, whatever its shape: find, use, fill, drop. Every TLB and every
// structure cache is made of these. Up to 16 ways are compared four at a time; see geometry.ts.

import { Geometry, setOf } from "./geometry.ts";
import {
  chainIn,
  chainOut,
  findLinked,
  initialiseLists,
  retireLinked,
  touchLinked,
  victimLinked,
} from "./linked.ts";
import { shapePolicy, touchFilled, touchWay, victim } from "./replacement.ts";
import { COUNTED_BITS, kindOf } from "./tag.ts";

/** Kind masks of a list's population are kept behind the counts of its 8 kinds. */
const MASK_OFFSET: usize = 32;

/** Which kinds of entry the list at `population` holds, as a mask of 1 << kind. */
export function kindsPresent(core: usize, population: u32): u32 {
  return load<u32>(core + population, MASK_OFFSET);
}

function countKind(g: Geometry, core: usize, kind: u32, change: i32): void {
  const address = core + g.population + ((<usize>kind) << 2);
  const amount = load<i32>(address) + change;
  store<i32>(address, amount);
  const mask = load<u32>(core + g.population, MASK_OFFSET);
  const bit = (<u32>1) << kind;
  store<u32>(core + g.population, amount == 0 ? mask & ~bit : mask | bit, MASK_OFFSET);
}

function countValid(g: Geometry, core: usize, change: i32): void {
  store<i32>(core + g.valid, load<i32>(core + g.valid) + change);
}

/** Once for an array of the machine. */
export function initialise(g: Geometry): void {
  if (g.linked == 0) shapePolicy(g);
}

/** Once for a core's tables of an array. */
export function initialiseTables(g: Geometry, core: usize): void {
  if (g.linked != 0) initialiseLists(g, core);
}

export function tagAt(g: Geometry, core: usize, slot: u32): u64 {
  return load<u64>(core + g.tags + ((<usize>slot) << 3));
}

export function dataAt(g: Geometry, core: usize, slot: u32): u64 {
  return load<u64>(core + g.data + ((<usize>slot) << 3));
}

export function setDataAt(g: Geometry, core: usize, slot: u32, data: u64): void {
  store<u64>(core + g.data + ((<usize>slot) << 3), data);
}

/** The frame of the root from which the slot was filled, for checkers. */
export function rootAt(g: Geometry, core: usize, slot: u32): u32 {
  return load<u32>(core + g.roots + ((<usize>slot) << 2));
}

/**
 * The way of the set at `tags` whose tag is `key`, or -1. Pads behind the last way are 0. All ways
 * are compared, however early one matches: a loop of fixed length is predicted, its exit is not.
 */
export function findWay(tags: usize, ways: u32, key: u64): i32 {
  const wanted = i64x2.splat(key);
  let equal: u32 = waysOf4(tags, wanted);
  if (ways > 4) {
    equal |= waysOf4(tags + 32, wanted) << 4;
    if (ways > 8) {
      equal |= waysOf4(tags + 64, wanted) << 8;
      if (ways > 12) equal |= waysOf4(tags + 96, wanted) << 12;
    }
  }
  return equal == 0 ? -1 : <i32>ctz(equal);
}

function waysOf4(tags: usize, wanted: v128): u32 {
  const low = i64x2.eq(v128.load(tags), wanted);
  const high = i64x2.eq(v128.load(tags, 16), wanted);
  return i64x2.bitmask(low) | (i64x2.bitmask(high) << 2);
}

/** The slot whose tag is `key`, or -1; its recency does not change. */
export function find(g: Geometry, core: usize, number: u64, key: u64): i32 {
  if (g.linked != 0) return findLinked(g, core, number, key);
  const first = setOf(g, number) * g.stride;
  const way = findWay(core + g.tags + ((<usize>first) << 3), g.ways, key);
  return way < 0 ? way : <i32>first + way;
}

/** The entry in a slot of the set that `number` selects counts as used. */
export function touch(g: Geometry, core: usize, number: u64, slot: u32): void {
  if (g.linked != 0) {
    touchLinked(g, core, slot);
    return;
  }
  const set = setOf(g, number);
  touchWay(g, core + g.order + ((<usize>set) << 3), slot - set * g.stride);
}

/** As find, and the entry counts as used. */
export function use(g: Geometry, core: usize, number: u64, key: u64): i32 {
  if (g.linked != 0) {
    const slot = findLinked(g, core, number, key);
    if (slot >= 0) touchLinked(g, core, slot);
    return slot;
  }
  const set = setOf(g, number);
  const first = set * g.stride;
  const way = findWay(core + g.tags + ((<usize>first) << 3), g.ways, key);
  if (way < 0) return way;
  touchWay(g, core + g.order + ((<usize>set) << 3), way);
  return <i32>first + way;
}

/** The data of the entry with this tag, which counts as used, or 0. */
export function useData(g: Geometry, core: usize, number: u64, key: u64): u64 {
  const slot = use(g, core, number, key);
  return slot < 0 ? 0 : dataAt(g, core, slot);
}

/** Enters an entry that the array does not hold, in an invalid way, else in the victim. */
export function fill(g: Geometry, core: usize, number: u64, key: u64, data: u64, root: u32): void {
  const slot =
    g.linked != 0 ? victimLinked(g, core, number) : slotToFill(g, core, setOf(g, number));
  const tag = core + g.tags + ((<usize>slot) << 3);
  const old = load<u64>(tag);
  if (((old ^ key) & COUNTED_BITS) != 0) countReplaced(g, core, old, key);
  if (g.linked != 0 && old != 0) chainOut(g, core, slot);
  store<u64>(tag, key);
  if (g.linked != 0) {
    chainIn(g, core, slot, number);
    touchLinked(g, core, slot);
  }
  setDataAt(g, core, slot, data);
  store<u32>(core + g.roots + ((<usize>slot) << 2), root);
}

/** Counts an entry that takes the place of one of another kind, or of none. */
function countReplaced(g: Geometry, core: usize, old: u64, key: u64): void {
  if (old == 0) countValid(g, core, 1);
  else countKind(g, core, kindOf(old), -1);
  countKind(g, core, kindOf(key), 1);
}

/** The slot of a set to fill, which becomes the set's youngest. */
function slotToFill(g: Geometry, core: usize, set: u32): u32 {
  const first = set * g.stride;
  const order = core + g.order + ((<usize>set) << 3);
  let way: i32 = -1;
  if (load<u32>(core + g.valid) != g.entries) {
    way = findWay(core + g.tags + ((<usize>first) << 3), g.ways, 0);
    if (<u32>way >= g.ways) way = -1;
    const word = core + g.occupied + (((<usize>set) >> 6) << 3);
    store<u64>(word, load<u64>(word) | ((<u64>1) << (set & 63)));
  }
  if (way < 0) way = victim(g, load<u64>(order));
  touchFilled(g, order, way);
  return first + way;
}

/** Writes over the entry with this tag, else enters it. */
export function replace(
  g: Geometry,
  core: usize,
  number: u64,
  key: u64,
  data: u64,
  root: u32,
): void {
  const slot = use(g, core, number, key);
  if (slot < 0) {
    fill(g, core, number, key, data, root);
    return;
  }
  setDataAt(g, core, slot, data);
  store<u32>(core + g.roots + ((<usize>slot) << 2), root);
}

/** Makes a valid slot invalid. */
export function drop(g: Geometry, core: usize, slot: u32): void {
  countValid(g, core, -1);
  countKind(g, core, kindOf(tagAt(g, core, slot)), -1);
  if (g.linked != 0) {
    chainOut(g, core, slot);
    retireLinked(g, core, slot);
  }
  store<u64>(core + g.tags + ((<usize>slot) << 3), 0);
}
