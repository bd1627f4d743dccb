// Local APICs (SDM 3A 11): an ICR write makes a vector pending at its target some cycles later; the
// target takes the highest one that has arrived, above the class in service, and ends it with EOI.
//
// A vector sent again while pending is one interrupt, with the earlier arrival.

import { COUNTER_INTERRUPTS_TAKEN, COUNTER_IPIS_SENT, DISTANCE_SAME_LLC } from "./abi.ts";
import { drain } from "./posted-stores.ts";
import { count } from "./counters.ts";
import { arrivalCycle, Core, coreAt, MACHINE, requestWord, serviceWord } from "./layout.ts";
import { cyclesOf, DELIVERY_CYCLES, distanceBetween } from "./topology.ts";

const VECTOR_WORDS: u32 = 4;

/** Priority class of the vector in service, -1 with none: bits 7:4 of the highest in ISR. */
function serviceClass(core: Core): i32 {
  const vector = highestInService(core);
  return vector < 0 ? -1 : vector >> 4;
}

function highestInService(core: Core): i32 {
  for (let word = <i32>VECTOR_WORDS - 1; word >= 0; word--) {
    const bits = load<u64>(serviceWord(core, word));
    if (bits != 0) return (word << 6) + 63 - <i32>clz(bits);
  }
  return -1;
}

/** Recomputes the arrival of the first vector that may be delivered. */
function updateNextInterrupt(core: Core): void {
  const above = serviceClass(core);
  let earliest: f64 = Infinity;
  for (let word: u32 = 0; word < VECTOR_WORDS; word++) {
    let bits = load<u64>(requestWord(core, word));
    while (bits != 0) {
      const vector = (word << 6) + <u32>ctz(bits);
      bits &= bits - 1;
      if (<i32>(vector >> 4) > above)
        earliest = min<f64>(earliest, load<f64>(arrivalCycle(core, vector)));
    }
  }
  core.nextInterrupt = earliest;
}

/** A write to the ICR. Serialising, as an xAPIC's is. */
export function writeIcr(index: u32): void {
  const core = coreAt(index);
  drain(core);
  core.clock += MACHINE.writeIcr;
}

/** The vector on its way to one target of the ICR write that has just been made. */
export function deliverIpi(index: u32, targetIndex: u32, vector: u32): void {
  assert(vector >= 16 && vector < 256);
  const core = coreAt(index);
  const target = coreAt(targetIndex);
  const distance = max<u32>(distanceBetween(core, target), DISTANCE_SAME_LLC);
  const arrival = core.clock + cyclesOf(DELIVERY_CYCLES, distance);
  const word = requestWord(target, vector >> 6);
  const bit = (<u64>1) << (vector & 63);
  const pending = (load<u64>(word) & bit) != 0;
  if (!pending || arrival < load<f64>(arrivalCycle(target, vector))) {
    store<f64>(arrivalCycle(target, vector), arrival);
  }
  store<u64>(word, load<u64>(word) | bit);
  updateNextInterrupt(target);
  count(core, COUNTER_IPIS_SENT);
}

/**
 * The local APIC's timer in TSC-deadline mode: the vector arrives at `cycle`; Infinity: never, also
 * if it has arrived and not been taken.
 */
export function setTimer(index: u32, vector: u32, cycle: f64): void {
  const core = coreAt(index);
  const word = requestWord(core, vector >> 6);
  const others = load<u64>(word) & ~((<u64>1) << (vector & 63));
  const isArmed = cycle < Infinity;
  if (isArmed) store<f64>(arrivalCycle(core, vector), cycle);
  store<u64>(word, isArmed ? others | ((<u64>1) << (vector & 63)) : others);
  updateNextInterrupt(core);
}

/** The highest deliverable vector that has arrived, or -1. */
function highestArrived(core: Core): i32 {
  const above = serviceClass(core);
  for (let word = <i32>VECTOR_WORDS - 1; word >= 0; word--) {
    let bits = load<u64>(requestWord(core, word));
    while (bits != 0) {
      const vector = (word << 6) + 63 - <i32>clz(bits);
      bits ^= (<u64>1) << (vector & 63);
      if (vector >> 4 > above && load<f64>(arrivalCycle(core, vector)) <= core.clock) return vector;
    }
  }
  return -1;
}

/** Takes the highest vector that has arrived: IRR to ISR, IF cleared as by an interrupt gate. */
export function acceptInterrupt(index: u32): i32 {
  const core = coreAt(index);
  const vector = highestArrived(core);
  if (vector < 0) return vector;
  const bit = (<u64>1) << (vector & 63);
  const requested = requestWord(core, vector >> 6);
  store<u64>(requested, load<u64>(requested) & ~bit);
  const inService = serviceWord(core, vector >> 6);
  store<u64>(inService, load<u64>(inService) | bit);
  core.interruptFlag = 0;
  core.clock += MACHINE.interruptEntry;
  updateNextInterrupt(core);
  count(core, COUNTER_INTERRUPTS_TAKEN);
  return vector;
}

export function endOfInterrupt(index: u32): void {
  const core = coreAt(index);
  drain(core);
  core.clock += MACHINE.endOfInterrupt;
  const vector = highestInService(core);
  if (vector < 0) return;
  const word = serviceWord(core, vector >> 6);
  store<u64>(word, load<u64>(word) & ~((<u64>1) << (vector & 63)));
  updateNextInterrupt(core);
}

/** Returns from a handler; what was interrupted had IF set. */
export function iret(index: u32): void {
  const core = coreAt(index);
  drain(core);
  core.clock += MACHINE.iret;
  core.interruptFlag = 1;
}
