// A preset and a size become the machine's description: latencies in whole cycles, without sources.
// Sockets are added until the cores fit, also beyond the largest system sold. Of two published sums
// only the machine's part is kept: a hand-over without its RMW, an IPI without both ends.

import type { PagingFeatures } from "../base/architecture.ts";
import { BadInput } from "../base/bad-input.ts";
import {
  anything,
  type Check,
  choice,
  flag,
  onlyFields,
  optional,
  readObject,
} from "../base/input.ts";
import {
  MAX_CORES,
  type CacheDescription,
  type DistanceCycles,
  type InstructionCycles,
  type LineDescription,
  type MachineDescription,
  type TlbArrayDescription,
  type TlbDescription,
  type TopologyDescription,
} from "../machine/description.ts";
import type {
  DistanceLatency,
  Latency,
  Preset,
  PresetCache,
  PresetTlb,
  PresetTlbArray,
} from "./preset.ts";

import { unmeasuredRemoteAction } from "./unmeasured.ts";

/**
 * How an idle core waits: polling in a loop of PAUSE, in MWAIT C1, in HLT for an interrupt, or in
 * MWAIT C6, where it loses what it has cached.
 */
export type IdleState = "poll" | "mwait" | "halt" | "c6";

export interface DescribeOptions {
  /** 1 to MAX_CORES. */
  readonly cores: number;
  /** The preset's own topology unless given. */
  readonly coresPerLlc?: number;
  readonly llcsPerSocket?: number;
  /** "mwait" unless given. */
  readonly idle?: IdleState;
  /** False: the local APICs are xAPICs. */
  readonly x2apic?: boolean;
}

type ToCycles = (latency: Latency) => number;

const OPTIONS: Check = onlyFields({
  cores: anything,
  coresPerLlc: anything,
  llcsPerSocket: anything,
  idle: optional(choice("poll", "mwait", "halt", "c6")),
  x2apic: optional(flag),
} satisfies Record<keyof DescribeOptions, Check>);

export function describeMachine(preset: Preset, options: DescribeOptions): MachineDescription {
  readObject("preset", preset);
  OPTIONS("options", options);
  const cycles: ToCycles = ({ value, unit }) =>
    Math.round(unit === "ns" ? value * preset.frequency.value : value);
  return {
    frequencyGhz: preset.frequency.value,
    topology: topologyOf(preset, options),
    tlb: tlbOf(preset.tlb, cycles),
    structureCaches: {
      pml5e: preset.structureCaches.pml5e.value,
      pml4e: preset.structureCaches.pml4e.value,
      pdpte: preset.structureCaches.pdpte.value,
      pde: preset.structureCaches.pde.value,
    },
    l1d: cacheOf(preset.caches.l1d, cycles),
    l2: cacheOf(preset.caches.l2, cycles),
    llc: cacheOf(preset.caches.llc, cycles),
    dramCycles: { local: cycles(preset.memory.local), remote: cycles(preset.memory.remote) },
    line: lineOf(preset, cycles),
    instruction: instructionsOf(preset, cycles, options),
    remoteActionCycles: cycles(unmeasuredRemoteAction),
    ...broadcastOf(preset, cycles),
    ipiDeliveryCycles: mapDistances(
      preset.interrupt,
      (endToEnd) =>
        cycles(endToEnd) -
        cycles(preset.instruction.writeIcr) -
        cycles(preset.instruction.interruptEntry),
    ),
    paging: pagingOf(preset),
  };
}

function broadcastOf(
  { broadcast }: Preset,
  cycles: ToCycles,
): Pick<MachineDescription, "broadcast"> {
  if (broadcast === undefined) return {};
  const { pages, issue, completion } = broadcast;
  const completionCycles = cycles(completion);
  return { broadcast: { pages: pages.value, issueCycles: cycles(issue), completionCycles } };
}

function pagingOf({ vendor, physicalAddressBits, features }: Preset): PagingFeatures {
  return {
    vendor: vendor === "AMD" ? "amd" : "intel",
    physicalAddressBits: physicalAddressBits.value,
    gigabytePages: true,
    noExecute: true,
    fiveLevels: features.la57.value,
    pcid: features.pcid.value,
    invpcid: features.invpcid.value,
    smep: features.smep.value,
    smap: features.smap.value,
    protectionKeys: features.protectionKeys.value,
    supervisorKeys: features.supervisorKeys.value,
  };
}

