// Where everything lies in linear memory.
//
//   static data | cores: coreCount x [ Core | tables of cores' arrays and caches ] | heap, growing
//
// Static addresses come from memory.data, offsets inside a core are assigned one after the other at
// boot (description.ts), and the heap serves what is backed on demand: emulated RAM, LLC sets,
// lines.

import { COUNTERS, DESCRIPTION_FIELDS, STREAM_FIELDS } from "./abi.ts";

/** Machine-wide numbers, constant after boot except the heap and the lines. */
@unmanaged
class MachineState {
  coreBase: usize;
  coreStride: usize;
  coreCount: u32;
  coresPerLlc: u32;
  llcsPerSocket: u32;
  oneHopSockets: u32;
  socketCount: u32;
  /** The furthest distance class that this topology has. */
  furthest: u32;

  heapTop: usize;
  /** Free emulated frames' backing, linked through their first word. */
  freeBacking: usize;
  llcDirectory: usize;
  llcDirectoryBytes: u32;
  lineCount: u32;
  lineStride: u32;
  /** Words of a line's holder set. */
  holderWords: u32;
  /** Free lines, linked; index + 1, 0 ends. */
  freeLine: u32;

  /** Bits 51:MAXPHYADDR. */
  reservedAddressBits: u64;
  /** The bits of CR4 that may be set. */
  cr4Allowed: u64;
  physicalAddressBits: u32;
  isAmd: u32;
  gigabytePages: u32;
  noExecute: u32;
  invpcid: u32;
  walkCycles: f64;
  secondLevelInstructionCycles: f64;
  secondLevelDataCycles: f64;
  pcidsTracked: u32;
  firstLevelDataPerPcid: u32;
  dramCycles: f64;

  lineLocalCycles: f64;
  lineLockedCycles: f64;
  lineMemoryLocal: f64;
  lineMemoryRemote: f64;
  directoryAtHome: u32;
  readOccupancyCycles: f64;

  writeCr3Flush: f64;
  writeCr3NoFlush: f64;
  writeCr4: f64;
  invlpg: f64;
  invlpgb: f64;
  /** From an INVLPGB until every core has carried it out. */
  broadcastCycles: f64;
  /** Pages that one INVLPGB covers; 0: there is none. */
  broadcastPages: u32;
  writeIcr: f64;
  interruptEntry: f64;
  endOfInterrupt: f64;
  iret: f64;

  // Results of the last call that has more than one.
  resultPhysical: u64;
  /** Of the first byte on a second page; all ones when there is none. */
  resultSecond: u64;
  resultEntry: u64;
  resultCycles: f64;
  resultLevel: u32;
  resultRoot: u32;
}

/** A core's registers and small state; its arrays follow at offsets kept in their geometries. */
@unmanaged
export class Core {
  clock: f64;
  /** When the youngest posted store becomes visible. */
  drainCycle: f64;
  rootFrame: u64;
  /** The current PCID in bits 63:52, as in a TLB tag; 0 with CR4.PCIDE = 0. */
  pcidBits: u64;

  // Architectural registers; what follows from them is derived in registers.ts.
  cr0: u64;
  cr3: u64;
  cr4: u64;
  efer: u64;
  pkru: u32;
  pkrs: u32;
  /** Four in a row; see pdpte.ts. */
  pdpte0: u64;
  pdpte1: u64;
  pdpte2: u64;
  pdpte3: u64;

  /** MODE_*. */
  mode: u32;
  /** 0 with paging off. */
  levels: u32;
  /** Of each table's index. */
  indexBits: u32;
  /** log2 of an entry's bytes. */
  entryShift: u32;
  /** The bits of CR3 that are the root's frame. */
  rootMask: u64;
  /** The bits of a linear address. */
  linearMask: u64;
  /** 16 with 4 levels, 7 with 5: an address is canonical when these top bits repeat the next. */
  canonicalShift: u32;

  index: u32;
  llc: u32;
  socket: u32;
  /** PCID + 1 whose structure-cache entries were dropped with no fill since; 0: none. */
  structureCleanPcid: u32;
  stale: u32;

