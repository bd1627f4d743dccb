// A run of a core's user accesses until its next possible event: the loop in which most of the
// emulation's time is spent. The stream's description and progress are in the STREAM block.

import {
  COUNTER_ACCESSES,
  ORDER_CHASE,
  ORDER_LIST,
  ORDER_RANDOM,
  ORDER_SEQUENTIAL,
  STREAM_BASE_PAGE,
  STREAM_DONE,
  STREAM_ELEMENTS,
  STREAM_FAULT,
  STREAM_HORIZON,
  STREAM_KIND,
  STREAM_ORDER,
  STREAM_PAGES,
  STREAM_POSITION,
  STREAM_RANDOM,
  STREAM_REMAINING,
  STREAM_STAGGER,
  STREAM_STALE,
  STREAM_STRIDE_BYTES,
  STREAM_THINK_CYCLES,
  STREAM_WRITE_PERCENT,
  USER_ACCESS,
  WRITE,
} from "./abi.ts";
import { FAULTED, listFor, resolve } from "./access.ts";
import { log2Ceiling } from "./bits.ts";
import { add } from "./counters.ts";
import { frontCycles, frontData, frontOf } from "./front.ts";
import { baseOf, coreAt, rightsOf, STREAM } from "./layout.ts";
import { ADDRESS_BITS } from "./pte.ts";
import { pageOf } from "./tag.ts";
import { ANY_KIND, COMMON_KIND } from "./tlb.ts";
import { generalProtection } from "./walker.ts";

function field(index: u32): f64 {
  return load<f64>(STREAM + ((<usize>index) << 3));
}

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

/** The element after `element` on one cycle through all of `elements`: an LCG modulo 2^k, skipping. */
function nextInChase(element: u32, elements: u32, mask: u32): u32 {
  do element = (element * 0x915f77f5 + 0x3504f333) & mask;
  while (element >= elements);
  return element;
}

/** Runs the stream; returns STREAM_*. Position and random state are as before a faulting access. */
export function runStream(index: u32, horizon: f64): u32 {
  const core = coreAt(index);
  const base = (<u64>field(STREAM_BASE_PAGE)) << 12;
  const stride = <u64>(<i64>field(STREAM_STRIDE_BYTES));
  const staggerMask: u32 = field(STREAM_STAGGER) != 0 ? 63 : 0;
  const elements = <u32>field(STREAM_ELEMENTS);
  const order = <u32>field(STREAM_ORDER);
  const kind = (<u32>field(STREAM_KIND)) | USER_ACCESS;
  const writeThreshold = <u64>(field(STREAM_WRITE_PERCENT) * 42949672.96);
  const think = field(STREAM_THINK_CYCLES);
  const chaseMask = ((<u32>1) << log2Ceiling(elements)) - 1;
  const list = listFor(kind);
  const readRights = rightsOf(core, kind);
  const writeRights = rightsOf(core, WRITE | USER_ACCESS);
  const usesRandom = order == ORDER_RANDOM || writeThreshold != 0;
  const shift = <i64>core.canonicalShift;
  const front = frontOf(list);
  const pcidBits = core.pcidBits;
  let position = <u32>field(STREAM_POSITION);
  let random = <u32>field(STREAM_RANDOM);
  const wanted = <u32>field(STREAM_REMAINING);
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
    const writes = <u64>(random * 0x85ebca6b) < writeThreshold;
    const rights = writes ? writeRights : readRights;
    const required = load<u64>(rights);
    const tested = load<u64>(rights, 8);
    let physical: u64;
    const data = frontData(front, baseOf(core), pageOf(address), pcidBits);
    const canonical = ((<i64>address) << shift) >> shift == <i64>address;
    if (((data ^ required) & tested) == 0 && canonical) {
      physical = (data & ADDRESS_BITS) | (address & 0xfff);
    } else {
      core.clock = clock;
      if (!canonical) {
        generalProtection(core, address);
        physical = FAULTED;
      } else {
        const kinds = data == 0 ? ANY_KIND ^ (1 << COMMON_KIND) : ANY_KIND;
        physical = resolve(core, address, list, required, tested, kinds);
      }
      clock = core.clock;
      if (physical == FAULTED) {
        stop = STREAM_FAULT;
        break;
      }
    }
    clock += frontCycles(core, physical) + think;
    remaining--;
    if (usesRandom) random = nextRandom(random);
    if (order == ORDER_CHASE) position = nextInChase(position, elements, chaseMask);
    else if (order != ORDER_RANDOM) position = position + 1 == elements ? 0 : position + 1;
    if (core.stale != 0) {
      stop = STREAM_STALE;
      break;
    }
  }
  core.clock = clock;
  store<f64>(STREAM + (STREAM_POSITION << 3), <f64>position);
  store<f64>(STREAM + (STREAM_REMAINING << 3), <f64>remaining);
  store<f64>(STREAM + (STREAM_RANDOM << 3), <f64>random);
  add(core, COUNTER_ACCESSES, <f64>(wanted - remaining + (stop == STREAM_FAULT ? 1 : 0)));
  return stop;
}