function topologyOf(preset: Preset, options: DescribeOptions): TopologyDescription {
  const { coresPerLlc, llcsPerSocket, oneHopSockets } = preset.topology;
  return {
    coreCount: countFrom("cores", options.cores),
    coresPerLlc: countFrom("coresPerLlc", options.coresPerLlc ?? coresPerLlc.value),
    llcsPerSocket: countFrom("llcsPerSocket", options.llcsPerSocket ?? llcsPerSocket.value),
    oneHopSockets: oneHopSockets.value,
  };
}

function countFrom(path: string, value: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= MAX_CORES) return value;
  throw new BadInput(path, value, `a whole number from 1 to ${MAX_CORES}`);
}

function tlbOf(tlb: PresetTlb, cycles: ToCycles): TlbDescription {
  return {
    firstLevelInstruction: tlb.firstLevelInstruction.map(tlbArrayOf),
    firstLevelData: tlb.firstLevelData.map(tlbArrayOf),
    secondLevelInstruction:
      tlb.secondLevelInstruction === "shared"
        ? "shared"
        : tlb.secondLevelInstruction.map(tlbArrayOf),
    secondLevelData: tlb.secondLevelData.map(tlbArrayOf),
    secondLevelHitCycles: {
      instruction: cycles(tlb.secondLevelHit.instruction),
      data: cycles(tlb.secondLevelHit.data),
    },
    walkCycles: cycles(tlb.walk),
    pcidsTracked: tlb.pcidsTracked.value,
    firstLevelDataPerPcid: tlb.firstLevelDataPerPcid.value,
  };
}

const tlbArrayOf = (array: PresetTlbArray): TlbArrayDescription => ({
  entries: array.entries.value,
  ways: array.ways.value,
  pageSizes: array.pageSizes,
  replacement: array.replacement.value,
  index: array.index.value,
});

const cacheOf = (cache: PresetCache, cycles: ToCycles): CacheDescription => ({
  sizeBytes: cache.size.value,
  ways: cache.ways.value,
  latencyCycles: cycles(cache.latency),
});

function lineOf(preset: Preset, cycles: ToCycles): LineDescription {
  const lockedCycles = cycles(preset.line.locked);
  return {
    localCycles: cycles(preset.caches.l1d.latency),
    lockedCycles,
    transferCycles: mapDistances(
      preset.line.handover,
      (handover) => cycles(handover) - lockedCycles,
    ),
    memoryCycles: { local: cycles(preset.memory.local), remote: cycles(preset.memory.remote) },
    directoryAtHome: preset.line.directoryAtHome.value,
    readOccupancyCycles: cycles(preset.line.readOccupancy),
  };
}

function instructionsOf(
  preset: Preset,
  cycles: ToCycles,
  { idle = "mwait", x2apic = true }: DescribeOptions,
): InstructionCycles {
  const { invpcid, xapic, ...rest } = preset.instruction;
  return {
    writeCr3Flush: cycles(rest.writeCr3Flush),
    writeCr3NoFlush: cycles(rest.writeCr3NoFlush),
    writeCr4: cycles(rest.writeCr4),
    invlpg: cycles(rest.invlpg),
    invpcid: [
      cycles(invpcid.address),
      cycles(invpcid.context),
      cycles(invpcid.all),
      cycles(invpcid.allButGlobals),
    ],
    writeIcr: x2apic ? cycles(rest.writeIcr) : cycles(xapic.readIcr) + cycles(xapic.writeIcr),
    interruptEntry: cycles(rest.interruptEntry),
    endOfInterrupt: cycles(rest.endOfInterrupt),
    iret: cycles(rest.iret),
    pageFault: cycles(rest.pageFault),
    syscall: cycles(rest.syscall),
    idleExit: cycles(exitOf(preset, idle)),
  };
}

/** HLT is C1 too; the interrupt that ends it is delivered, and charged, like any other. */
function exitOf({ name, idle: { pollExit, c1Exit, c6Exit } }: Preset, idle: IdleState): Latency {
  if (idle === "poll") return pollExit;
  if (idle !== "c6") return c1Exit;
  if (c6Exit === undefined) throw new BadInput("idle", idle, `${name} has no figure for it`);
  return c6Exit;
}

const mapDistances = (
  distances: DistanceLatency,
  cyclesOf: (latency: Latency) => number,
): DistanceCycles => ({
  sameLlc: cyclesOf(distances.sameLlc),
  sameSocket: cyclesOf(distances.sameSocket),
  oneHop: cyclesOf(distances.oneHop),
  twoHops: cyclesOf(distances.twoHops),
});
