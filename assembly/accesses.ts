// The accesses of a stream, made in blocks ahead of their use: the loop that carries them out then
// knows nothing of orders and random numbers. What a stop leaves over is made again.
//
//   block entry, 16 bytes:  address u64 | rights of its kind, address u32 | unused

import { ORDER_CHASE, ORDER_LIST, ORDER_RANDOM, ORDER_SEQUENTIAL, STREAM_PAGES } from "./abi.ts";
import { STREAM } from "./layout.ts";
import { PLAN } from "./plan.ts";

export const BLOCK_ACCESSES: u32 = 64;
export const ENTRY_BYTES: usize = 16;
export const BLOCK: usize = memory.data(BLOCK_ACCESSES * <u32>ENTRY_BYTES, 64);

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

function nextPosition(position: u32): u32 {
  if (PLAN.order == ORDER_RANDOM) return position;
  if (PLAN.order == ORDER_CHASE) return nextInChase(position, PLAN.elements, PLAN.chaseMask);
  return position + 1 == PLAN.elements ? 0 : position + 1;
}

function put(at: usize, address: u64, rights: usize): void {
  store<u64>(at, address);
  store<u32>(at, <u32>rights, 8);
}

/** What is set of the result is not canonical. */
function strayBits(address: u64): u64 {
  const shift = <i64>PLAN.canonicalShift;
  return <u64>((((<i64>address) << shift) >> shift) ^ (<i64>address));
}

/** Makes the next `count` accesses, at most a block, and moves the plan behind them. */
export function makeBlock(count: u32): void {
  const end = BLOCK + <usize>count * ENTRY_BYTES;
  const strays =
    PLAN.order == ORDER_SEQUENTIAL && PLAN.usesRandom == 0 ? makeSequence(end) : makeAny(end);
  PLAN.canonical = strays == 0 ? 1 : 0;
}

/** A sequence whose accesses are all of one kind. */
function makeSequence(end: usize): u64 {
  const stride = PLAN.stride;
  const elements = PLAN.elements;
  const staggerMask = PLAN.staggerMask;
  const rights = PLAN.readRights;
  let position = PLAN.position;
  let address = PLAN.base + <u64>position * stride;
  let strays: u64 = 0;
  for (let at = BLOCK; at < end; at += ENTRY_BYTES) {
    const staggered = address + <u64>((position & staggerMask) << 6);
    strays |= strayBits(staggered);
    put(at, staggered, rights);
    address += stride;
    if (++position == elements) {
      position = 0;
      address = PLAN.base;
    }
  }
  PLAN.position = position;
  return strays;
}

function makeAny(end: usize): u64 {
  const order = PLAN.order;
  const elements = PLAN.elements;
  let position = PLAN.position;
  let random = PLAN.random;
  let strays: u64 = 0;
  for (let at = BLOCK; at < end; at += ENTRY_BYTES) {
    const element = order == ORDER_RANDOM ? below(random, elements) : position;
    let address = PLAN.base + <u64>element * PLAN.stride;
    if (order == ORDER_LIST) {
      address = (<u64>load<f64>(STREAM + ((<usize>(STREAM_PAGES + element)) << 3))) << 12;
    }
    address += <u64>((element & PLAN.staggerMask) << 6);
    strays |= strayBits(address);
    const writes = <u64>(random * 0x85ebca6b) < PLAN.writeThreshold;
    put(at, address, writes ? PLAN.writeRights : PLAN.readRights);
    if (PLAN.usesRandom != 0) random = nextRandom(random);
    position = nextPosition(position);
  }
  PLAN.position = position;
  PLAN.random = random;
  return strays;
}

/** Moves the plan over `count` accesses. */
export function skip(count: u32): void {
  for (let left = count; left != 0; left--) {
    if (PLAN.usesRandom != 0) PLAN.random = nextRandom(PLAN.random);
    PLAN.position = nextPosition(PLAN.position);
  }
}
