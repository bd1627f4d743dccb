// The recency lists and hash chains of arrays with more than 16 ways: neither a hit nor a miss
// scans the ways. Exact LRU; the invalid entries of a set are always at the old end of its list.

import { Geometry, setOf } from "./geometry.ts";
import { numberOf } from "./tag.ts";

function next(g: Geometry, core: usize, slot: u32): u32 {
  return <u32>load<u16>(core + g.links + ((<usize>slot) << 2));
}

function previous(g: Geometry, core: usize, slot: u32): u32 {
  return <u32>load<u16>(core + g.links + ((<usize>slot) << 2), 2);
}

function join(g: Geometry, core: usize, slot: u32, follower: u32): void {
  store<u16>(core + g.links + ((<usize>slot) << 2), <u16>follower);
  store<u16>(core + g.links + ((<usize>follower) << 2), <u16>slot, 2);
}

/** Takes a slot out of its place and puts it between two neighbours, neither of them itself. */
function moveBetween(g: Geometry, core: usize, slot: u32, before: u32, after: u32): void {
  join(g, core, previous(g, core, slot), next(g, core, slot));
  join(g, core, before, slot);
  join(g, core, slot, after);
}

function bucketOf(g: Geometry, core: usize, number: u64): usize {
  const hash = ((<u32>number) ^ (<u32>(number >> 32))) * 0x9e3779b1;
  return core + g.buckets + ((<usize>(hash >> g.hashShift)) << 1);
}

function chainOf(g: Geometry, core: usize, slot: u32): usize {
  return core + g.chains + ((<usize>slot) << 1);
}

/** Links every set's entries behind its head, which is slot `set`. */
export function initialiseLists(g: Geometry, core: usize): void {
  for (let set: u32 = 0; set < g.sets; set++) {
    let last = set;
    for (let way: u32 = 0; way < g.ways; way++) {
      const slot = g.sets + set * g.ways + way;
      join(g, core, last, slot);
      last = slot;
    }
    join(g, core, last, set);
  }
}

/** First slot of a hash chain that may hold `number`, 0 for none: chains hold no heads. */
export function chainStart(g: Geometry, core: usize, number: u64): u32 {
  return <u32>load<u16>(bucketOf(g, core, number));
}

export function chainNext(g: Geometry, core: usize, slot: u32): u32 {
  return <u32>load<u16>(chainOf(g, core, slot));
}

/** The slot whose tag is `key`, or -1. */
export function findLinked(g: Geometry, core: usize, number: u64, key: u64): i32 {
  let slot = chainStart(g, core, number);
  while (slot != 0) {
    if (load<u64>(core + g.tags + ((<usize>slot) << 3)) == key) return slot;
    slot = chainNext(g, core, slot);
  }
  return -1;
}

/** Moves a slot to the young end of its set's list. */
export function touchLinked(g: Geometry, core: usize, slot: u32): void {
  const head = g.sets == 1 ? 0 : (slot - g.sets) / g.ways;
  const first = next(g, core, head);
  if (first == slot) return;
  moveBetween(g, core, slot, head, first);
}

/** The slot to fill for `number`: an invalid one of its set, else the least recently used. */
export function victimLinked(g: Geometry, core: usize, number: u64): u32 {
  return previous(g, core, setOf(g, number));
}

/** Enters a slot whose tag has been written. */
export function chainIn(g: Geometry, core: usize, slot: u32, number: u64): void {
  const bucket = bucketOf(g, core, number);
  store<u16>(chainOf(g, core, slot), load<u16>(bucket));
  store<u16>(bucket, <u16>slot);
}

/** Takes a valid slot out of its hash chain. */
export function chainOut(g: Geometry, core: usize, slot: u32): void {
  let link = bucketOf(g, core, numberOf(load<u64>(core + g.tags + ((<usize>slot) << 3))));
  while (<u32>load<u16>(link) != slot) link = chainOf(g, core, <u32>load<u16>(link));
  store<u16>(link, load<u16>(chainOf(g, core, slot)));
}

/** Moves a slot to the old end of its set's list. */
export function retireLinked(g: Geometry, core: usize, slot: u32): void {
  const head = g.sets == 1 ? 0 : (slot - g.sets) / g.ways;
  const last = previous(g, core, head);
  if (last == slot) return;
  moveBetween(g, core, slot, last, head);
}

/** The youngest entry of a set's list; a slot below `sets` means the list's end. */
export function listFirst(g: Geometry, core: usize, set: u32): u32 {
  return next(g, core, set);
}

export function listNext(g: Geometry, core: usize, slot: u32): u32 {
  return next(g, core, slot);
}
