// One array of cached translations, whatever its shape: find, use, fill, drop. Every TLB and every
// structure cache is made of these. Up to 16 ways are compared two at a time; see geometry.ts.

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
import { stateAfterFill, stateAfterUse, victim } from "./replacement.ts";
import { kindOf } from "./tag.ts";

/** Kind masks of a list's population are kept behind the counts of its 8 kinds. */
const MASK_OFFSET: usize = 32;

/** Which kinds of entry the list at `population` holds, as a mask of 1 << kind. */
export function kindsPresent(core: usize, population: u32): u32 {
  return load<u32>(core + population, MASK_OFFSET);
}

function countKind(g: Geometry, core: usize, tag: u64, change: i32): void {
  const kind = kindOf(tag);
  const address = core + g.population + ((<usize>kind) << 2);
  const amount = load<i32>(address) + change;
  store<i32>(address, amount);
  const mask = load<u32>(core + g.population, MASK_OFFSET);
  const bit = (<u32>1) << kind;
  store<u32>(core + g.population, amount == 0 ? mask & ~bit : mask | bit, MASK_OFFSET);
}

export function initialise(g: Geometry, core: usize): void {
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

function findWay(tags: usize, ways: u32, key: u64): i32 {
  const wanted = i64x2.splat(key);
  for (let way: u32 = 0; way < ways; way += 2) {
    const equal = i64x2.bitmask(i64x2.eq(v128.load(tags + ((<usize>way) << 3)), wanted));
    if (equal != 0) return <i32>way + ctz(equal);
  }
  return -1;
}

/** The slot whose tag is `key`, or -1; its recency does not change. */
export function find(g: Geometry, core: usize, number: u64, key: u64): i32 {
  if (g.linked != 0) return findLinked(g, core, number, key);
  const first = setOf(g, number) * g.stride;
  const way = findWay(core + g.tags + ((<usize>first) << 3), g.ways, key);
  return way < 0 ? way : <i32>first + way;
}

/** The data of the entry with this tag, which counts as used; 0 when there is none. */
export function use(g: Geometry, core: usize, number: u64, key: u64): u64 {
  if (g.linked != 0) {
    const slot = findLinked(g, core, number, key);
    if (slot < 0) return 0;
    touchLinked(g, core, slot);
    return dataAt(g, core, slot);
  }
  const set = setOf(g, number);
  const first = set * g.stride;
  const way = findWay(core + g.tags + ((<usize>first) << 3), g.ways, key);
  if (way < 0) return 0;
  const order = core + g.order + ((<usize>set) << 3);
  const state = load<u64>(order);
  // Way 0 of a new set and the most recent way of an LRU set change nothing.
  if (g.policy != 0 || (state & 15) != <u64>way) {
    store<u64>(order, stateAfterUse(g.policy, state, <u64>way, <u64>g.ways));
  }
  return dataAt(g, core, first + way);
}

/** Enters an entry, over the one with the same tag, else in an invalid way, else in the victim. */
export function fill(g: Geometry, core: usize, number: u64, key: u64, data: u64, root: u32): void {
  let slot: u32;
  const present = find(g, core, number, key);
  if (g.linked != 0) {
    slot = present >= 0 ? <u32>present : victimLinked(g, core, number);
    if (present < 0) {
      if (tagAt(g, core, slot) != 0) evict(g, core, slot);
      store<u64>(core + g.tags + ((<usize>slot) << 3), key);
      chainIn(g, core, slot, number);
      countKind(g, core, key, 1);
    }
    touchLinked(g, core, slot);
  } else {
    const set = setOf(g, number);
    const first = set * g.stride;
    const order = core + g.order + ((<usize>set) << 3);
    const state = load<u64>(order);
    let way = present - <i32>first;
    if (present < 0) {
      way = findWay(core + g.tags + ((<usize>first) << 3), g.ways, 0);
      // With an odd number of ways the pad behind the last is empty too.
      if (way < 0 || <u32>way >= g.ways) way = victim(g.policy, state, g.ways);
      const old = tagAt(g, core, first + way);
      if (old != 0) countKind(g, core, old, -1);
      countKind(g, core, key, 1);
      occupy(g, core, set);
      store<u64>(core + g.tags + ((<usize>(first + way)) << 3), key);
    }
    store<u64>(order, stateAfterFill(g.policy, state, <u64>way, <u64>g.ways));
    slot = first + way;
  }
  setDataAt(g, core, slot, data);
  store<u32>(core + g.roots + ((<usize>slot) << 2), root);
}

function occupy(g: Geometry, core: usize, set: u32): void {
  const word = core + g.occupied + (((<usize>set) >> 6) << 3);
  store<u64>(word, load<u64>(word) | ((<u64>1) << (set & 63)));
}

function evict(g: Geometry, core: usize, slot: u32): void {
  countKind(g, core, tagAt(g, core, slot), -1);
  chainOut(g, core, slot);
}

/** Makes a valid slot invalid. */
export function drop(g: Geometry, core: usize, slot: u32): void {
  if (g.linked != 0) {
    evict(g, core, slot);
    retireLinked(g, core, slot);
  } else {
    countKind(g, core, tagAt(g, core, slot), -1);
  }
  store<u64>(core + g.tags + ((<usize>slot) << 3), 0);
}

/** Drops the entry with this tag, if there is one. */
export function dropKey(g: Geometry, core: usize, number: u64, key: u64): void {
  const slot = find(g, core, number, key);
  if (slot >= 0) drop(g, core, slot);
}
