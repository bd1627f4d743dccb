// Who is how far from whom: cores share LLCs, LLCs share sockets, sockets are one or two links
// apart.

import {
  DISTANCE_ONE_HOP,
  DISTANCE_SAME_LLC,
  DISTANCE_SAME_SOCKET,
  DISTANCE_SELF,
  DISTANCE_TWO_HOPS,
} from "./abi.ts";
import { Core, coreAt, MACHINE } from "./layout.ts";

/** Cycles by distance class: of a line's transfer, and of an interrupt's delivery. */
export const TRANSFER_CYCLES: usize = memory.data(5 * 8, 8);
export const DELIVERY_CYCLES: usize = memory.data(5 * 8, 8);

export function cyclesOf(table: usize, distance: u32): f64 {
  return load<f64>(table + ((<usize>distance) << 3));
}

function socketDistance(a: u32, b: u32): u32 {
  if (a == b) return DISTANCE_SAME_SOCKET;
  const apart = a > b ? a - b : b - a;
  return apart > MACHINE.oneHopSockets ? DISTANCE_TWO_HOPS : DISTANCE_ONE_HOP;
}

export function distanceBetween(a: Core, b: Core): u32 {
  if (a.index == b.index) return DISTANCE_SELF;
  return a.llc == b.llc ? DISTANCE_SAME_LLC : socketDistance(a.socket, b.socket);
}

export function distance(a: u32, b: u32): u32 {
  return distanceBetween(coreAt(a), coreAt(b));
}

export function socketOf(core: u32): u32 {
  return coreAt(core).socket;
}

/** The furthest class between any two cores of this machine. */
export function furthestDistance(): u32 {
  if (MACHINE.socketCount > MACHINE.oneHopSockets + 1) return DISTANCE_TWO_HOPS;
  if (MACHINE.socketCount > 1) return DISTANCE_ONE_HOP;
  return MACHINE.coreCount > MACHINE.coresPerLlc ? DISTANCE_SAME_SOCKET : DISTANCE_SAME_LLC;
}
