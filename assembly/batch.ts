// A run of a core's user accesses until its next possible event: the loop in which most of the
// emulation's time is spent. The stream's description and progress are in the STREAM block.
//
// The most frequent case is done here by hand: a 4 KiB page of the current PCID in a first-level
// TLB, its line most recent in L1D. What is not that has changed nothing and goes the general way.
// The shape of the array is in locals, because the compiler cannot know that it does not change.

import {
  COUNTER_ACCESSES,
  ORDER_CHASE,
  ORDER_LIST,
  ORDER_RANDOM,
  STREAM_DONE,
  STREAM_FAULT,
  STREAM_HORIZON,
  STREAM_PAGES,
  STREAM_STALE,
  USER_ACCESS,
  WRITE,
} from "./abi.ts";
import { FAULTED, listFor, translateMissed, translateUsual } from "./access.ts";
import { useData } from "./array.ts";
import { accessCycles, L1D, LINE_SHIFT } from "./cache.ts";
import { add } from "./counters.ts";
import { baseOf, coreAt, rightsOf, STREAM } from "./layout.ts";
import { PLAN, readPlan, writeProgress } from "./plan.ts";
import { ADDRESS_BITS } from "./pte.ts";
import { pageOf, tagFor } from "./tag.ts";
import { ANY_KIND, FIRST_DATA, USUAL_FIRST, USUAL_KIND } from "./tlb.ts";

/** The generator's next state (xorshift32; never 0). */
function nextRandom(state: u32): u32 {
  state ^= state << 13;
  state ^= state >> 17;
  return state ^ (state << 5);
}

/** A number below `limit` from a state, by its high bits. */
function below(state: u32, limit: u32): u32 {
  return <u32>((<u64>(state * 0x9e3779b1) * <u64>limit) >> 32);
}

/**
 * The element after `element` on one cycle through all of `elements`: an LCG modulo 2^k, skipping.
 */
function nextInChase(element: u32, elements: u32, mask: u32): u32 {
  do element = (element * 0x915f77f5 + 0x3504f333) & mask;
  while (element >= elements);
  return element;
}

/** Where an element is. */
function addressOf(element: u32, order: u32, base: u64, stride: u64, staggerMask: u32): u64 {
  const address =
    order == ORDER_LIST
      ? (<u64>load<f64>(STREAM + ((<usize>(STREAM_PAGES + element)) << 3))) << 12
      : base + <u64>element * stride;
  return address + <u64>((element & staggerMask) << 6);
}

/** Runs the stream; returns STREAM_*. Position and random state are as before a faulting access. */
export function runStream(index: u32, horizon: f64): u32 {
  const core = coreAt(index);
  readPlan();
  const base = PLAN.base;
  const stride = PLAN.stride;
  const staggerMask = PLAN.staggerMask;
  const elements = PLAN.elements;
  const order = PLAN.order;
  const writeThreshold = PLAN.writeThreshold;
  const think = PLAN.think;
  const chaseMask = PLAN.chaseMask;
  const usesRandom = PLAN.usesRandom;
  const list = listFor(PLAN.kind);
  const readRights = rightsOf(core, PLAN.kind);
  const writeRights = rightsOf(core, WRITE | USER_ACCESS);
  const usual = list == FIRST_DATA;
  const shift = <i64>core.canonicalShift;
  const pcidBits = core.pcidBits;
  const lines = baseOf(core) + L1D.offset;
  const lineMask = L1D.setMask;
  const lineSetBytes = L1D.setBytes;
  const hitCycles = L1D.latencyCycles + think;
  let position = PLAN.position;
  let random = PLAN.random;
  let remaining = PLAN.remaining;
  let stop = STREAM_DONE;
  let clock = core.clock;
  core.stale = 0;
  while (remaining != 0 && stop == STREAM_DONE) {
    if (clock >= horizon) {
      stop = STREAM_HORIZON;
      break;
    }
    const element = order == ORDER_RANDOM ? below(random, elements) : position;
    const address = addressOf(element, order, base, stride, staggerMask);
    const writes = usesRandom != 0 && <u64>(random * 0x85ebca6b) < writeThreshold;
    const rights = writes ? writeRights : readRights;
    const required = load<u64>(rights);
    const tested = load<u64>(rights, 8);
    const page = pageOf(address);
    const key = tagFor(page, USUAL_KIND, pcidBits);
    let data: u64 = usual ? useData(USUAL_FIRST, baseOf(core), page, key) : 0;
    const uncanonical = (((<i64>address) << shift) >> shift) ^ (<i64>address);
    let unfit = ((data ^ required) & tested) | uncanonical;
    let physical = (data & ADDRESS_BITS) | (address & 0xfff);
    if (unfit != 0) {
      core.clock = clock;
      if (usual && (data | uncanonical) == 0) {
        data = translateUsual(core, page, key, required, tested);
        unfit = (data ^ required) & tested;
        physical = (data & ADDRESS_BITS) | (address & 0xfff);
      }
      if (unfit != 0) {
        const kinds = usual && data == 0 ? ANY_KIND ^ (1 << USUAL_KIND) : ANY_KIND;
        physical = translateMissed(core, address, list, required, tested, kinds);
        if (core.stale != 0) stop = STREAM_STALE;
      }
      clock = core.clock;
      if (physical == FAULTED) {
        stop = STREAM_FAULT;
        break;
      }
    }
    const line = <u32>(physical >> LINE_SHIFT);
    // Without a mask the set is the wrong one, in which no line is found either.
    if (load<u32>(lines + <usize>(line & lineMask) * lineSetBytes) == line + 1) clock += hitCycles;
    else clock += accessCycles(core, physical) + think;
    remaining--;
    if (usesRandom != 0) random = nextRandom(random);
    if (order == ORDER_CHASE) position = nextInChase(position, elements, chaseMask);
    else if (order != ORDER_RANDOM) position = position + 1 == elements ? 0 : position + 1;
  }
  core.clock = clock;
  const done = PLAN.remaining - remaining;
  add(core, COUNTER_ACCESSES, <f64>(stop == STREAM_FAULT ? done + 1 : done));
  writeProgress(position, remaining, random);
  return stop;
}
