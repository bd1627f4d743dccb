// One array of cached translations, whatever its shape: find, use, fill, drop. Every TLB and every
// structure cache is made of these. An entry is known by the address of its tag, 0 is none; see
// geometry.ts.

import {
  COMPARED_WAYS,
  ENTRY_DATA,
  ENTRY_ROOT,
  ENTRY_SHIFT,
  entryIn,
  Geometry,
  PLAIN_TAGS,
  setAt,
  setOf,
  SIGNATURES,
  SIGNED_TAGS,
} from "./geometry.ts";
import {
  chainOut,
  enterLinked,
  findLinked,
  initialiseLists,
  retireLinked,
  touchLinked,
  useLinked,
  victimLinked,
} from "./linked.ts";
import { shapePolicy, touchFilled, touchWay, victim } from "./replacement.ts";
import { COUNTED_BITS, kindOf, signatureOf } from "./tag.ts";

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

export function tagOf(entry: usize): u64 {
  return load<u64>(entry);
}

export function dataOf(g: Geometry, entry: usize): u64 {
  return load<u64>(entry + g.distance);
}

export function setData(g: Geometry, entry: usize, data: u64): void {
  store<u64>(entry + g.distance, data);
}

/** The frame of the root from which the entry was filled, for checkers. */
export function rootOf(g: Geometry, entry: usize): u32 {
  return load<u32>(entry + 2 * <usize>g.distance);
}

function setDataAndRoot(g: Geometry, entry: usize, data: u64, root: u32): void {
  setData(g, entry, data);
  store<u32>(entry + 2 * <usize>g.distance, root);
}

function wayIn(g: Geometry, set: usize, entry: usize): u32 {
  return <u32>((entry - set - g.tags) >> g.tagShift);
}

/** The entry of a set whose tag is `key`, or 0. Behind the last way of up to 4 are pads of 0. */
function findInSet(g: Geometry, set: usize, key: u64): usize {
  return g.ways <= COMPARED_WAYS ? findCompared(set, key) : findSigned(g, set, key);
}

/** As findInSet, of 5 to 16 ways. */
function findSigned(g: Geometry, set: usize, key: u64): usize {
  const candidates = waysSigned(g, set, key);
  if (candidates == 0) return 0;
  const entry = set + SIGNED_TAGS + ((<usize>ctz(candidates)) << ENTRY_SHIFT);
  return load<u64>(entry) == key ? entry : findAmong(set, key, candidates);
}

/** Bit i: way i has the signature of `key`, of 5 to 16 ways. */
export function waysSigned(g: Geometry, set: usize, key: u64): u32 {
  const wanted = i16x8.splat(<i16>signatureOf(key));
  const low = i16x8.eq(v128.load(set, SIGNATURES), wanted);
  const high = i16x8.eq(v128.load(set, SIGNATURES + 16), wanted);
  return i8x16.bitmask(i8x16.narrow_i16x8_s(low, high)) & g.wayMask;
}

/** The entry among the ways whose signature fits. */
function findAmong(set: usize, key: u64, candidates: u32): usize {
  let left = candidates;
  do {
    const entry = set + SIGNED_TAGS + ((<usize>ctz(left)) << ENTRY_SHIFT);
    if (load<u64>(entry) == key) return entry;
    left &= left - 1;
  } while (left != 0);
  return 0;
}

/** As findInSet, of up to 4 ways. */
function findCompared(set: usize, key: u64): usize {
  const equal = waysCompared(set, key);
  return equal == 0 ? 0 : set + PLAIN_TAGS + ((<usize>ctz(equal)) << 3);
}

/** Bit i: way i of a set of up to 4 has the tag `key`. */
export function waysCompared(set: usize, key: u64): u32 {
  const wanted = i64x2.splat(key);
  const low = i64x2.eq(v128.load(set, PLAIN_TAGS), wanted);
  const high = i64x2.eq(v128.load(set, PLAIN_TAGS + 16), wanted);
  return i64x2.bitmask(low) | (i64x2.bitmask(high) << 2);
}

/** The entry whose tag is `key`, or 0; its recency does not change. */
export function find(g: Geometry, core: usize, number: u64, key: u64): usize {
  if (g.linked != 0) return findLinked(g, core, key);
  return findInSet(g, setAt(g, core, setOf(g, number)), key);
}

