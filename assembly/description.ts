// Boot: reads the machine's description, which the host has written as f64 fields in the order in
// which they are read here and closed with their count, shapes every array and cache, and lays out
// the cores' regions.

import { DISTANCE_SELF, REPLACE_LRU } from "./abi.ts";
import { initialise, initialiseTables } from "./array.ts";
import { alignUp } from "./bits.ts";
import { L1D, L2, LLC, llcDirectoryBytes, shapeCache } from "./cache.ts";
import { Geometry, shape } from "./geometry.ts";
import {
  baseOf,
  Core,
  CORE_FIXED_BYTES,
  coreAt,
  DESCRIPTION,
  MACHINE,
  MAX_TRACKED_PCIDS,
  populationOffset,
} from "./layout.ts";
import { INVPCID_CYCLES } from "./invalidate.ts";
import { shapeLanes } from "./large-set.ts";
import { shapeLines } from "./line.ts";
import { allocate } from "./memory.ts";
import {
  CR0_EXTENSION_TYPE,
  CR0_PAGING,
  CR0_PROTECTION,
  CR0_WRITE_PROTECT,
  CR4_FIVE_LEVELS,
  CR4_OTHERS,
  CR4_PCID,
  CR4_PHYSICAL_EXTENSION,
  CR4_SMAP,
  CR4_SMEP,
  CR4_SUPERVISOR_KEYS,
  CR4_USER_KEYS,
  derive,
  EFER_LONG_MODE,
  EFER_LONG_MODE_ACTIVE,
  EFER_NO_EXECUTE,
  EFER_SYSCALL,
} from "./registers.ts";
import { shapeUses } from "./small-set.ts";
import { structureCache, STRUCTURE_LEVELS } from "./structure-cache.ts";
import {
  ARRAYS_PER_LIST,
  assignArray,
  assignSecondLevel,
  FIRST_DATA,
  FIRST_INSTRUCTION,
  SECOND_DATA,
  SECOND_INSTRUCTION,
  STRUCTURE_LIST,
  TLB_LISTS,
  tlbArray,
} from "./tlb.ts";
import { DELIVERY_CYCLES, furthestDistance, TRANSFER_CYCLES } from "./topology.ts";

/** Address of the next field to read; only boot uses it. */
const CURSOR: usize = memory.data(8, 8);

function next(): f64 {
  const address = load<usize>(CURSOR);
  store<usize>(CURSOR, address + 8);
  return load<f64>(address);
}

function nextWord(): u32 {
  return <u32>next();
}

function readTopology(): void {
  MACHINE.coreCount = nextWord();
  MACHINE.coresPerLlc = nextWord();
  MACHINE.llcsPerSocket = nextWord();
  MACHINE.oneHopSockets = nextWord();
  const perSocket = MACHINE.coresPerLlc * MACHINE.llcsPerSocket;
  MACHINE.socketCount = (MACHINE.coreCount + perSocket - 1) / perSocket;
  MACHINE.furthest = furthestDistance();
}

/**
 * The arrays of one TLB list: how many, then each one's shape. The one of 4 KiB pages becomes array
 * 0, which is left empty without. Returns the next free offset.
 */
function readList(list: u32, from: u32): u32 {
  let offset = from;
  let other: u32 = 1;
  for (let left = nextWord(); left != 0; left--) {
    const entries = nextWord();
    const ways = nextWord();
    const sizes = nextWord();
    const policy = nextWord();
    const index: u32 = (sizes & 1) != 0 ? 0 : other++;
    assert(index < ARRAYS_PER_LIST);
    const g = tlbArray(list, index);
    g.population = populationOffset(list);
    offset = shape(g, entries, ways, policy, next() != 0, offset);
    initialise(g);
    for (let size: u32 = 0; size < 3; size++) {
      if (((sizes >> size) & 1) != 0) assignArray(list, size, g);
    }
  }
  return offset;
}

function readTlbs(from: u32): u32 {
  let offset = from;
  for (let list: u32 = 0; list < TLB_LISTS; list++) offset = readList(list, offset);
  const shared = next() != 0;
  assert(tlbArray(FIRST_DATA, 0).ways != 0 && tlbArray(FIRST_INSTRUCTION, 0).ways != 0);
  assignSecondLevel(FIRST_DATA, SECOND_DATA);
  assignSecondLevel(FIRST_INSTRUCTION, shared ? SECOND_DATA : SECOND_INSTRUCTION);
  MACHINE.secondLevelInstructionCycles = next();
  MACHINE.secondLevelDataCycles = next();
  MACHINE.walkCycles = next();
  MACHINE.pcidsTracked = nextWord();
  assert(MACHINE.pcidsTracked <= MAX_TRACKED_PCIDS);
  MACHINE.firstLevelDataPerPcid = nextWord();
  for (let level = STRUCTURE_LEVELS; level >= 1; level--) {
    const entries = nextWord();
    const g = structureCache(level);
    g.population = populationOffset(STRUCTURE_LIST);
    if (entries == 0) continue;
    offset = shape(g, entries, entries, REPLACE_LRU, false, offset);
    initialise(g);
  }
  return offset;
}

function readCaches(from: u32): u32 {
  shapeLanes();
  shapeUses();
  L1D.offset = alignUp(from, 64);
  L2.offset = L1D.offset + shapeCache(L1D, nextWord(), nextWord(), next());
  const end = L2.offset + shapeCache(L2, nextWord(), nextWord(), next());
  shapeCache(LLC, nextWord(), nextWord(), next());
  MACHINE.dramCycles = next();
  return end;
}

