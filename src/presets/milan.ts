// AMD Milan (Zen 3, 2021): 8-core complexes with an L3 each, the first EPYC with PCID and INVLPGB;
// lines are looked up at their home socket. AMD publishes no invalidation cost.

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

export const milan: Preset = {
  name: "milan",
  vendor: "AMD",
  microarchitecture: "Zen 3",
  sku: "EPYC 7763",
  frequency: inUnit(published(2.45, cite("PRODUCT", "base frequency (boost 3.5)")), "GHz"),
  physicalAddressBits: inUnit(published(48, cite("LSCPU", "EPYC 7763")), "bits"),
  features: {
    pcid: published(true, cite("CPUID", "leaf 7 EBX=219C97A9; PCID comes with INVPCID")),
    invpcid: published(true, cite("CPUID", "leaf 7 EBX=219C97A9, bit 10")),
    invlpgb: published(true, cite("CPUID", "8000_0008 EBX=91BEF75F, bit 3; up to 8 pages")),
    la57: published(false, cite("CPUID", "first in Zen 4")),
    smep: published(true, cite("CPUID", "leaf 7 EBX=219C97A9, bit 7")),
    smap: published(true, cite("CPUID", "leaf 7 EBX=219C97A9, bit 20")),
    protectionKeys: published(true, "AMD APM: memory protection keys begin with Zen 3"),
    supervisorKeys: published(false, "an Intel feature"),
  },
  topology: {
    coresPerLlc: published(8, cite("CPUID", "one CCX")),
    llcsPerSocket: published(8, cite("CPUID", "8 dies of one CCX")),
    ...twoSockets,
  },
  tlb: {
    firstLevelInstruction: [fullyAssociative(["4K", "2M", "1G"])],
    firstLevelData: [fullyAssociative(["4K", "2M", "1G"])],
    secondLevelInstruction: [
      {
        pageSizes: ["4K", "2M"],
        entries: published(512, cite("CPUID")),
        ways: published(
          8,
          `${cite("SEVEN_CPU_ZEN2", "8, as in Zen 2")}; CPUID says 4 for 4K pages, 2 for 2M`,
        ),
        replacement: lru,
        index: estimated("linear", "not measured"),
      },
    ],
    secondLevelData: [
      {
        pageSizes: ["4K", "2M"],
        entries: published(2048, cite("CPUID")),
        ways: published(8, cite("CPUID", "8 for 4K pages, 4 for 2M; the array may be 16-way")),
        replacement: lru,
        index: estimated("xor-fold", `as Zen 2, where it is skewed: ${cite("BRAIS_ZEN")}`),
      },
      fullyAssociative(["1G"]),
    ],
    secondLevelHit: {
      instruction: inCycles(estimated(7, "no figure for fetches found; as for data")),
      data: inCycles(published(7, `${cite("CHIPS_TLB")}; ${cite("MEMORY_LATENCY", "+5 to 7")}`)),
    },
    walk: inCycles(estimated(18, "no Zen 3 figure found; as Zen 2")),
    pcidsTracked: estimated(16, "no limit published and none measured; more than Linux's 6 ASIDs"),
    firstLevelDataPerPcid: estimated(false, "not measured; AMD tags entries with ASID and PCID"),
  },
  structureCaches: {
    ...pageDirectoryCache,
    pde: estimated(64, `as Zen 2: PDEs live in the L2 DTLB (${cite("WIKICHIP_ZEN2")})`),
  },
  caches: {
    l1d: cacheOf(
      { kib: 32, ways: 8, source: cite("CPUID") },
      inCycles(published(4, cite("MEMORY_LATENCY", "as in Zen 2"))),
    ),
    l2: cacheOf(
      { kib: 512, ways: 8, source: cite("CPUID") },
      inCycles(published(12, `${cite("MEMORY_LATENCY")}; ${cite("CHIPS_SPR")}`)),
    ),
    llc: cacheOf(
      { kib: 32 * 1024, ways: 16, source: cite("CPUID", "32 MiB a CCX") },
      inCycles(published(47, cite("CHIPS_SPR", "InstLatX64 of a Ryzen 5900X says 51 (conflict)"))),
    ),
  },
  memory: {
    local: inNs(published(112.34, cite("CHIPS_SPR", "EPYC 7763"))),
    remote: inNs(
      estimated(203, "local plus the difference of core-to-core across sockets and CCXs (90.7)"),
    ),
  },
  line: {
    locked: inCycles(published(6.5, cite("INSTRUCTION_LATENCY", "Vermeer, LOCK ADD"))),
    handover: {
      sameLlc: inNs(published(22.7, cite("CORE_TO_CORE", "median, 2 x EPYC 7R13"))),
      sameSocket: inNs(published(107.6, cite("CORE_TO_CORE", "median, line homed locally"))),
      oneHop: inNs(published(198.3, cite("CORE_TO_CORE", "median"))),
      twoHops: inNs(estimated(289, "not sold; one hop plus what the first hop added (90.7)")),
    },
    directoryAtHome: published(
      true,
      `${cite("CORE_TO_CORE", "socket 2 is about 200 ns within itself")}; ${cite("CHIPS_C2C")}`,
    ),
    readOccupancy: unmeasuredReadOccupancy,
  },
  instruction: { ...unmeasuredInstructions, ...unmeasuredAmdInvalidation },
  broadcast: {
    pages: published(8, cite("CPUID", "8000_0008 EDX[15:0]=7, plus one")),
    issue: inCycles(estimated(300, "no figure found; about an ICR write")),
    completion: inCycles(
      estimated(
        1500,
        "no figure found; a broadcast over two sockets and back, 0.3 to 0.5 us, and queues; " +
          `a whole flush takes at most 2.7 us of CPU time (${cite("INVLPGB_SERIES")})`,
      ),
    ),
  },
  interrupt: unmeasuredInterrupt(ipiWithinComplex),
  idle,
};
