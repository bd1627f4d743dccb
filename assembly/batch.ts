// A run of a core's user accesses until its next possible event: the loop in which most of the
// emulation's time is spent. The stream's description and progress are in the STREAM block.
//
// The inner loop does the most frequent case by hand and calls nothing: a 4 KiB page of the current
// PCID in a first-level TLB, its line most recent in L1D. What is not that has changed nothing when
// the loop stops at it, and goes the general way.

import {
  COUNTER_ACCESSES,
  COUNTER_SECOND_LEVEL_HITS,
  STREAM_DONE,
  STREAM_FAULT,
  STREAM_HORIZON,
  STREAM_STALE,
} from "./abi.ts";
import { FAULTED, listFor, translate } from "./access.ts";
import {
  addressOf,
  BLOCK,
  BLOCK_ACCESSES,
  ENTRY_BYTES,
  makeBlock,
  rightsFor,
  skip,
} from "./accesses.ts";
import { accessCycles, isMostRecentLine, isSmallL1D, L1D, lineCycles, lineOf } from "./cache.ts";
import { add } from "./counters.ts";
import {
  AnyShape,
  FirstLevel,
  FourWays,
  FullyAssociative,
  hasFourWays,
  isFullyAssociative,
} from "./first-hit.ts";
import { finish, finishWalk, isUsual, NOT_USUAL, useSecondLevel } from "./second-hit.ts";
import { baseOf, Core, coreAt, MACHINE } from "./layout.ts";
import { PLAN, readPlan, writeProgress } from "./plan.ts";
import { MODE_LONG } from "./registers.ts";
import { pageOf, tagFor } from "./tag.ts";
import { FIRST_DATA, USUAL_FIRST, USUAL_KIND } from "./tlb.ts";

/** How many accesses to make ahead: no more than can be carried out before the horizon. */
function blockCount(left: u32, cycles: f64, hitCycles: f64): u32 {
  const most = min<u32>(left, BLOCK_ACCESSES);
  return cycles >= <f64>most * hitCycles ? most : min<u32>(most, 1 + <u32>(cycles / hitCycles));
}

/** Runs the stream; returns STREAM_*. Position and random state are as before a faulting access. */
export function runStream(index: u32, horizon: f64): u32 {
  const core = coreAt(index);
  readPlan(core);
  const hitCycles = L1D.latencyCycles + PLAN.think;
  const total = PLAN.remaining;
  core.stale = 0;
  let stop: u32 = STREAM_DONE;
  while (PLAN.remaining != 0 && stop == STREAM_DONE) {
    if (core.clock >= horizon) {
      stop = STREAM_HORIZON;
      break;
    }
    const position = PLAN.position;
    const random = PLAN.random;
    const count = blockCount(PLAN.remaining, horizon - core.clock, hitCycles);
    makeBlock(count);
    stop =
      isUsualPlan(core) && isSmallL1D()
        ? runUsualBlock(core, count, horizon, hitCycles)
        : runPlainBlock(core, count, horizon);
    PLAN.remaining -= PLAN.done;
    if (PLAN.done == count) continue;
    PLAN.position = position;
    PLAN.random = random;
    skip(PLAN.done);
  }
  const done = total - PLAN.remaining;
  add(core, COUNTER_ACCESSES, <f64>(stop == STREAM_FAULT ? done + 1 : done));
  writeProgress();
  return stop;
}

/** Data accesses in long mode, where an address is what the stream makes it. */
function isUsualPlan(core: Core): bool {
  return listFor(PLAN.kind) == FIRST_DATA && PLAN.canonical != 0 && core.mode == MODE_LONG;
}

/** Carries out a block of data accesses; how many were done is left in PLAN.done. */
function runUsualBlock(core: Core, count: u32, horizon: f64, hitCycles: f64): u32 {
  const g = changetype<usize>(USUAL_FIRST);
  if (hasFourWays(USUAL_FIRST)) {
    return runBlock<FourWays>(changetype<FourWays>(g), core, count, horizon, hitCycles);
  }
  if (isFullyAssociative(USUAL_FIRST)) {
    return runBlock<FullyAssociative>(
      changetype<FullyAssociative>(g),
      core,
      count,
      horizon,
      hitCycles,
    );
  }
  return runBlock<AnyShape>(changetype<AnyShape>(g), core, count, horizon, hitCycles);
}

