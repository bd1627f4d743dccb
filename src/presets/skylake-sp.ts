// Intel Skylake-SP (2017): mesh, non-inclusive L3, a 12-way second-level TLB shared by fetches and
// loads. The best documented preset: TLB geometry and replacement were measured by TLB;DR.

import type { Preset } from "./preset.ts";
import { cacheOf, estimated, inCycles, inNs, inUnit, published } from "./sourced.ts";
import { cite } from "./sources.ts";
import {
  ipiWithinSocket,
  unmeasuredInstructions,
  unmeasuredInterrupt,
  unmeasuredReadOccupancy,
} from "./unmeasured.ts";

const plru = published("tree-plru", cite("TLB_DESYNC", "PLRU"));
const linear = published("linear", cite("TLB_DESYNC", "set = low bits of the page number"));
const lruOfFew = estimated("lru", "not measured; few entries, where policies hardly differ");
const linearUnmeasured = estimated("linear", "not measured for large pages; as for 4K pages");
const notMeshed =
  "one LLC is the whole socket; used only if a topology splits it: the mesh's value";

export const skylakeSp: Preset = {
  name: "skylake-sp",
  vendor: "Intel",
  microarchitecture: "Skylake-SP",
  sku: "Xeon Platinum 8180",
  frequency: inUnit(published(2.5, cite("PRODUCT", "base frequency (turbo 3.8)")), "GHz"),
  physicalAddressBits: inUnit(published(46, cite("LSCPU", "Xeon Platinum 8260")), "bits"),
  features: {
    pcid: published(true, cite("CPUID", "leaf 7 EBX=D39FFFFB; PCID comes with INVPCID")),
    invpcid: published(true, cite("CPUID", "leaf 7 EBX=D39FFFFB, bit 10")),
    invlpgb: published(false, cite("CPUID", "an AMD instruction")),
    la57: published(false, "Intel SDM: five-level paging begins with Ice Lake"),
    smep: published(true, cite("CPUID", "leaf 7 EBX=D39FFFFB, bit 7")),
    smap: published(true, cite("CPUID", "leaf 7 EBX=D39FFFFB, bit 20")),
    protectionKeys: published(true, "Linux, core-api/protection-keys: servers from Skylake on"),
    supervisorKeys: published(false, "Intel SDM: PKS begins with Alder Lake and Sapphire Rapids"),
  },
  topology: {
    coresPerLlc: published(28, cite("PRODUCT")),
    llcsPerSocket: published(1, cite("PRODUCT", "one mesh; sub-NUMA clustering off")),
    maximumSockets: published(8, cite("PRODUCT", "8-socket capable, 3 UPI links")),
    oneHopSockets: published(3, "3 UPI links: up to 4 sockets are fully connected"),
  },
  tlb: {
    firstLevelInstruction: [
      {
        pageSizes: ["4K"],
        entries: published(
          128,
          cite("TLB_DESYNC", "measured 16 sets of 8; CPUID's descriptor B5h says 64 (conflict)"),
        ),
        ways: published(8, cite("TLB_DESYNC")),
        replacement: plru,
        index: linear,
      },
      {
        pageSizes: ["2M"],
        entries: published(8, cite("MEMORY_LATENCY", "8 per thread")),
        ways: published(8, cite("MEMORY_LATENCY", "fully associative")),
        replacement: lruOfFew,
        index: linearUnmeasured,
      },
    ],
    firstLevelData: [
      {
        pageSizes: ["4K"],
        entries: published(64, cite("TLB_DESYNC", "16 sets of 4")),
        ways: published(4, cite("TLB_DESYNC")),
        replacement: plru,
        index: linear,
      },
      {
        pageSizes: ["2M"],
        entries: published(32, cite("MEMORY_LATENCY")),
        ways: published(4, cite("MEMORY_LATENCY")),
        replacement: estimated("tree-plru", "not measured; as the 4K array of the same ways"),
        index: linearUnmeasured,
      },
      {
        pageSizes: ["1G"],
        entries: published(4, cite("MEMORY_LATENCY")),
        ways: published(4, cite("MEMORY_LATENCY")),
        replacement: lruOfFew,
        index: linearUnmeasured,
      },
    ],
    secondLevelInstruction: "shared",
    secondLevelData: [
      {
        pageSizes: ["4K", "2M"],
        entries: published(1536, cite("MEMORY_LATENCY")),
        ways: published(
          12,
          cite("TLB_DESYNC", "128 sets of 12; the SDM's descriptor C3h says 6-way, a misprint"),
        ),
        replacement: published("mru-plus-one-plru", cite("TLB_DESYNC", "(MRU+1)%3, PLRU of 4")),
        index: published("xor-fold", cite("TLB_DESYNC", "XOR of two groups of 7 bits")),
      },
      {
        pageSizes: ["1G"],
        entries: published(16, cite("MEMORY_LATENCY")),
        ways: published(4, cite("MEMORY_LATENCY")),
        replacement: estimated("tree-plru", "not measured; as the other 4-way arrays"),
        index: linearUnmeasured,
      },
    ],
    secondLevelHit: {
      instruction: inCycles(
        estimated(14, `as Haswell (${cite("PMU_TOOLS")}); no Skylake-SP figure for fetches`),
      ),
      data: inCycles(
        published(9, `${cite("PMU_TOOLS")}; confirmed: ${cite("MEMORY_LATENCY", "14 to 23")}`),
      ),
    },
    walk: inCycles(
      estimated(
        16,
        `${cite("MEMORY_LATENCY", "75 to 86 cycles past 1536 pages")}: 11 over a second-level ` +
          "hit of 9, less one PTE load from L1D (4); assumes that every load beyond misses",
      ),
    ),
    pcidsTracked: published(4, cite("TLB_DESYNC", "4 PCIDs, LRU among them")),
    firstLevelDataPerPcid: published(true, cite("TLB_DESYNC", "0 PCIDs survive in the dTLB")),
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
      { kib: 1024, ways: 16, source: cite("MEMORY_LATENCY") },
      inCycles(published(14, cite("MEMORY_LATENCY"))),
    ),
    llc: cacheOf(
      { kib: 28 * 1408, ways: 11, source: cite("CPUID", "1.375 MiB a core, 28 cores") },
      inNs(
        published(
          20.5,
          `${cite("PMU_TOOLS")}; agrees with ${cite("MEMORY_LATENCY")}: 74 cycles at 3.3 GHz ` +
            "less 9 of the second-level TLB = 20 ns",
        ),
      ),
    ),
  },
  memory: {
    local: inNs(published(80, cite("PMU_TOOLS"))),
    remote: inNs(published(147.5, cite("PMU_TOOLS"))),
  },
  line: {
    locked: inCycles(published(18.1, cite("INSTRUCTION_LATENCY"))),
    handover: {
      sameLlc: inNs(published(46.6, cite("CORE_TO_CORE", "median, Xeon Platinum 8275CL"))),
      sameSocket: inNs(estimated(46.6, notMeshed)),
      oneHop: inNs(
        published(134.1, `${cite("CORE_TO_CORE", "median, 8275CL")}; 4 sockets up to 150 ns`),
      ),
      twoHops: inNs(
        estimated(221.6, "no 8-socket figure; one hop plus what the first hop added (87.5)"),
      ),
    },
    directoryAtHome: published(false, cite("CHIPS_C2C", "flat within the socket")),
    readOccupancy: unmeasuredReadOccupancy,
  },
  instruction: {
    ...unmeasuredInstructions,
    writeCr3Flush: inCycles(
      estimated(200, `between 124 (${cite("HANSEN_2015")}) and 251 (${cite("MOLNAR_2015")})`),
    ),
    writeCr3NoFlush: inCycles(estimated(120, cite("PTI_DOC"))),
    writeCr4: inNs(published(269.5, cite("INVPCID_COMMIT", "539 ns for two CR4 writes"))),
    invlpg: inCycles(
      estimated(170, cite("AMIT_2019", "at most 190: 381 cycles a page with two INVLPGs")),
    ),
    invpcid: {
      address: inCycles(
        estimated(310, cite("AMIT_2019", "138 cycles above INVLPG, itself a bound")),
      ),
      context: inCycles(estimated(370, `${cite("INVPCID_THREAD")}; CR3 write 200 estimated`)),
      all: inNs(published(376, cite("INVPCID_COMMIT"))),
      allButGlobals: inCycles(estimated(230, `${cite("INVPCID_THREAD")}; CR3 write 200 estimated`)),
    },
  },
  interrupt: unmeasuredInterrupt(ipiWithinSocket),
  idle: {
    pollExit: inCycles(
      estimated(90, `${cite("INSTRUCTION_LATENCY", "PAUSE 141")}: half of it, and a misprediction`),
    ),
    c1Exit: inNs(
      estimated(1000, `half of the 2 us of ${cite("INTEL_IDLE")}, a worst case for the governor`),
    ),
    c6Exit: inNs(estimated(66_500, `half of the 133 us of ${cite("INTEL_IDLE")}, as for C1`)),
  },
};