  faultAddress: u64;
  staleAddress: u64;
  faultErrorCode: u32;
  faultVector: u32;

  /** When the youngest INVLPGB of this core is complete. */
  broadcastCycle: f64;
  /** INVLPGBs of this core that await its TLBSYNC. */
  broadcasts: u32;

  interruptFlag: u32;
  trackedPcids: u32;
  /** The earliest arrival among the deliverable vectors. */
  nextInterrupt: f64;
}

export const MACHINE = changetype<MachineState>(memory.data(offsetof<MachineState>(), 64));
export const DESCRIPTION: usize = memory.data(DESCRIPTION_FIELDS << 3, 64);
export const STREAM: usize = memory.data(STREAM_FIELDS << 3, 64);

// Fixed tables of a core, one after the other behind its registers.

/** What an access needs of an entry: two words (required, tested) for each of 16 access kinds. */
const RIGHTS_OFFSET: usize = (offsetof<Core>() + 63) & ~63;
/** The reserved bits of entries of levels 0 to 5: two words, by bit 7 of the entry. */
export const RESERVED_OFFSET: usize = RIGHTS_OFFSET + 16 * 16;
const COUNTERS_OFFSET: usize = RESERVED_OFFSET + 6 * 16;
/** Five lists of arrays (four TLB lists, the structure caches) x 8 kinds of entry, and a mask. */
const POPULATION_OFFSET: usize = COUNTERS_OFFSET + COUNTERS * 8;
const POPULATION_BYTES: usize = 64;
const POPULATION_LISTS: usize = 5;
const TRACKED_OFFSET: usize = POPULATION_OFFSET + POPULATION_LISTS * POPULATION_BYTES;
export const MAX_TRACKED_PCIDS: u32 = 64;
const BROADCAST_OFFSET: usize = (TRACKED_OFFSET + MAX_TRACKED_PCIDS * 2 + 7) & ~7;
/** Outstanding INVLPGBs of a core: three words each, see broadcast.ts. */
export const MAX_BROADCASTS: u32 = 8;
const BROADCAST_BYTES: usize = 24;
/** IRR and ISR of 256 bits each, then an arrival cycle for every vector. */
const APIC_OFFSET: usize = (BROADCAST_OFFSET + MAX_BROADCASTS * <u32>BROADCAST_BYTES + 63) & ~63;
export const CORE_FIXED_BYTES: usize = APIC_OFFSET + 64 + 256 * 8;

export function coreAt(index: u32): Core {
  assert(index < MACHINE.coreCount);
  return changetype<Core>(MACHINE.coreBase + <usize>index * MACHINE.coreStride);
}

export function baseOf(core: Core): usize {
  return changetype<usize>(core);
}

export function rightsOf(core: Core, accessKind: u32): usize {
  return baseOf(core) + RIGHTS_OFFSET + (((<usize>accessKind) & 15) << 4);
}

export function counterOf(core: Core, counter: u32): usize {
  return baseOf(core) + COUNTERS_OFFSET + ((<usize>counter) << 3);
}

/** Offset of a list's population: 8 counts by kind of entry, then the mask of kinds present. */
export function populationOffset(list: u32): u32 {
  return <u32>(POPULATION_OFFSET + <usize>list * POPULATION_BYTES);
}

export function trackedPcid(core: Core, position: u32): usize {
  return baseOf(core) + TRACKED_OFFSET + ((<usize>position) << 1);
}

export function broadcastAt(core: Core, position: u32): usize {
  return baseOf(core) + BROADCAST_OFFSET + <usize>position * BROADCAST_BYTES;
}

export function requestWord(core: Core, word: u32): usize {
  return baseOf(core) + APIC_OFFSET + ((<usize>word) << 3);
}

export function serviceWord(core: Core, word: u32): usize {
  return baseOf(core) + APIC_OFFSET + 32 + ((<usize>word) << 3);
}

export function arrivalCycle(core: Core, vector: u32): usize {
  return baseOf(core) + APIC_OFFSET + 64 + ((<usize>vector) << 3);
}
