// Going through the valid entries of an array: dropping those that match, and visiting them all.
// Sets without entries are skipped by a bit each, so that a flush costs what the array holds.

import { drop, kindsPresent, tagOf } from "./array.ts";
import { Geometry, setAt, setOf } from "./geometry.ts";
import { chainNext, chainStart, olderThan, youngestOf } from "./linked.ts";
import { numberOf } from "./tag.ts";

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
  const tags = setAt(g, core, index) + g.tags;
  for (let way: u32 = 0; way < g.ways; way++) {
    const entry = tags + ((<usize>way) << 3);
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
    let entry = after == 0 ? first : after + 8;
    while (entry < first + g.distance) {
      if (tagOf(entry) != 0) return entry;
      entry += 8;
    }
    return 0;
  }
  let index: u32 = 0;
  let way: u32 = 0;
  if (after != 0) {
    index = <u32>(after - first) / g.setBytes;
    way = <u32>((after - setAt(g, core, index) - g.tags) >> 3) + 1;
  }
  for (; index < g.sets; index++) {
    const word = load<u64>(core + g.occupied + (((<usize>index) >> 6) << 3)) >> (index & 63);
    const tags = setAt(g, core, index) + g.tags;
    for (; (word & 1) != 0 && way < g.ways; way++) {
      const entry = tags + ((<usize>way) << 3);
      if (tagOf(entry) != 0) return entry;
    }
    way = 0;
  }
  return 0;
}

/** The entry behind `after` (0: the first) that holds `number`, of any kind and PCID, or 0. */
export function nextWithNumber(g: Geometry, core: usize, number: u64, after: usize): usize {
  if (g.linked != 0) {
    let entry = after == 0 ? chainStart(g, core, number) : chainNext(g, core, after);
    while (entry != 0 && numberOf(tagOf(entry)) != number) entry = chainNext(g, core, entry);
    return entry;
  }
  const tags = setAt(g, core, setOf(g, number)) + g.tags;
  const end = tags + ((<usize>g.ways) << 3);
  for (let entry = after == 0 ? tags : after + 8; entry < end; entry += 8) {
    const tag = tagOf(entry);
    if (tag != 0 && numberOf(tag) == number) return entry;
  }
  return 0;
}
