// Going through the valid entries of an array: dropping those that match, and visiting them all.
// Sets without entries are skipped by a bit each, so that a flush costs what the array holds.

import { drop, kindsPresent, tagAt } from "./array.ts";
import { Geometry, setOf } from "./geometry.ts";
import { chainNext, chainStart, listFirst, listNext } from "./linked.ts";
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
function dropFromSet(g: Geometry, core: usize, set: u32, mask: u64, value: u64): bool {
  let remain = false;
  for (let way: u32 = 0; way < g.ways; way++) {
    const slot = set * g.stride + way;
    const tag = tagAt(g, core, slot);
    if (tag == 0) continue;
    if ((tag & mask) == value) drop(g, core, slot);
    else remain = true;
  }
  return remain;
}

function dropFromList(g: Geometry, core: usize, set: u32, mask: u64, value: u64): void {
  let slot = listFirst(g, core, set);
  while (slot >= g.sets) {
    const tag = tagAt(g, core, slot);
    if (tag == 0) return;
    const following = listNext(g, core, slot);
    if ((tag & mask) == value) drop(g, core, slot);
    slot = following;
  }
}

/** The first valid slot at or after `from`, or -1. */
export function nextValid(g: Geometry, core: usize, from: u32): i32 {
  let slot = from;
  while (slot < g.slots) {
    if (g.linked == 0 && slot % g.stride == 0) {
      const set = slot / g.stride;
      const word = load<u64>(core + g.occupied + (((<usize>set) >> 6) << 3)) >> (set & 63);
      if ((word & 1) == 0) {
        slot += g.stride;
        continue;
      }
    }
    if (tagAt(g, core, slot) != 0) return slot;
    slot++;
  }
  return -1;
}

/** The next slot after `after` (-1: the first) that holds `number`, of any kind and PCID, or -1. */
export function nextWithNumber(g: Geometry, core: usize, number: u64, after: i32): i32 {
  if (g.linked != 0) {
    let slot = after < 0 ? chainStart(g, core, number) : chainNext(g, core, after);
    while (slot != 0) {
      if (numberOf(tagAt(g, core, slot)) == number) return slot;
      slot = chainNext(g, core, slot);
    }
    return -1;
  }
  const first = setOf(g, number) * g.stride;
  let slot = after < 0 ? first : <u32>after + 1;
  for (; slot < first + g.ways; slot++) {
    const tag = tagAt(g, core, slot);
    if (tag != 0 && numberOf(tag) == number) return slot;
  }
  return -1;
}
