// A small two-socket machine for tests. Each test says what it changes.

import { EVERY_FEATURE } from "../../src/base/architecture.ts";
import type { MachineDescription, TlbDescription } from "../../src/machine/description.ts";

const DISTANCES = { sameLlc: 50, sameSocket: 100, oneHop: 200, twoHops: 300 };

export const TLB: TlbDescription = {
  firstLevelInstruction: [
    { entries: 64, ways: 8, pageSizes: ["4K"], replacement: "lru", index: "linear" },
    { entries: 8, ways: 8, pageSizes: ["2M"], replacement: "lru", index: "linear" },
  ],
  firstLevelData: [
    { entries: 64, ways: 4, pageSizes: ["4K"], replacement: "lru", index: "linear" },
    { entries: 32, ways: 4, pageSizes: ["2M"], replacement: "lru", index: "linear" },
    { entries: 4, ways: 4, pageSizes: ["1G"], replacement: "lru", index: "linear" },
  ],
  secondLevelInstruction: "shared",
  secondLevelData: [
    { entries: 1536, ways: 12, pageSizes: ["4K", "2M"], replacement: "lru", index: "linear" },
    { entries: 16, ways: 4, pageSizes: ["1G"], replacement: "lru", index: "linear" },
  ],
  secondLevelHitCycles: { instruction: 8, data: 9 },
  walkCycles: 10,
  pcidsTracked: 0,
  firstLevelDataPerPcid: false,
};

export const MACHINE: MachineDescription = {
  frequencyGhz: 2,
  topology: { coreCount: 4, coresPerLlc: 1, llcsPerSocket: 2, oneHopSockets: 1 },
  tlb: TLB,
  structureCaches: { pml5e: 0, pml4e: 4, pdpte: 4, pde: 32 },
  l1d: { sizeBytes: 32 << 10, ways: 8, latencyCycles: 4 },
  l2: { sizeBytes: 1 << 20, ways: 16, latencyCycles: 14 },
  llc: { sizeBytes: 40_370_176, ways: 11, latencyCycles: 70 },
  dramCycles: { local: 200, remote: 300 },
  line: {
    localCycles: 5,
    lockedCycles: 20,
    transferCycles: DISTANCES,
    memoryCycles: { local: 180, remote: 260 },
    directoryAtHome: false,
    readOccupancyCycles: 10,
  },
  instruction: {
    writeCr3Flush: 200,
    writeCr3NoFlush: 150,
    writeCr4: 400,
    invlpg: 120,
    invpcid: [130, 140, 150, 160],
    writeIcr: 90,
    interruptEntry: 500,
    endOfInterrupt: 60,
    iret: 300,
    pageFault: 600,
    syscall: 100,
    idleExit: 1000,
  },
  remoteActionCycles: 300,
  ipiDeliveryCycles: { sameLlc: 700, sameSocket: 800, oneHop: 1200, twoHops: 1600 },
  paging: { ...EVERY_FEATURE, physicalAddressBits: 46 },
};

export function machineWith(change: Partial<MachineDescription>): MachineDescription {
  return { ...MACHINE, ...change };
}

export function machineWithTlb(change: Partial<TlbDescription>): MachineDescription {
  return { ...MACHINE, tlb: { ...TLB, ...change } };
}

export function machineOfCores(coreCount: number, coresPerLlc = coreCount): MachineDescription {
  return machineWith({
    topology: { coreCount, coresPerLlc, llcsPerSocket: 1, oneHopSockets: 1 },
  });
}
