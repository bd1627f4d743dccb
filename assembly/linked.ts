// The recency rings and hash chains of arrays with more than 16 ways: neither a hit nor a miss
// scans the ways. Exact LRU: a set is a ring, entered at its youngest, the oldest in front of that;
// the invalid entries of a set are always its oldest.

import { Geometry, setOf } from "./geometry.ts";
import { numberOf } from "./tag.ts";

function slotOf(g: Geometry, core: usize, entry: usize): u32 {
  return <u32>((entry - core - g.first) >> 3);
}

function entryAt(g: Geometry, core: usize, slot: u32): usize {
  return core + g.first + ((<usize>slot) << 3);
}

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

/** Takes a slot out of its place in the ring and puts it in front of another one. */
function moveBefore(g: Geometry, core: usize, slot: u32, follower: u32): void {
  join(g, core, previous(g, core, slot), next(g, core, slot));
  join(g, core, previous(g, core, follower), slot);
  join(g, core, slot, follower);
}

/** The youngest of a set is kept at the set's head. */
function youngest(g: Geometry, core: usize, head: u32): u32 {
  return next(g, core, head);
}

function setYoungest(g: Geometry, core: usize, head: u32, slot: u32): void {
  store<u16>(core + g.links + ((<usize>head) << 2), <u16>slot);
}

function headOf(g: Geometry, slot: u32): u32 {
  return g.sets == 1 ? 0 : (slot - g.sets) / g.ways;
}

function bucketOf(g: Geometry, core: usize, number: u64): usize {
  const hash = ((<u32>number) ^ (<u32>(number >> 32))) * 0x9e3779b1;
  return core + g.buckets + ((<usize>(hash >> g.hashShift)) << 1);
}

function chainOf(g: Geometry, core: usize, slot: u32): usize {
  return core + g.chains + ((<usize>slot) << 1);
}

/** Links every set's entries in a ring. */
export function initialiseLists(g: Geometry, core: usize): void {
  for (let set: u32 = 0; set < g.sets; set++) {
    const first = g.sets + set * g.ways;
    for (let way: u32 = 1; way < g.ways; way++) join(g, core, first + way - 1, first + way);
    join(g, core, first + g.ways - 1, first);
    setYoungest(g, core, set, first);
  }
}

/** The first entry of a hash chain that may hold `number`, 0 for none: chains hold no heads. */
export function chainStart(g: Geometry, core: usize, number: u64): usize {
  const slot = <u32>load<u16>(bucketOf(g, core, number));
  return slot == 0 ? 0 : entryAt(g, core, slot);
}

export function chainNext(g: Geometry, core: usize, entry: usize): usize {
  const slot = <u32>load<u16>(chainOf(g, core, slotOf(g, core, entry)));
  return slot == 0 ? 0 : entryAt(g, core, slot);
}

/** The slot whose tag is `key`, or 0. */
function findSlot(g: Geometry, core: usize, number: u64, key: u64): u32 {
  let slot = <u32>load<u16>(bucketOf(g, core, number));
  while (slot != 0 && load<u64>(entryAt(g, core, slot)) != key) {
    slot = load<u16>(chainOf(g, core, slot));
  }
  return slot;
}

/** Makes a slot its set's youngest. The oldest is in front of the youngest already. */
function touchSlot(g: Geometry, core: usize, slot: u32): void {
  const head = headOf(g, slot);
  const first = youngest(g, core, head);
  if (first == slot) return;
  if (next(g, core, slot) != first) moveBefore(g, core, slot, first);
  setYoungest(g, core, head, slot);
}

/** The entry whose tag is `key`, or 0. */
export function findLinked(g: Geometry, core: usize, number: u64, key: u64): usize {
  const slot = findSlot(g, core, number, key);
  return slot == 0 ? 0 : entryAt(g, core, slot);
}

/** As findLinked, and the entry becomes its set's youngest. */
export function useLinked(g: Geometry, core: usize, number: u64, key: u64): usize {
  const slot = findSlot(g, core, number, key);
  if (slot == 0) return 0;
  touchSlot(g, core, slot);
  return entryAt(g, core, slot);
}

export function touchLinked(g: Geometry, core: usize, entry: usize): void {
  touchSlot(g, core, slotOf(g, core, entry));
}

/** The entry to fill for `number`: an invalid one of its set, else the least recently used. */
export function victimLinked(g: Geometry, core: usize, number: u64): usize {
  return entryAt(g, core, previous(g, core, youngest(g, core, setOf(g, number))));
}

/** Writes the tag of an entry that is in no hash chain, and makes it its set's youngest. */
export function enterLinked(g: Geometry, core: usize, entry: usize, number: u64, key: u64): void {
  store<u64>(entry, key);
  const slot = slotOf(g, core, entry);
  const bucket = bucketOf(g, core, number);
  store<u16>(chainOf(g, core, slot), load<u16>(bucket));
  store<u16>(bucket, <u16>slot);
  touchSlot(g, core, slot);
}

/** Takes a valid entry out of its hash chain. */
export function chainOut(g: Geometry, core: usize, entry: usize): void {
  const slot = slotOf(g, core, entry);
  let link = bucketOf(g, core, numberOf(load<u64>(entry)));
  while (<u32>load<u16>(link) != slot) link = chainOf(g, core, <u32>load<u16>(link));
  store<u16>(link, load<u16>(chainOf(g, core, slot)));
}

/** Makes an entry its set's oldest. */
export function retireLinked(g: Geometry, core: usize, entry: usize): void {
  const slot = slotOf(g, core, entry);
  const head = headOf(g, slot);
  const first = youngest(g, core, head);
  if (first == slot) setYoungest(g, core, head, next(g, core, slot));
  else if (next(g, core, slot) != first) moveBefore(g, core, slot, first);
}

/** The most recently used entry of a set, which may be invalid. */
export function youngestOf(g: Geometry, core: usize, set: u32): usize {
  return entryAt(g, core, youngest(g, core, set));
}

/** The entry of the same set that was used before `entry`, or 0 for the oldest. */
export function olderThan(g: Geometry, core: usize, entry: usize): usize {
  const slot = slotOf(g, core, entry);
  const following = next(g, core, slot);
  return following == youngest(g, core, headOf(g, slot)) ? 0 : entryAt(g, core, following);
}
