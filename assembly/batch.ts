// A run of a core's user accesses until its next possible event: the loop in which most of the
// emulation's time is spent. The stream's description and progress are in the STREAM block.

import {
  COUNTER_ACCESSES,
  ORDER_CHASE,
  ORDER_LIST,
  ORDER_RANDOM,
  REPLACE_LRU,
  STREAM_DONE,
  STREAM_FAULT,
  STREAM_HORIZON,
  STREAM_PAGES,
  STREAM_STALE,
  USER_ACCESS,
  WRITE,
} from "./abi.ts";
import { FAULTED, listFor, resolve } from "./access.ts";
import { PLAN, readPlan, writeProgress } from "./plan.ts";
import { add } from "./counters.ts";
import { frontOf, hasMaskedSets, useAnyShape } from "./front.ts";
import { findWay } from "./array.ts";
import { accessCycles, L1D, LINE_SHIFT } from "./cache.ts";
import { touchWay } from "./replacement.ts";
import { baseOf, coreAt, rightsOf, STREAM } from "./layout.ts";
import { ADDRESS_BITS } from "./pte.ts";
import { pageOf, tagFor } from "./tag.ts";
import { ANY_KIND, USUAL_KIND } from "./tlb.ts";
import { generalProtection } from "./walker.ts";

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

/** Runs the stream; returns STREAM_*. Position and random state are as before a faulting access. */
export function runStream(index: u32, horizon: f64): u32 {
  const core = coreAt(index);
  readPlan();
  const base = PLAN.base;
  const stride = PLAN.stride;
  const staggerMask = PLAN.staggerMask;
  const elements = PLAN.elements;
  const order = PLAN.order;
  const kind = PLAN.kind;
  const writeThreshold = PLAN.writeThreshold;
  const think = PLAN.think;
  const chaseMask = PLAN.chaseMask;
  const list = listFor(kind);
  const readRights = rightsOf(core, kind);
  const writeRights = rightsOf(core, WRITE | USER_ACCESS);
  const usesRandom = PLAN.usesRandom;
  const shift = <i64>core.canonicalShift;
  const front = frontOf(list);
  const pcidBits = core.pcidBits;
  const maskedSets = hasMaskedSets(front);
  const isLru = front.policy == REPLACE_LRU;
  const setMask = front.setMask;
  const stridedWays = front.stride;
  const ways = front.ways;
  const tags = baseOf(core) + front.tags;
  const datas = baseOf(core) + front.data;
  const orders = baseOf(core) + front.order;
  const lines = baseOf(core) + L1D.offset;
  const lineMask = L1D.setMask;
  const lineSetBytes = L1D.setBytes;
  const hitCycles = L1D.latencyCycles + think;
  let position = PLAN.position;
  let random = PLAN.random;
  const wanted = PLAN.remaining;
  let remaining = wanted;
  let stop = STREAM_DONE;
  let clock = core.clock;
  core.stale = 0;
  while (remaining != 0) {
    if (clock >= horizon) {
      stop = STREAM_HORIZON;
      break;
    }
    const element = order == ORDER_RANDOM ? below(random, elements) : position;
    let address: u64;
    if (order == ORDER_LIST) {
      address = (<u64>load<f64>(STREAM + ((<usize>(STREAM_PAGES + element)) << 3))) << 12;
    } else {
      address = base + <u64>element * stride;
    }
    address += <u64>((element & staggerMask) << 6);
    const writes = usesRandom != 0 && <u64>(random * 0x85ebca6b) < writeThreshold;
    const rights = writes ? writeRights : readRights;
    const required = load<u64>(rights);
    const tested = load<u64>(rights, 8);
    let physical: u64;
    const page = pageOf(address);
    const key = tagFor(page, USUAL_KIND, pcidBits);
    let data: u64 = 0;
    if (maskedSets) {
      const set = (<u32>page) & setMask;
      const first = set * stridedWays;
      const way = findWay(tags + ((<usize>first) << 3), ways, key);
      if (way >= 0) {
        const order = orders + ((<usize>set) << 3);
        if (!isLru || (load<u32>(order) & 15) != way) touchWay(front, order, way);
        data = load<u64>(datas + ((<usize>(first + way)) << 3));
      }
    } else {
      data = useAnyShape(front, baseOf(core), page, key);
    }
    const canonical = ((<i64>address) << shift) >> shift == <i64>address;
    if (((data ^ required) & tested) == 0 && canonical) {
      physical = (data & ADDRESS_BITS) | (address & 0xfff);
    } else {
      core.clock = clock;
      if (!canonical) {
        generalProtection(core, address);
        physical = FAULTED;
      } else {
        const kinds = data == 0 ? ANY_KIND ^ (1 << USUAL_KIND) : ANY_KIND;
        physical = resolve(core, address, list, required, tested, kinds);
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
    if (core.stale != 0) {
      stop = STREAM_STALE;
      break;
    }
  }
  core.clock = clock;
  writeProgress(position, remaining, random);
  add(core, COUNTER_ACCESSES, <f64>(wanted - remaining + (stop == STREAM_FAULT ? 1 : 0)));
  return stop;
}
