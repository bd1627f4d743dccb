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

/** The links of slot 0: `next` u16 and `previous` u16 of each slot in turn. */
function linksOf(g: Geometry, core: usize): usize {
  return core + g.links;
}

function next(links: usize, slot: u32): u32 {
  return <u32>load<u16>(links + ((<usize>slot) << 2));
}

function previous(links: usize, slot: u32): u32 {
  return <u32>load<u16>(links + ((<usize>slot) << 2), 2);
}

function join(links: usize, slot: u32, follower: u32): void {
  store<u16>(links + ((<usize>slot) << 2), <u16>follower);
  store<u16>(links + ((<usize>follower) << 2), <u16>slot, 2);
}

/** Takes a slot out of its place in the ring and puts it in front of another one. */
function moveBefore(links: usize, slot: u32, follower: u32): void {
  join(links, previous(links, slot), next(links, slot));
  join(links, previous(links, follower), slot);
  join(links, slot, follower);
}

/** The youngest of a set is kept at the set's head. */
function setYoungest(links: usize, head: u32, slot: u32): void {
  store<u16>(links + ((<usize>head) << 2), <u16>slot);
}

function headOf(g: Geometry, slot: u32): u32 {
  return g.sets == 1 ? 0 : (slot - g.sets) / g.ways;
}

function bucketOf(g: Geometry, core: usize, number: u64): usize {
  const hash = (number * 0x9e3779b97f4a7c15) >> (<u64>g.hashShift);
  return core + g.buckets + ((<usize>hash) << 1);
}

function chainOf(g: Geometry, core: usize, slot: u32): usize {
  return core + g.chains + ((<usize>slot) << 1);
}

/** Links every set's entries in a ring. */
export function initialiseLists(g: Geometry, core: usize): void {
  const links = linksOf(g, core);
  for (let set: u32 = 0; set < g.sets; set++) {
    const first = g.sets + set * g.ways;
    for (let way: u32 = 1; way < g.ways; way++) join(links, first + way - 1, first + way);
    join(links, first + g.ways - 1, first);
    setYoungest(links, set, first);
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
  while (slot != 0) {
    if (load<u64>(entryAt(g, core, slot)) == key) return slot;
    slot = load<u16>(chainOf(g, core, slot));
  }
  return 0;
}

/** Makes a slot its set's youngest. The oldest is in front of the youngest already. */
function touchSlot(links: usize, slot: u32, head: u32): void {
  const first = next(links, head);
  if (first == slot) return;
  if (next(links, slot) != first) moveBefore(links, slot, first);
  setYoungest(links, head, slot);
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
  touchSlot(linksOf(g, core), slot, headOf(g, slot));
  return entryAt(g, core, slot);
}

export function touchLinked(g: Geometry, core: usize, entry: usize): void {
  const slot = slotOf(g, core, entry);
  touchSlot(linksOf(g, core), slot, headOf(g, slot));
}

/** The entry to fill for `number`: an invalid one of its set, else the least recently used. */
export function victimLinked(g: Geometry, core: usize, number: u64): usize {
  const links = linksOf(g, core);
  return entryAt(g, core, previous(links, next(links, setOf(g, number))));
}

/** Writes the tag of an entry that is in no hash chain, and makes it its set's youngest. */
export function enterLinked(g: Geometry, core: usize, entry: usize, number: u64, key: u64): void {
  store<u64>(entry, key);
  const slot = slotOf(g, core, entry);
  const bucket = bucketOf(g, core, number);
  store<u16>(chainOf(g, core, slot), load<u16>(bucket));
  store<u16>(bucket, <u16>slot);
  touchSlot(linksOf(g, core), slot, headOf(g, slot));
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
  const links = linksOf(g, core);
  const slot = slotOf(g, core, entry);
  const head = headOf(g, slot);
  const first = next(links, head);
  if (first == slot) setYoungest(links, head, next(links, slot));
  else if (next(links, slot) != first) moveBefore(links, slot, first);
}

/** The most recently used entry of a set, which may be invalid. */
export function youngestOf(g: Geometry, core: usize, set: u32): usize {
  return entryAt(g, core, next(linksOf(g, core), set));
}

/** The entry of the same set that was used before `entry`, or 0 for the oldest. */
export function olderThan(g: Geometry, core: usize, entry: usize): usize {
  const links = linksOf(g, core);
  const slot = slotOf(g, core, entry);
  const following = next(links, slot);
  return following == next(links, headOf(g, slot)) ? 0 : entryAt(g, core, following);
}
