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
export class Plan {
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
  /** Of the last block: whether all its addresses are canonical, and how many it carried out. */
  canonical: u32;
  done: u32;
  canonicalShift: u32;
}

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
  PLAN.readRights = rightsOf(core, PLAN.kind);
  PLAN.canonicalShift = core.canonicalShift;
  PLAN.writeRights = rightsOf(core, WRITE | USER_ACCESS);
}

export function writeProgress(): void {
  setField(STREAM_POSITION, PLAN.position);
  setField(STREAM_REMAINING, PLAN.remaining);
  setField(STREAM_RANDOM, PLAN.random);
}
