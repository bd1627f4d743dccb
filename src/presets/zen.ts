// What the presets of AMD's Zen 2 and Zen 3 say alike, from the same sources.

import type { PageSize } from "../machine/description.ts";
import type { PresetIdle, PresetTlbArray } from "./preset.ts";
import { estimated, inCycles, inNs, published } from "./sourced.ts";
import { cite } from "./sources.ts";

export const lru = estimated("lru", "no measurement of AMD's TLB replacement found");

export const fullyAssociative = (pageSizes: readonly PageSize[]): PresetTlbArray => ({
  pageSizes,
  entries: published(64, cite("CPUID")),
  ways: published(64, cite("CPUID", "fully associative")),
  replacement: lru,
  index: published("linear", "fully associative: one set"),
});

export const twoSockets = {
  maximumSockets: published(2, cite("PRODUCT")),
  oneHopSockets: published(1, "two sockets, joined directly"),
};

export const pageDirectoryCache = {
  pml5e: published(0, "no five-level paging"),
  pml4e: estimated(32, "half of the 64 entries of the page directory cache, as recalled"),
  pdpte: estimated(32, "half of the 64 entries of the page directory cache, as recalled"),
};

export const idle: PresetIdle = {
  pollExit: inCycles(estimated(50, "half of a PAUSE of 65 as recalled, and a misprediction")),
  c1Exit: inNs(estimated(500, "half of the 1 us that ACPI states for C1, an upper bound")),
};
