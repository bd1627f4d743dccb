// A data access that misses the first level's array of 4 KiB pages: most often the second level has
// the page, else a walk of one load finds it. Those two are done here in a straight line, and each
// departure from it ends in a call, so that the compiler keeps everything in registers.

import { COUNTER_SECOND_LEVEL_HITS, STREAM_DONE, STREAM_FAULT, STREAM_STALE } from "./abi.ts";
import { FAULTED, translateUnfit } from "./access.ts";
import { dataOf, enterInSet, fill, findSigned, isFull, rootOf } from "./array.ts";
import { accessCycles } from "./cache.ts";
import { count } from "./counters.ts";

import { Geometry, setAt, setOf, SIGNED_TAGS } from "./geometry.ts";
import { baseOf, Core, MACHINE } from "./layout.ts";
import { PLAN } from "./plan.ts";
import { ADDRESS_BITS } from "./pte.ts";
import { touchWay, victim } from "./replacement.ts";
import { pageOf, tagFor } from "./tag.ts";
import { FIRST_DATA, holdsUnusual, SECOND_DATA, USUAL_KIND, USUAL_SECOND } from "./tlb.ts";
import { walkFromPageTable } from "./walker.ts";

/** Completes the access at `at` of the block; returns STREAM_DONE, _FAULT or _STALE. */
export function finishMiss<Shape extends Geometry>(first: Shape, core: Core, at: usize): u32 {
  const base = baseOf(core);
  const second = USUAL_SECOND;
  const address = load<u64>(at);
  const rights = <usize>load<u32>(at, 8);
  const page = pageOf(address);
  const key = tagFor(page, USUAL_KIND, core.pcidBits);
  if (second.tags != <u32>SIGNED_TAGS || holdsUnusual(core, FIRST_DATA)) return finish(core, at, 0);
  const set = setAt(second, base, setOf(second, page));
  const entry = findSigned(set, key);
  if (entry == 0) return finishWalk<Shape>(first, core, at, set);
  const data = dataOf(second, entry);
  if (((data ^ load<u64>(rights)) & load<u64>(rights, 8)) != 0) return finish(core, at, 0);
  touchWay(second, set, <u32>((entry - set - <u32>SIGNED_TAGS) >> 3));
  first.enter(base, page, key, data, rootOf(second, entry));
  count(core, COUNTER_SECOND_LEVEL_HITS);
  const cycles = accessCycles(core, (data & ADDRESS_BITS) | (address & 0xfff));
  core.clock += cycles + (MACHINE.secondLevelDataCycles + PLAN.think);
  return STREAM_DONE;
}

/** As finishMiss, when the second level misses too; `set` is the page's set there. */
function finishWalk<Shape extends Geometry>(
  first: Shape,
  core: Core,
  at: usize,
  set: usize,
): u32 {
  const base = baseOf(core);
  const address = load<u64>(at);
  const rights = <usize>load<u32>(at, 8);
  const page = pageOf(address);
  if (holdsUnusual(core, SECOND_DATA)) return finish(core, at, 0);
  const data = walkFromPageTable(core, page, load<u64>(rights), load<u64>(rights, 8));
  if (data == 0) return finish(core, at, 0);
  const key = tagFor(page, USUAL_KIND, core.pcidBits);
  const root = <u32>core.rootFrame;
  first.enter(base, page, key, data, root);
  if (isFull(USUAL_SECOND, base)) {
    enterInSet(USUAL_SECOND, base, set, victim(USUAL_SECOND, load<u64>(set)), key, data, root);
  } else {
    fill(USUAL_SECOND, base, page, key, data, root);
  }
  const cycles = accessCycles(core, (data & ADDRESS_BITS) | (address & 0xfff));
  core.clock += cycles + PLAN.think;
  return STREAM_DONE;
}

/** As finishMiss, for any access, of which the first level's usual array has said `data`. */
export function finish(core: Core, at: usize, data: u64): u32 {
  const physical = translateUnfit(core, load<u64>(at), <usize>load<u32>(at, 8), data);
  if (physical == FAULTED) return STREAM_FAULT;
  core.clock += accessCycles(core, physical) + PLAN.think;
  return core.stale != 0 ? STREAM_STALE : STREAM_DONE;
}