/** An entry of the set that `number` selects counts as used. */
export function touch(g: Geometry, core: usize, number: u64, entry: usize): void {
  if (g.linked != 0) {
    touchLinked(g, core, entry);
    return;
  }
  const set = setAt(g, core, setOf(g, number));
  touchWay(g, set, wayIn(g, set, entry));
}

/** As find, and the entry counts as used. */
export function use(g: Geometry, core: usize, number: u64, key: u64): usize {
  if (g.linked != 0) return useLinked(g, core, key);
  const set = setAt(g, core, setOf(g, number));
  const entry = findInSet(g, set, key);
  if (entry != 0) touchWay(g, set, wayIn(g, set, entry));
  return entry;
}

/** The data of the entry with this tag, which counts as used, or 0. */
export function useData(g: Geometry, core: usize, number: u64, key: u64): u64 {
  const entry = use(g, core, number, key);
  return entry == 0 ? 0 : dataOf(g, entry);
}

/** Enters an entry that the array does not hold, in an invalid way, else in the victim. */
export function fill(g: Geometry, core: usize, number: u64, key: u64, data: u64, root: u32): void {
  if (g.linked != 0) {
    const entry = victimLinked(g, core, number);
    const old = tagOf(entry);
    if (old != 0) chainOut(g, core, entry);
    countFilled(g, core, old, key);
    enterLinked(g, core, entry, key);
    setDataAndRoot(g, entry, data, root);
    return;
  }
  const index = setOf(g, number);
  const set = setAt(g, core, index);
  let way = isFull(g, core) ? -1 : invalidWay(g, core, index);
  if (way < 0) way = victim(g, load<u64>(set));
  if (g.ways > COMPARED_WAYS) enterSigned(g, core, set, way, key, data, root);
  else enterCompared(g, core, set, way, key, data, root);
}

/** Whether every entry of the array is valid. */
export function isFull(g: Geometry, core: usize): bool {
  return load<u32>(core + g.valid) == g.entries;
}

/** Enters an entry in a way of a set of 5 to 16, which becomes its youngest. */
export function enterSigned(
  g: Geometry,
  core: usize,
  set: usize,
  way: u32,
  key: u64,
  data: u64,
  root: u32,
): void {
  touchFilled(g, set, way);
  const entry = set + SIGNED_TAGS + ((<usize>way) << ENTRY_SHIFT);
  countFilled(g, core, tagOf(entry), key);
  store<u16>(set + ((<usize>way) << 1), <u16>signatureOf(key), SIGNATURES);
  store<u64>(entry, key);
  store<u64>(entry, data, ENTRY_DATA);
  store<u32>(entry, root, ENTRY_ROOT);
}

/** As enterSigned, of up to 4 ways. */
function enterCompared(
  g: Geometry,
  core: usize,
  set: usize,
  way: u32,
  key: u64,
  data: u64,
  root: u32,
): void {
  touchFilled(g, set, way);
  const entry = entryIn(g, set, way);
  countFilled(g, core, tagOf(entry), key);
  store<u64>(entry, key);
  setDataAndRoot(g, entry, data, root);
}

/** A way of the set that is invalid, or -1; the set is then occupied. */
function invalidWay(g: Geometry, core: usize, index: u32): i32 {
  const word = core + g.occupied + (((<usize>index) >> 6) << 3);
  store<u64>(word, load<u64>(word) | ((<u64>1) << (index & 63)));
  const set = setAt(g, core, index);
  for (let way: u32 = 0; way < g.ways; way++) {
    if (tagOf(entryIn(g, set, way)) == 0) return way;
  }
  return -1;
}

/** Counts an entry that takes the place of another one, or of none. */
function countFilled(g: Geometry, core: usize, old: u64, key: u64): void {
  if (((old ^ key) & COUNTED_BITS) != 0) countReplaced(g, core, old, key);
}

function countReplaced(g: Geometry, core: usize, old: u64, key: u64): void {
  if (old == 0) countValid(g, core, 1);
  else countKind(g, core, kindOf(old), -1);
  countKind(g, core, kindOf(key), 1);
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
  const entry = use(g, core, number, key);
  if (entry == 0) fill(g, core, number, key, data, root);
  else setDataAndRoot(g, entry, data, root);
}

/** Makes a valid entry invalid. */
export function drop(g: Geometry, core: usize, entry: usize): void {
  countValid(g, core, -1);
  countKind(g, core, kindOf(tagOf(entry)), -1);
  if (g.linked != 0) {
    chainOut(g, core, entry);
    retireLinked(g, core, entry);
  }
  store<u64>(entry, 0);
}
