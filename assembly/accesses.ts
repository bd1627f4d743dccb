// The accesses of a stream, made in blocks ahead of their use: the loop that carries them out then
// knows nothing of orders and random numbers. What a stop leaves over is made again.
//
//   block:  65 x address u64 | 65 x rights of its kind, address u32 and 0
//
// Sequences are made two accesses at a time, hence the one place more.

import { ORDER_CHASE, ORDER_LIST, ORDER_RANDOM, ORDER_SEQUENTIAL, STREAM_PAGES } from "./abi.ts";
import { STREAM } from "./layout.ts";
import { PLAN, strayBits } from "./plan.ts";

export const BLOCK_ACCESSES: u32 = 64;
export const ENTRY_BYTES: usize = 8;
/** From an access's address to its rights. */
const RIGHTS: usize = (<usize>BLOCK_ACCESSES + 1) * ENTRY_BYTES;
export const BLOCK: usize = memory.data(2 * <u32>RIGHTS, 64);

/** Of the access whose place in the block is `at`. */
export function addressOf(at: usize): u64 {
  return load<u64>(at);
}

/** Where the two words are that say what the access needs of an entry. */
export function rightsFor(at: usize): usize {
  return <usize>load<u32>(at, RIGHTS);
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
  store<u32>(at, <u32>rights, RIGHTS);
}

/** Makes the next `count` accesses, at most a block, and moves the plan behind them. */
export function makeBlock(count: u32): void {
  const end = BLOCK + <usize>count * ENTRY_BYTES;
  if (PLAN.order == ORDER_RANDOM) makeRandom(end);
  else if (PLAN.order == ORDER_SEQUENTIAL && PLAN.usesRandom == 0) makeSequence(end);
  else makeAny(end);
}

/** A sequence whose accesses are all of one kind. */
function makeSequence(end: usize): void {
  const stride = PLAN.stride;
  const rights = i64x2.splat(PLAN.readRights);
  const mask = i64x2.splat(PLAN.staggerMask);
  let position = PLAN.position;
  let at = BLOCK;
  while (at < end) {
    const count = min<u32>(<u32>((end - at) / ENTRY_BYTES), PLAN.elements - position);
    const first = PLAN.base + <u64>position * stride;
    let addresses = i64x2.replace_lane(i64x2.splat(first), 1, first + stride);
    let elements = i64x2.replace_lane(i64x2.splat(position), 1, position + 1);
    const stop = at + <usize>count * ENTRY_BYTES;
    for (; at < stop; at += 2 * ENTRY_BYTES) {
      const staggers = i64x2.shl(v128.and(elements, mask), 6);
      v128.store(at, i64x2.add(addresses, staggers));
      v128.store(at, rights, RIGHTS);
      addresses = i64x2.add(addresses, i64x2.splat(2 * stride));
      elements = i64x2.add(elements, i64x2.splat(2));
    }
    at = stop;
    position += count;
    if (position == PLAN.elements) position = 0;
  }
  PLAN.position = position;
}

function makeRandom(end: usize): void {
  const base = PLAN.base;
  const stride = PLAN.stride;
  const elements = PLAN.elements;
  const staggerMask = PLAN.staggerMask;
  const writeThreshold = PLAN.writeThreshold;
  let random = PLAN.random;
  for (let at = BLOCK; at < end; at += ENTRY_BYTES) {
    const element = below(random, elements);
    const address = base + <u64>element * stride + <u64>((element & staggerMask) << 6);
    put(at, address, writes(random, writeThreshold) ? PLAN.writeRights : PLAN.readRights);
    random = nextRandom(random);
  }
  PLAN.random = random;
}

function writes(state: u32, threshold: u64): bool {
  return <u64>(state * 0x85ebca6b) < threshold;
}

function makeAny(end: usize): void {
  const order = PLAN.order;
  let position = PLAN.position;
  let random = PLAN.random;
  let strays: u64 = 0;
  for (let at = BLOCK; at < end; at += ENTRY_BYTES) {
    let address = PLAN.base + <u64>position * PLAN.stride;
    if (order == ORDER_LIST) {
      address = (<u64>load<f64>(STREAM + ((<usize>(STREAM_PAGES + position)) << 3))) << 12;
      strays |= strayBits(address, PLAN.canonicalShift);
    }
    address += <u64>((position & PLAN.staggerMask) << 6);
    const rights = writes(random, PLAN.writeThreshold) ? PLAN.writeRights : PLAN.readRights;
    put(at, address, rights);
    if (PLAN.usesRandom != 0) random = nextRandom(random);
    position = nextPosition(position);
  }
  PLAN.position = position;
  PLAN.random = random;
  if (order == ORDER_LIST) PLAN.canonical = strays == 0 ? 1 : 0;
}

/** Moves the plan over `count` accesses. */
export function skip(count: u32): void {
  for (let left = count; left != 0; left--) {
    if (PLAN.usesRandom != 0) PLAN.random = nextRandom(PLAN.random);
    PLAN.position = nextPosition(PLAN.position);
  }
}