function readDistances(table: usize): void {
  store<f64>(table, 0, DISTANCE_SELF << 3);
  for (let distance: usize = 1; distance <= 4; distance++)
    store<f64>(table + (distance << 3), next());
}

function readLatencies(): void {
  MACHINE.lineLocalCycles = next();
  MACHINE.lineLockedCycles = next();
  readDistances(TRANSFER_CYCLES);
  MACHINE.lineMemoryLocal = next();
  MACHINE.lineMemoryRemote = next();
  MACHINE.directoryAtHome = nextWord();
  MACHINE.readOccupancyCycles = next();
  MACHINE.writeCr3Flush = next();
  MACHINE.writeCr3NoFlush = next();
  MACHINE.writeCr4 = next();
  MACHINE.invlpg = next();
  for (let type: usize = 0; type < 4; type++) store<f64>(INVPCID_CYCLES + (type << 3), next());
  MACHINE.invlpgb = next();
  MACHINE.broadcastCycles = next();
  MACHINE.broadcastPages = nextWord();
  MACHINE.writeIcr = next();
  MACHINE.interruptEntry = next();
  MACHINE.endOfInterrupt = next();
  MACHINE.iret = next();
  readDistances(DELIVERY_CYCLES);
}

/** The field behind the last says how many there are. Returns how many have been read. */
function readEnd(): u32 {
  const count = <u32>((load<usize>(CURSOR) - DESCRIPTION) >> 3);
  assert(next() == <f64>count);
  return count;
}

/** A bit of CR4 where a feature is there, which is the next field. */
function allowedBy(bit: u64): u64 {
  return next() != 0 ? bit : 0;
}

function readFeatures(): void {
  MACHINE.isAmd = nextWord();
  MACHINE.physicalAddressBits = nextWord();
  const addresses = ((<u64>1) << (<u64>MACHINE.physicalAddressBits)) - 1;
  MACHINE.reservedAddressBits = 0x000fffffffffffff & ~addresses;
  MACHINE.gigabytePages = nextWord();
  MACHINE.noExecute = nextWord();
  MACHINE.invpcid = nextWord();
  MACHINE.cr4Allowed = CR4_OTHERS | allowedBy(CR4_FIVE_LEVELS) | allowedBy(CR4_PCID);
  MACHINE.cr4Allowed |= allowedBy(CR4_SMEP) | allowedBy(CR4_SMAP) | allowedBy(CR4_USER_KEYS);
  MACHINE.cr4Allowed |= allowedBy(CR4_SUPERVISOR_KEYS);
}

/** Long mode with 4 levels, as a kernel leaves it to its tasks. */
function bootRegisters(core: Core): void {
  core.cr0 = CR0_PAGING | CR0_WRITE_PROTECT | CR0_EXTENSION_TYPE | CR0_PROTECTION;
  core.cr4 = CR4_PHYSICAL_EXTENSION;
  core.efer = EFER_LONG_MODE | EFER_LONG_MODE_ACTIVE | EFER_SYSCALL;
  if (MACHINE.noExecute != 0) core.efer |= EFER_NO_EXECUTE;
  derive(core);
}

function bootCore(index: u32): void {
  const core = coreAt(index);
  core.index = index;
  core.llc = index / MACHINE.coresPerLlc;
  core.socket = core.llc / MACHINE.llcsPerSocket;
  core.nextInterrupt = Infinity;
  bootRegisters(core);
  for (let list: u32 = 0; list < TLB_LISTS; list++) {
    for (let array: u32 = 0; array < ARRAYS_PER_LIST; array++) {
      bootArray(tlbArray(list, array), baseOf(core));
    }
  }
  for (let level: u32 = 1; level <= STRUCTURE_LEVELS; level++) {
    bootArray(structureCache(level), baseOf(core));
  }
}

function bootArray(g: Geometry, core: usize): void {
  if (g.ways != 0) initialiseTables(g, core);
}

/** The cores' regions and the directories of the LLCs have to fit below. */
const MOST_BYTES: u64 = 1 << 31;

/** Whether the memory has room for all of it; sizes are below 2^32 each. */
function hasRoom(coreBytes: u32, llcs: u32): bool {
  const cores = <u64>MACHINE.coreCount * <u64>coreBytes;
  return cores + <u64>llcs * <u64>llcDirectoryBytes() <= MOST_BYTES;
}

/**
 * Once, before anything else. Returns how many fields describe the machine; 0: it would be too
 * large.
 */
export function boot(): u32 {
  assert(MACHINE.coreCount == 0);
  store<usize>(CURSOR, DESCRIPTION);
  readTopology();
  const coreBytes = readCaches(readTlbs(<u32>CORE_FIXED_BYTES));
  readLatencies();
  readFeatures();
  const fields = readEnd();
  const llcs = (MACHINE.coreCount + MACHINE.coresPerLlc - 1) / MACHINE.coresPerLlc;
  if (!hasRoom(coreBytes, llcs)) return 0;
  shapeLines(MACHINE.coreCount);
  MACHINE.heapTop = (__heap_base + 63) & ~63;
  MACHINE.coreStride = alignUp(coreBytes, 64);
  MACHINE.coreBase = allocate(MACHINE.coreCount * <u32>MACHINE.coreStride);
  MACHINE.llcDirectoryBytes = llcDirectoryBytes();
  MACHINE.llcDirectory = allocate(llcs * MACHINE.llcDirectoryBytes);
  for (let index: u32 = 0; index < MACHINE.coreCount; index++) bootCore(index);
  return fields;
}
