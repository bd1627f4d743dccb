// Intel Haswell-EP (2014): ring, inclusive L3, an 8-way second-level TLB without 1G pages. Latency
// between cores was published only for its successor Broadwell-EP, which stands in for it.

import type { Preset } from "./preset.ts";
import { cacheOf, estimated, inCycles, inNs, inUnit, published } from "./sourced.ts";
import { cite } from "./sources.ts";
import {
  ipiWithinSocket,
  unmeasuredInstructions,
  unmeasuredInterrupt,
  unmeasuredReadOccupancy,
} from "./unmeasured.ts";

const plru4 = published("tree-plru", cite("TLB_DESYNC", "Haswell preset: PLRU of 4 ways"));
const plru8 = published("tree-plru", cite("TLB_DESYNC", "Haswell preset: PLRU of 8 ways"));
const lruOfFew = estimated("lru", "not measured; few entries, where policies hardly differ");
const linear = estimated("linear", "not measured on Haswell; Skylake's first level is linear");
const broadwell = "median of a Xeon E5-2695 v4 (Broadwell-EP), the nearest CPU measured";

export const haswellEp: Preset = {
  name: "haswell-ep",
  vendor: "Intel",
  microarchitecture: "Haswell-EP",
  sku: "Xeon E5-2699 v3",
  frequency: inUnit(published(2.3, cite("PRODUCT", "base frequency (turbo 3.6)")), "GHz"),
  physicalAddressBits: inUnit(published(46, cite("LSCPU", "Xeon E5-2670 v3")), "bits"),
  features: {
    pcid: published(true, cite("CPUID", "leaf 7 EBX=37AB; PCID comes with INVPCID")),
    invpcid: published(true, cite("CPUID", "leaf 7 EBX=37AB, bit 10")),
    invlpgb: published(false, cite("CPUID", "an AMD instruction")),
    la57: published(false, "Intel SDM: five-level paging begins with Ice Lake"),
    smep: published(true, cite("CPUID", "leaf 7 EBX=37AB, bit 7")),
    smap: published(false, cite("CPUID", "leaf 7 EBX=37AB, bit 20; first in Broadwell")),
    protectionKeys: published(false, "Linux, core-api/protection-keys: servers from Skylake on"),
    supervisorKeys: published(false, "Intel SDM: PKS begins with Alder Lake and Sapphire Rapids"),
  },
  topology: {
    coresPerLlc: published(18, cite("PRODUCT")),
    llcsPerSocket: published(1, cite("PRODUCT", "cluster on die off")),
    maximumSockets: published(2, cite("PRODUCT")),
    oneHopSockets: published(1, "two sockets, joined directly"),
  },
  tlb: {
    firstLevelInstruction: [
      {
        pageSizes: ["4K"],
        entries: published(
          64,
          cite("MEMORY_LATENCY", "descriptor B5h, 8-way; Intel's manual says 128 (conflict)"),
        ),
        ways: published(8, `${cite("MEMORY_LATENCY")}; ${cite("TLB_DESYNC", "8-way PLRU")}`),
        replacement: plru8,
        index: linear,
      },
      {
        pageSizes: ["2M"],
        entries: published(8, cite("MEMORY_LATENCY")),
        ways: published(8, cite("MEMORY_LATENCY", "fully associative")),
        replacement: lruOfFew,
        index: linear,
      },
    ],
    firstLevelData: [
      {
        pageSizes: ["4K"],
        entries: published(64, cite("MEMORY_LATENCY")),
        ways: published(4, cite("MEMORY_LATENCY")),
        replacement: plru4,
        index: linear,
      },
      {
        pageSizes: ["2M"],
        entries: published(32, cite("CPUID", "leaf 2 descriptor 63h, as recalled from the SDM")),
        ways: published(4, cite("CPUID", "leaf 2 descriptor 63h, as recalled from the SDM")),
        replacement: estimated("tree-plru", "not measured; as the 4K array of the same ways"),
        index: linear,
      },
      {
        pageSizes: ["1G"],
        entries: published(4, cite("MEMORY_LATENCY")),
        ways: published(4, cite("MEMORY_LATENCY")),
        replacement: lruOfFew,
        index: linear,
      },
    ],
    secondLevelInstruction: "shared",
    secondLevelData: [
      {
        pageSizes: ["4K", "2M"],
        entries: published(1024, cite("MEMORY_LATENCY", "shared 4K/2M; no 1G")),
        ways: published(8, cite("MEMORY_LATENCY")),
        replacement: plru8,
        index: estimated("xor-fold", "not measured on Haswell; Skylake's second level folds"),
      },
    ],
    secondLevelHit: {
      instruction: inCycles(published(14, cite("PMU_TOOLS"))),
      data: inCycles(published(8, cite("PMU_TOOLS"))),
    },
    walk: inCycles(
      estimated(
        12,
        `${cite("MEMORY_LATENCY", "54.5 to 63 cycles past 1024 pages")}: 8 over a second-level ` +
          "hit of 8, less one PTE load from L1D (4); assumes that every load beyond misses",
      ),
    ),
    pcidsTracked: estimated(4, `not measured on Haswell; Skylake: ${cite("TLB_DESYNC", "4")}`),
    firstLevelDataPerPcid: estimated(true, `as Skylake: ${cite("TLB_DESYNC")}`),
  },
  structureCaches: {
    pml5e: published(0, "no five-level paging"),
    pml4e: estimated(4, `no Intel figure published; ${cite("CHAMPSIM")}`),
    pdpte: estimated(4, `no Intel figure published; RevAnC (2017) found 3 to 4, as recalled`),
    pde: estimated(32, `no Intel figure published; ${cite("CHAMPSIM")}`),
  },
  caches: {
    l1d: cacheOf(
      { kib: 32, ways: 8, source: cite("MEMORY_LATENCY") },
      inCycles(published(4, cite("MEMORY_LATENCY"))),
    ),
    l2: cacheOf(
      { kib: 256, ways: 8, source: cite("MEMORY_LATENCY") },
      inCycles(published(12, cite("MEMORY_LATENCY"))),
    ),
    llc: cacheOf(
      { kib: 18 * 2560, ways: 20, source: cite("CPUID", "2.5 MiB a core, 18 cores, 20-way") },
      inCycles(
        published(
          46,
          `${cite("MEMORY_LATENCY", "E5-2660 v3, 54 with 4K pages")}, less 8 of the ` +
            `second-level TLB; ${cite("PMU_TOOLS")} says 41 (conflict: client ring)`,
        ),
      ),
    ),
  },
  memory: {
    local: inNs(published(85, cite("MEMORY_LATENCY", "E5-2660 v3, random within a page"))),
    remote: inNs(
      estimated(132, `85 ns by the ratio 310 / 200 of remote to local of ${cite("PMU_TOOLS")}`),
    ),
  },
  line: {
    locked: inCycles(published(19, cite("INSTRUCTION_LATENCY"))),
    handover: {
      sameLlc: inNs(estimated(43.5, cite("CORE_TO_CORE", broadwell))),
      sameSocket: inNs(estimated(43.5, "one LLC is the whole socket; the ring's value")),
      oneHop: inNs(estimated(118.1, cite("CORE_TO_CORE", broadwell))),
      twoHops: inNs(estimated(192.7, "not sold; one hop plus what the first hop added (74.6)")),
    },
    directoryAtHome: estimated(false, "ring with an inclusive L3: flat within the socket"),
    readOccupancy: unmeasuredReadOccupancy,
  },
  instruction: {
    ...unmeasuredInstructions,
    writeCr3Flush: inCycles(
      published(124, cite("HANSEN_2015", "a loop, so rather low; Molnar 251 hot, 366 cold")),
    ),
    writeCr3NoFlush: inCycles(estimated(110, cite("PTI_DOC"))),
    writeCr4: inCycles(published(480, cite("HANSEN_2015", "global flush 960 = two CR4 writes"))),
    invlpg: inCycles(published(216, cite("HANSEN_2015"))),
    invpcid: {
      address: inCycles(estimated(300, "between INVLPG (216) and Skylake's 310")),
      context: inCycles(estimated(230, `1.85 CR3 writes of 124, by ${cite("INVPCID_THREAD")}`)),
      all: inCycles(
        estimated(670, `0.70 of two CR4 writes (960), by ${cite("INVPCID_COMMIT", "376 / 539")}`),
      ),
      allButGlobals: inCycles(
        estimated(143, `1.15 CR3 writes of 124, by ${cite("INVPCID_THREAD")}`),
      ),
    },
  },
  interrupt: unmeasuredInterrupt(ipiWithinSocket),
  idle: {
    pollExit: inCycles(estimated(25, "PAUSE about 10 before Skylake, and a misprediction")),
    c1Exit: inNs(
      estimated(1000, `half of the 2 us of ${cite("INTEL_IDLE")}, a worst case for the governor`),
    ),
    c6Exit: inNs(estimated(66_500, `half of the 133 us of ${cite("INTEL_IDLE")}, as for C1`)),
  },
};
