// Going through the valid entries of an array: dropping those that match, and visiting them all.
// Sets without entries are skipped by a bit each, so that a flush costs what the array holds.

import { drop, kindsPresent, tagOf } from "./array.ts";
import { ENTRY_SHIFT, entryIn, Geometry, setAt, setOf } from "./geometry.ts";
import { chainNext, chainStart, olderThan, youngestOf } from "./linked.ts";
import { numberOf, tagFor } from "./tag.ts";

/** Drops every valid entry whose tag has `value` in the bits of `mask`. */
export function dropMatching(g: Geometry, core: usize, mask: u64, value: u64): void {
  if (kindsPresent(core, g.population) == 0) return;
  if (g.linked != 0) {
    for (let set: u32 = 0; set < g.sets; set++) dropFromList(g, core, set, mask, value);
    return;
  }
  for (let firstSet: u32 = 0; firstSet < g.sets; firstSet += 64) {
    const word = core + g.occupied + (((<usize>firstSet) >> 6) << 3);
    let sets = load<u64>(word);
    let kept: u64 = 0;
    while (sets != 0) {
      const bit = sets & (0 - sets);
      if (dropFromSet(g, core, firstSet + <u32>ctz(sets), mask, value)) kept |= bit;
      sets ^= bit;
    }
    store<u64>(word, kept);
  }
}

/** Whether entries remain in the set. */
function dropFromSet(g: Geometry, core: usize, index: u32, mask: u64, value: u64): bool {
  let remain = false;
  const set = setAt(g, core, index);
  for (let way: u32 = 0; way < g.ways; way++) {
    const entry = entryIn(g, set, way);
    const tag = tagOf(entry);
    if (tag == 0) continue;
    if ((tag & mask) == value) drop(g, core, entry);
    else remain = true;
  }
  return remain;
}

function dropFromList(g: Geometry, core: usize, set: u32, mask: u64, value: u64): void {
  let entry = youngestOf(g, core, set);
  while (entry != 0) {
    const tag = tagOf(entry);
    if (tag == 0) return;
    const older = olderThan(g, core, entry);
    if ((tag & mask) == value) drop(g, core, entry);
    entry = older;
  }
}

/** The first valid entry behind `after` (0: the first of all), or 0. */
export function nextValid(g: Geometry, core: usize, after: usize): usize {
  const first = core + g.first;
  if (g.linked != 0) {
    const bytes = (<usize>1) << ENTRY_SHIFT;
    const end = first + ((<usize>g.entries) << ENTRY_SHIFT);
    for (let entry = after == 0 ? first : after + bytes; entry < end; entry += bytes) {
      if (tagOf(entry) != 0) return entry;
    }
    return 0;
  }
  let index: u32 = 0;
  let way: u32 = 0;
  if (after != 0) {
    index = <u32>(after - first) / g.setBytes;
    way = <u32>((after - setAt(g, core, index) - g.tags) >> g.tagShift) + 1;
  }
  for (; index < g.sets; index++) {
    const word = load<u64>(core + g.occupied + (((<usize>index) >> 6) << 3)) >> (index & 63);
    const set = setAt(g, core, index);
    for (; (word & 1) != 0 && way < g.ways; way++) {
      const entry = entryIn(g, set, way);
      if (tagOf(entry) != 0) return entry;
    }
    way = 0;
  }
  return 0;
}

/** The entry behind `after` (0: the first) that holds `number`, of any kind and PCID, or 0. */
export function nextWithNumber(g: Geometry, core: usize, number: u64, after: usize): usize {
  if (g.linked != 0) {
    let entry = after == 0 ? chainStart(g, core, tagFor(number, 0, 0)) : chainNext(after);
    while (entry != 0 && numberOf(tagOf(entry)) != number) entry = chainNext(entry);
    return entry;
  }
  const set = setAt(g, core, setOf(g, number));
  const bytes = (<usize>1) << g.tagShift;
  const end = entryIn(g, set, g.ways);
  for (let entry = after == 0 ? entryIn(g, set, 0) : after + bytes; entry < end; entry += bytes) {
    const tag = tagOf(entry);
    if (tag != 0 && numberOf(tag) == number) return entry;
  }
  return 0;
}
