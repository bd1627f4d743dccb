// A data access that misses the first level's array of 4 KiB pages: most often the second level has
// the page, else a walk of one load finds it. Those two are done here in a straight line, and each
// departure from it ends in a call, so that the compiler keeps everything in registers.

import { STREAM_DONE, STREAM_FAULT, STREAM_STALE } from "./abi.ts";
import { FAULTED, translateUnfit } from "./access.ts";
import { addressOf, rightsFor } from "./accesses.ts";
import { enterSigned, fill, isFull, waysSigned } from "./array.ts";
import { accessCycles, lineCycles, lineOf } from "./cache.ts";

import { FirstLevel } from "./first-hit.ts";
import {
  ENTRY_DATA,
  ENTRY_ROOT,
  ENTRY_SHIFT,
  isPlain,
  setAt,
  setOfPlain,
  SIGNED_TAGS,
} from "./geometry.ts";
import { baseOf, Core } from "./layout.ts";
import { PLAN } from "./plan.ts";
import { WRITABLE } from "./pte.ts";
import { touchWay, victim } from "./replacement.ts";
import { pageOf, tagFor } from "./tag.ts";
import {
  FIRST_DATA,
  holdsUnusual,
  SECOND_DATA,
  USUAL_FIRST,
  USUAL_KIND,
  USUAL_SECOND,
} from "./tlb.ts";
import { walkFromPageTable } from "./walker.ts";

/** Whether misses of the first level's usual array may be handled by the two functions below. */
export function isUsual(core: Core): bool {
  const base = baseOf(core);
  const first = USUAL_FIRST;
  const second = USUAL_SECOND;
  if (second.tags != <u32>SIGNED_TAGS || !isPlain(second)) return false;
  return isFull(first, base) && !holdsUnusual(core, FIRST_DATA);
}

/** What useSecondLevel answers when an entry is there, or may be, and is not simply to be used. */
export const NOT_USUAL: u64 = WRITABLE;

/**
 * The data of a usual entry that only the second level has and that fits an access, moved to the
 * first level. Having done nothing, 0 when there is none, else NOT_USUAL.
 */
export function useSecondLevel<Shape extends FirstLevel>(
  first: Shape,
  base: usize,
  page: u64,
  key: u64,
  rights: usize,
): u64 {
  const second = USUAL_SECOND;
  const set = setAt(second, base, setOfPlain(second, page));
  const candidates = waysSigned(second, set, key);
  if (candidates == 0) return 0;
  const way = ctz(candidates);
  const entry = set + SIGNED_TAGS + ((<usize>way) << ENTRY_SHIFT);
  if (load<u64>(entry) != key) return NOT_USUAL;
  const data = load<u64>(entry, ENTRY_DATA);
  if (((data ^ load<u64>(rights)) & load<u64>(rights, 8)) != 0) return NOT_USUAL;
  touchWay(second, set, way);
  first.enterFull(base, page, key, data, load<u32>(entry, ENTRY_ROOT));
  return data;
}

/** Completes an access of the block that both levels miss, where misses are usual. */
export function finishWalk<Shape extends FirstLevel>(first: Shape, core: Core, at: usize): u32 {
  const base = baseOf(core);
  const second = USUAL_SECOND;
  const address = addressOf(at);
  const rights = rightsFor(at);
  const page = pageOf(address);
  if (holdsUnusual(core, SECOND_DATA)) return finish(core, at, 0);
  const data = walkFromPageTable(core, page, load<u64>(rights), load<u64>(rights, 8));
  if (data == 0) return finish(core, at, 0);
  const key = tagFor(page, USUAL_KIND, core.pcidBits);
  const root = <u32>core.rootFrame;
  first.enterFull(base, page, key, data, root);
  if (isFull(second, base)) {
    const set = setAt(second, base, setOfPlain(second, page));
    enterSigned(second, base, set, victim(second, load<u64>(set)), key, data, root);
  } else {
    fill(second, base, page, key, data, root);
  }
  core.clock += lineCycles(core, base, lineOf(data, address)) + PLAN.think;
  return STREAM_DONE;
}

/**
 * Completes any access of the block, of which the first level's usual array has said `data`;
 * returns STREAM_DONE, _FAULT or _STALE.
 */
export function finish(core: Core, at: usize, data: u64): u32 {
  const physical = translateUnfit(core, addressOf(at), rightsFor(at), data);
  if (physical == FAULTED) return STREAM_FAULT;
  core.clock += accessCycles(core, physical) + PLAN.think;
  return core.stale != 0 ? STREAM_STALE : STREAM_DONE;
}
