// The stream that the host has written, read once into integers. The loop then loads them from
// here: were they converted in the batch itself, V8 would move the conversions into its loop.

import {
  ORDER_RANDOM,
  STREAM_BASE_PAGE,
  STREAM_ELEMENTS,
  STREAM_KIND,
  STREAM_ORDER,
  STREAM_POSITION,
  STREAM_RANDOM,
  STREAM_REMAINING,
  STREAM_STAGGER,
  STREAM_STRIDE_BYTES,
  STREAM_THINK_CYCLES,
  STREAM_WRITE_PERCENT,
  USER_ACCESS,
  WRITE,
} from "./abi.ts";
import { log2Ceiling } from "./bits.ts";
import { Core, rightsOf, STREAM } from "./layout.ts";

@unmanaged
class Plan {
  base: u64;
  stride: u64;
  /** An access writes when a random word is below. */
  writeThreshold: u64;
  think: f64;
  staggerMask: u32;
  elements: u32;
  order: u32;
  kind: u32;
  /** The smallest mask that covers all elements. */
  chaseMask: u32;
  usesRandom: u32;
  position: u32;
  remaining: u32;
  random: u32;
  /** Addresses of what a write, and any other access, needs of an entry. */
  writeRights: usize;
  readRights: usize;
  /** Whether all addresses of the next block are known to be canonical. */
  canonical: u32;
  /** How many accesses the last block carried out. */
  done: u32;
  canonicalShift: u32;
}

/** The bytes of half of all canonical addresses with 5 levels. */
const MOST_BYTES: f64 = 72057594037927936;

export const PLAN = changetype<Plan>(memory.data(offsetof<Plan>(), 64));

function field(index: u32): f64 {
  return load<f64>(STREAM + ((<usize>index) << 3));
}

function setField(index: u32, value: f64): void {
  store<f64>(STREAM + ((<usize>index) << 3), value);
}

export function readPlan(core: Core): void {
  PLAN.base = (<u64>field(STREAM_BASE_PAGE)) << 12;
  PLAN.stride = <u64>(<i64>field(STREAM_STRIDE_BYTES));
  PLAN.writeThreshold = <u64>((field(STREAM_WRITE_PERCENT) * 4294967296) / 100);
  PLAN.think = field(STREAM_THINK_CYCLES);
  PLAN.staggerMask = field(STREAM_STAGGER) != 0 ? 63 : 0;
  PLAN.elements = <u32>field(STREAM_ELEMENTS);
  PLAN.order = <u32>field(STREAM_ORDER);
  PLAN.kind = (<u32>field(STREAM_KIND)) | USER_ACCESS;
  PLAN.chaseMask = ((<u32>1) << log2Ceiling(PLAN.elements)) - 1;
  PLAN.usesRandom = PLAN.order == ORDER_RANDOM || PLAN.writeThreshold != 0 ? 1 : 0;
  PLAN.position = <u32>field(STREAM_POSITION);
  PLAN.remaining = <u32>field(STREAM_REMAINING);
  PLAN.random = <u32>field(STREAM_RANDOM);
  assert(PLAN.remaining == 0 || PLAN.position < PLAN.elements);
  PLAN.readRights = rightsOf(core, PLAN.kind);
  PLAN.canonicalShift = core.canonicalShift;
  PLAN.writeRights = rightsOf(core, WRITE | USER_ACCESS);
  PLAN.canonical = isRangeCanonical() ? 1 : 0;
}

/** What is set of the result is not canonical. */
export function strayBits(address: u64, canonicalShift: u32): u64 {
  const shift = <i64>canonicalShift;
  return <u64>((((<i64>address) << shift) >> shift) ^ (<i64>address));
}

/**
 * Whether whatever lies from the first element to the last, staggered, is canonical: both ends are,
 * they are in one half, and the way from one to the other does not lead through the other half.
 */
function isRangeCanonical(): bool {
  const elements = <f64>PLAN.elements;
  if (abs<f64>(<f64>(<i64>PLAN.stride)) * elements >= MOST_BYTES) return false;
  const first = PLAN.base;
  const last = first + <u64>(PLAN.elements - 1) * PLAN.stride;
  const strays = strayBits(first, PLAN.canonicalShift) | strayBits(last, PLAN.canonicalShift);
  const staggered = strayBits(max<u64>(first, last) + 0xfff, PLAN.canonicalShift);
  return (strays | staggered) == 0 && <i64>(first ^ last) >= 0;
}

export function writeProgress(): void {
  setField(STREAM_POSITION, PLAN.position);
  setField(STREAM_REMAINING, PLAN.remaining);
  setField(STREAM_RANDOM, PLAN.random);
}
