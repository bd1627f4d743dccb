// AMD Rome (Zen 2, 2019): 4-core complexes with an L3 each, no PCID, and lines that are looked up
// at their home socket. AMD publishes no invalidation cost and nobody its TLB replacement.

import type { Preset } from "./preset.ts";
import { cacheOf, estimated, inCycles, inNs, inUnit, published } from "./sourced.ts";
import { cite } from "./sources.ts";
import {
  ipiWithinComplex,
  unmeasuredAmdInvalidation,
  unmeasuredInstructions,
  unmeasuredInterrupt,
  unmeasuredReadOccupancy,
} from "./unmeasured.ts";
import { fullyAssociative, idle, lru, pageDirectoryCache, twoSockets } from "./zen.ts";

export const rome: Preset = {
  name: "rome",
  vendor: "AMD",
  microarchitecture: "Zen 2",
  sku: "EPYC 7742",
  frequency: inUnit(published(2.25, cite("PRODUCT", "base frequency (boost 3.4)")), "GHz"),
  physicalAddressBits: inUnit(published(48, cite("LSCPU", "Ryzen 5700U, Zen 2")), "bits"),
  features: {
    pcid: published(false, cite("CPUID", "leaf 7 EBX=219C91A9; first in Zen 3")),
    invpcid: published(false, cite("CPUID", "leaf 7 EBX=219C91A9, bit 10")),
    invlpgb: published(false, cite("CPUID", "8000_0008 EBX=018EF757, bit 3")),
    la57: published(false, cite("CPUID", "first in Zen 4")),
    smep: published(true, cite("CPUID", "leaf 7 EBX=219C91A9, bit 7")),
    smap: published(true, cite("CPUID", "leaf 7 EBX=219C91A9, bit 20")),
    protectionKeys: published(false, "AMD APM: memory protection keys begin with Zen 3"),
    supervisorKeys: published(false, "an Intel feature"),
  },
  topology: {
    coresPerLlc: published(4, cite("CPUID", "one CCX")),
    llcsPerSocket: published(16, cite("CPUID", "8 dies of 2 CCXs")),
    ...twoSockets,
  },
  tlb: {
    firstLevelInstruction: [fullyAssociative(["4K", "2M", "1G"])],
    firstLevelData: [fullyAssociative(["4K", "2M", "1G"])],
    secondLevelInstruction: [
      {
        pageSizes: ["4K", "2M"],
        entries: published(
          512,
          cite("SEVEN_CPU_ZEN2", "CPUID 8000_0006 of an early stepping says 1024 (conflict)"),
        ),
        ways: published(8, cite("SEVEN_CPU_ZEN2")),
        replacement: lru,
        index: estimated("linear", "not measured"),
      },
    ],
    secondLevelData: [
      {
        pageSizes: ["4K", "2M"],
        entries: published(2048, cite("WIKICHIP_ZEN2", "1G pages are split to 2M")),
        ways: published(
          8,
          `${cite("CPUID", "8 for 4K pages, 4 for 2M")}; the array itself is a skewed 12-way ` +
            `(${cite("BRAIS_ZEN")}), which leaves no whole number of sets (conflict)`,
        ),
        replacement: lru,
        index: estimated("xor-fold", `nearest to skewing: ${cite("BRAIS_ZEN")}`),
      },
    ],
    secondLevelHit: {
      instruction: inCycles(estimated(7, "no figure for fetches found; as for data")),
      data: inCycles(published(7, `${cite("CHIPS_TLB")}; ${cite("MEMORY_LATENCY", "13 to 19")}`)),
    },
    walk: inCycles(
      estimated(
        18,
        `${cite("MEMORY_LATENCY", "50 to 65 cycles at 3072 pages")}: 15 over a second-level hit ` +
          "of 7, less one PTE load from L1D (4); part of the rise may be the L3",
      ),
    ),
    pcidsTracked: estimated(16, "unused: no PCID"),
    firstLevelDataPerPcid: estimated(false, "unused: no PCID"),
  },
  structureCaches: {
    ...pageDirectoryCache,
    pde: estimated(64, `PDEs live in the L2 DTLB (${cite("WIKICHIP_ZEN2")}); a share of it`),
  },
  caches: {
    l1d: cacheOf(
      { kib: 32, ways: 8, source: cite("CPUID") },
      inCycles(published(4, cite("MEMORY_LATENCY", "4 at 32 KiB"))),
    ),
    l2: cacheOf(
      { kib: 512, ways: 8, source: cite("CPUID") },
      inCycles(published(12, cite("MEMORY_LATENCY", "Anandtech says 13 (conflict)"))),
    ),
    llc: cacheOf(
      { kib: 16 * 1024, ways: 16, source: cite("CPUID", "16 MiB a CCX") },
      inCycles(
        published(
          44,
          `${cite("MEMORY_LATENCY", "44 to 46")}, the run that gives the pages curve; ` +
            `${cite("ANANDTECH_ROME", "34 at 3.4 GHz")} (conflict)`,
        ),
      ),
    ),
  },
  memory: {
    local: inNs(published(122, cite("ANANDTECH_ROME", "NPS1, 128 MiB, TLB misses included"))),
    remote: inNs(
      estimated(257, "local plus the difference of core-to-core across sockets and CCXs (134.6)"),
    ),
  },
  line: {
    locked: inCycles(published(17.7, cite("INSTRUCTION_LATENCY"))),
    handover: {
      sameLlc: inNs(published(25.3, cite("CORE_TO_CORE", "median, 2 x EPYC 7742"))),
      sameSocket: inNs(published(132.1, cite("CORE_TO_CORE", "median, line homed locally"))),
      oneHop: inNs(published(266.7, cite("CORE_TO_CORE", "median"))),
      twoHops: inNs(estimated(401.3, "not sold; one hop plus what the first hop added (134.6)")),
    },
    directoryAtHome: published(
      true,
      cite("CORE_TO_CORE", "24064 pairs = one socket's CCX pairs lie in the remote cluster"),
    ),
    readOccupancy: unmeasuredReadOccupancy,
  },
  instruction: { ...unmeasuredInstructions, ...unmeasuredAmdInvalidation },
  interrupt: unmeasuredInterrupt(ipiWithinComplex),
  idle,
};
