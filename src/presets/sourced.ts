// How a preset file writes down a number: published or estimated, and in which unit.

import type { Latency, PresetCache, Sourced, Unit } from "./preset.ts";

/** A value that `source` states, or that follows from what it states by the arithmetic given. */
export const published = <const T>(value: T, source: string): Sourced<T> => ({ value, source });

/** A value that nobody published, and why it was chosen. */
export const estimated = <const T>(value: T, reason: string): Sourced<T> => ({
  value,
  source: reason,
  estimate: true,
});

export const inCycles = (value: Sourced<number>): Latency => ({ ...value, unit: "cycles" });
export const inNs = (value: Sourced<number>): Latency => ({ ...value, unit: "ns" });
export const inUnit = (value: Sourced<number>, unit: Unit): Sourced<number> => ({ ...value, unit });

const BYTES_PER_KIB = 1024;

/** A cache whose size and ways one source states, and its latency another. */
export const cacheOf = (
  geometry: { readonly kib: number; readonly ways: number; readonly source: string },
  latency: Latency,
): PresetCache => ({
  size: inUnit(published(geometry.kib * BYTES_PER_KIB, geometry.source), "bytes"),
  ways: published(geometry.ways, geometry.source),
  latency,
});
