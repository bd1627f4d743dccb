// The recency rings and hash chains of arrays with more than 16 ways: neither a hit nor a miss
// scans the ways. Exact LRU: a set is a ring, entered at its youngest, the oldest in front of that;
// the invalid entries of a set are always its oldest.
//
//   entry, 32 bytes:  tag u64 | data u64 | root u32 | chain u32 | next u32 | previous u32
//
// Heads of sets, buckets and links hold addresses of entries; 0 ends a chain.

import { ENTRY_SHIFT, Geometry, setOf } from "./geometry.ts";

const CHAIN: usize = 20;
const NEXT: usize = 24;
const PREVIOUS: usize = 28;
/** The bits of a product with HASH that select a bucket begin here; there are 12 of them. */
const HASH_SHIFT: u32 = 20;
/** In those bits: number + (number >> 8) + (number >> 16), so that neighbours have own buckets. */
const HASH: u32 = 0x101010;

function next(entry: usize): usize {
  return <usize>load<u32>(entry, NEXT);
}

function previous(entry: usize): usize {
  return <usize>load<u32>(entry, PREVIOUS);
}

function join(entry: usize, follower: usize): void {
  store<u32>(entry, <u32>follower, NEXT);
  store<u32>(follower, <u32>entry, PREVIOUS);
}

/** Takes an entry out of its place in the ring and puts it in front of another one. */
function moveBefore(entry: usize, follower: usize): void {
  join(previous(entry), next(entry));
  join(previous(follower), entry);
  join(entry, follower);
}

function entryAt(g: Geometry, core: usize, index: u32): usize {
  return core + g.first + ((<usize>index) << ENTRY_SHIFT);
}

/** Where the youngest of a set is kept. */
function headAt(g: Geometry, core: usize, set: u32): usize {
  return core + g.heads + ((<usize>set) << 2);
}

function headOf(g: Geometry, core: usize, entry: usize): usize {
  if (g.sets == 1) return headAt(g, core, 0);
  return headAt(g, core, <u32>((entry - core - g.first) >> ENTRY_SHIFT) / g.ways);
}

/** The bucket of the entries with the number of a tag. */
function bucketOf(g: Geometry, core: usize, tag: u64): usize {
  const product = <u32>(tag >> 4) * HASH;
  return core + g.buckets + <usize>((product >> (HASH_SHIFT - 2)) & g.bucketMask);
}

/** Links every set's entries in a ring. */
export function initialiseLists(g: Geometry, core: usize): void {
  for (let set: u32 = 0; set < g.sets; set++) {
    const first = set * g.ways;
    const last = first + g.ways - 1;
    for (let index = first; index < last; index++) {
      join(entryAt(g, core, index), entryAt(g, core, index + 1));
    }
    join(entryAt(g, core, last), entryAt(g, core, first));
    store<u32>(headAt(g, core, set), <u32>entryAt(g, core, first));
  }
}

/** The first entry of the hash chain in which entries with the number of `tag` are, or 0. */
export function chainStart(g: Geometry, core: usize, tag: u64): usize {
  return <usize>load<u32>(bucketOf(g, core, tag));
}

export function chainNext(entry: usize): usize {
  return <usize>load<u32>(entry, CHAIN);
}

/** The entry whose tag is `key`, or 0. */
export function findLinked(g: Geometry, core: usize, key: u64): usize {
  const entry = chainStart(g, core, key);
  return entry == 0 || load<u64>(entry) == key ? entry : findFurther(entry, key);
}

/** As findLinked, behind an entry of the chain. */
export function findFurther(before: usize, key: u64): usize {
  let entry = chainNext(before);
  while (entry != 0 && load<u64>(entry) != key) entry = chainNext(entry);
  return entry;
}

/** Makes an entry its set's youngest. The oldest is in front of the youngest already. */
function makeYoungest(head: usize, entry: usize): void {
  const first = <usize>load<u32>(head);
  if (first == entry) return;
  if (next(entry) != first) moveBefore(entry, first);
  store<u32>(head, <u32>entry);
}

/** As findLinked, and the entry becomes its set's youngest. */
export function useLinked(g: Geometry, core: usize, key: u64): usize {
  const entry = findLinked(g, core, key);
  if (entry != 0) touchLinked(g, core, entry);
  return entry;
}

export function touchLinked(g: Geometry, core: usize, entry: usize): void {
  makeYoungest(headOf(g, core, entry), entry);
}

/** As touchLinked, in the only set of an array. */
export function touchInOnlySet(g: Geometry, core: usize, entry: usize): void {
  makeYoungest(headAt(g, core, 0), entry);
}

/** The entry to fill for `number`: an invalid one of its set, else the least recently used. */
export function victimLinked(g: Geometry, core: usize, number: u64): usize {
  return oldestOf(g, core, setOf(g, number));
}

export function oldestOf(g: Geometry, core: usize, set: u32): usize {
  return previous(youngestOf(g, core, set));
}

/** Writes the tag of the oldest entry of a set, which is in no chain: it becomes the youngest. */
function enterOldest(g: Geometry, core: usize, head: usize, entry: usize, key: u64): void {
  store<u64>(entry, key);
  const bucket = bucketOf(g, core, key);
  store<u32>(entry, load<u32>(bucket), CHAIN);
  store<u32>(bucket, <u32>entry);
  store<u32>(head, <u32>entry);
}

/** As enterOldest, of the set that `entry` is in. */
export function enterLinked(g: Geometry, core: usize, entry: usize, key: u64): void {
  enterOldest(g, core, headOf(g, core, entry), entry, key);
}

/** As enterOldest, in the only set of an array. */
export function enterInOnlySet(g: Geometry, core: usize, entry: usize, key: u64): void {
  enterOldest(g, core, headAt(g, core, 0), entry, key);
}

/** Takes a valid entry out of its hash chain. */
export function chainOut(g: Geometry, core: usize, entry: usize): void {
  const bucket = bucketOf(g, core, load<u64>(entry));
  const first = <usize>load<u32>(bucket);
  if (first == entry) store<u32>(bucket, load<u32>(entry, CHAIN));
  else chainOutFurther(first, entry);
}

function chainOutFurther(first: usize, entry: usize): void {
  let before = first;
  while (chainNext(before) != entry) before = chainNext(before);
  store<u32>(before, load<u32>(entry, CHAIN), CHAIN);
}

/** Makes an entry its set's oldest. */
export function retireLinked(g: Geometry, core: usize, entry: usize): void {
  const head = headOf(g, core, entry);
  const first = <usize>load<u32>(head);
  if (first == entry) store<u32>(head, <u32>next(entry));
  else if (next(entry) != first) moveBefore(entry, first);
}

/** The most recently used entry of a set, which may be invalid. */
export function youngestOf(g: Geometry, core: usize, set: u32): usize {
  return <usize>load<u32>(headAt(g, core, set));
}

/** The entry of the same set that was used before `entry`, or 0 for the oldest. */
export function olderThan(g: Geometry, core: usize, entry: usize): usize {
  const following = next(entry);
  return following == <usize>load<u32>(headOf(g, core, entry)) ? 0 : following;
}