function runBlock<Shape extends FirstLevel>(
  first: Shape,
  core: Core,
  count: u32,
  horizon: f64,
  hitCycles: f64,
): u32 {
  const base = baseOf(core);
  const pcidBits = core.pcidBits;
  const end = BLOCK + <usize>count * ENTRY_BYTES;
  let secondHits: u32 = 0;
  let at = BLOCK;
  let clock = core.clock;
  let usual = isUsual(core);
  while (true) {
    let data: u64 = 0;
    while (true) {
      if (at == end) return leave(core, at, clock, secondHits, STREAM_DONE);
      if (clock >= horizon) return leave(core, at, clock, secondHits, STREAM_HORIZON);
      const address = addressOf(at);
      const rights = rightsFor(at);
      const page = pageOf(address);
      data = first.use(base, page, tagFor(page, USUAL_KIND, pcidBits));
      if (((data ^ load<u64>(rights)) & load<u64>(rights, 8)) != 0) break;
      if (!isMostRecentLine(base, lineOf(data, address))) break;
      clock += hitCycles;
      at += ENTRY_BYTES;
    }
    const address = addressOf(at);
    const rights = rightsFor(at);
    if (data == 0) {
      if (usual) {
        const page = pageOf(address);
        const key = tagFor(page, USUAL_KIND, pcidBits);
        data = useSecondLevel<Shape>(first, base, page, key, rights);
        if (data > NOT_USUAL) {
          secondHits++;
          clock += MACHINE.secondLevelDataCycles;
          clock += lineCycles(core, base, lineOf(data, address)) + PLAN.think;
          at += ENTRY_BYTES;
          continue;
        }
      }
    } else if (((data ^ load<u64>(rights)) & load<u64>(rights, 8)) == 0) {
      clock += lineCycles(core, base, lineOf(data, address)) + PLAN.think;
      at += ENTRY_BYTES;
      continue;
    }
    core.clock = clock;
    const stop =
      data == 0 && usual
        ? finishWalk<Shape>(first, core, at)
        : finish(core, at, data == NOT_USUAL ? 0 : data);
    clock = core.clock;
    usual = isUsual(core);
    if (stop == STREAM_FAULT) return leave(core, at, clock, secondHits, stop);
    at += ENTRY_BYTES;
    if (stop != STREAM_DONE) return leave(core, at, clock, secondHits, stop);
  }
}

/** Ends a block before the access at `at`, for the reason `stop`. */
function leave(core: Core, at: usize, clock: f64, secondHits: u32, stop: u32): u32 {
  core.clock = clock;
  add(core, COUNTER_SECOND_LEVEL_HITS, <f64>secondHits);
  PLAN.done = <u32>((at - BLOCK) / ENTRY_BYTES);
  return stop;
}

/** As runBlock, for accesses of any kind at any address. */
function runPlainBlock(core: Core, count: u32, horizon: f64): u32 {
  const list = listFor(PLAN.kind);
  let stop: u32 = STREAM_DONE;
  let done: u32 = 0;
  while (done < count && stop == STREAM_DONE) {
    if (core.clock >= horizon) {
      stop = STREAM_HORIZON;
      break;
    }
    const at = BLOCK + <usize>done * ENTRY_BYTES;
    const rights = rightsFor(at);
    const physical = translate(core, addressOf(at), list, load<u64>(rights), load<u64>(rights, 8));
    if (physical == FAULTED) {
      stop = STREAM_FAULT;
      break;
    }
    core.clock += accessCycles(core, physical) + PLAN.think;
    done++;
    if (core.stale != 0) stop = STREAM_STALE;
  }
  PLAN.done = done;
  return stop;
}
