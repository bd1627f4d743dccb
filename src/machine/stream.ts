// A run of user accesses that the machine carries out by itself: where, in which order, how many.
// The object holds the progress, so that a stream goes on where a fault or an interrupt stopped it.

import type { PageNumber } from "../base/address.ts";

export type StreamOrder = "sequential" | "random" | "chase" | "list";

export interface Stream {
  readonly base: PageNumber;
  /** Element i is at base * 4096 + i * strideBytes, plus (i & 63) * 64 when staggered. */
  readonly strideBytes: number;
  readonly stagger: boolean;
  readonly elements: number;
  /** "chase" visits all elements in one fixed shuffled cycle; "list" visits `pages`. */
  readonly order: StreamOrder;
  /** At most 512. */
  readonly pages?: readonly PageNumber[];
  readonly kind: "read" | "write" | "execute";
  /** How many percent of the accesses of a "read" stream write. */
  readonly writePercent: number;
  /** Computation between two accesses. */
  readonly thinkCycles: number;
  position: number;
  remaining: number;
  /** State of the stream's generator: 1..2^32-1. */
  random: number;
}

export interface StreamOptions {
  readonly base?: PageNumber;
  readonly strideBytes?: number;
  readonly stagger?: boolean;
  /** One for each page unless given. */
  readonly elements?: number;
  readonly order?: StreamOrder;
  readonly pages?: readonly PageNumber[];
  readonly kind?: "read" | "write" | "execute";
  readonly writePercent?: number;
  readonly thinkCycles?: number;
  /** Each element once unless given. */
  readonly accesses?: number;
  readonly seed?: number;
}

export function userStream(options: StreamOptions): Stream {
  const { pages } = options;
  const elements = options.elements ?? pages?.length ?? 1;
  const stream: Stream = {
    base: options.base ?? (0 as PageNumber),
    strideBytes: options.strideBytes ?? 4096,
    stagger: options.stagger ?? true,
    elements,
    order: options.order ?? (pages === undefined ? "sequential" : "list"),
    kind: options.kind ?? "read",
    writePercent: options.writePercent ?? 0,
    thinkCycles: options.thinkCycles ?? 0,
    position: 0,
    remaining: options.accesses ?? elements,
    random: Math.imul(options.seed ?? 1, 0x9e3779b1) >>> 0 || 1,
  };
  return pages === undefined ? stream : { ...stream, pages };
}
