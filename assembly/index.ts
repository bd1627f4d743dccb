// The exports, and nothing else. Cores, lines and vectors cross as u32, page and frame numbers as
// f64, words of 64 bits as i64; what a call returns beyond one number is read with result*().

import { access as accessCore } from "./access.ts";
import {
  condemnRange as condemn,
  condemnShared as condemnPages,
  condemnTable as condemnEntries,
  holdsCondemned as holds,
  reachesTable as reaches,
} from "./condemn.ts";
import { invlpgb, tlbsync } from "./broadcast.ts";
import * as control from "./control.ts";
import * as invalidate from "./invalidate.ts";
import { coreAt, DESCRIPTION, MACHINE, STREAM } from "./layout.ts";
import * as physical from "./memory.ts";
import { accessCycles } from "./cache.ts";
import * as registers from "./registers.ts";
import { holdsTranslation, invalidateFromOutside } from "./remote.ts";
import * as tables from "./tables.ts";
import { PAGE_BITS } from "./tag.ts";

import { powerDown } from "./power.ts";
import { boot } from "./description.ts";
import { runStream } from "./batch.ts";
import { counter, resetCounters } from "./counters.ts";
import { distance, socketOf } from "./topology.ts";
import { allocateLine, freeLine, isLine, lineLoad, lineStore, lineLocked, fence } from "./line.ts";
import {
  startLevel,
  startRights,
  stepAddress,
  stepCount,
  stepCycles,
  walkedAddress,
  stepEntry,
  stepLevel,
} from "./walk-log.ts";
import { writeIcr, deliverIpi, setTimer, acceptInterrupt, endOfInterrupt, iret } from "./apic.ts";

export * from "./abi";
export {
  boot,
  runStream,
  counter,
  resetCounters,
  distance,
  socketOf,
  allocateLine,
  freeLine,
  isLine,
  lineLoad,
  lineStore,
  lineLocked,
  fence,
  writeIcr,
  deliverIpi,
  setTimer,
  acceptInterrupt,
  endOfInterrupt,
  iret,
  powerDown,
  invlpgb,
  tlbsync,
  holdsTranslation,
  invalidateFromOutside,
  startLevel,
  startRights,
  stepCount,
  stepLevel,
  stepAddress,
  stepEntry,
  stepCycles,
  walkedAddress,
};

export function descriptionBlock(): usize {
  return DESCRIPTION;
}
export function streamBlock(): usize {
  return STREAM;
}

/** Where the memory that is in use ends: all above is zero. */
export function heapTop(): usize {
  return MACHINE.heapTop;
}

export function now(core: u32): f64 {
  return coreAt(core).clock;
}
export function advance(core: u32, cycles: f64): void {
  const state = coreAt(core);
  state.clock += cycles;
}
export function advanceTo(core: u32, cycle: f64): void {
  const state = coreAt(core);
  if (state.clock < cycle) state.clock = cycle;
}

export function readPhysical(address: u64): u64 {
  return physical.read(address);
}
export function writePhysical(address: u64, value: u64): void {
  physical.write(address, value);
}
export function readEntry(table: f64, index: u32): u64 {
  return physical.read(((<u64>table) << 12) | ((<u64>index) << 3));
}
export function writeEntry(table: f64, index: u32, value: u64): void {
  physical.write(((<u64>table) << 12) | ((<u64>index) << 3), value);
}
export function releaseFrame(frame: f64): void {
  physical.release(<u64>frame);
}
export function touch(core: u32, address: u64): f64 {
  const state = coreAt(core);
  const cycles = accessCycles(state, address);
  state.clock += cycles;
  return cycles;
}

/** MOV to CR3 as a kernel composes it; `keep` is without effect while CR4.PCIDE = 0. */
export function writeCr3(core: u32, root: f64, pcidNumber: u32, keep: u32): void {
  const state = coreAt(core);
  let value = (<u64>root) << 12;
  if ((state.cr4 & registers.CR4_PCID) != 0) value |= (<u64>pcidNumber) | ((<u64>keep) << 63);
  assert(control.writeCr3(state, value) == 0);
}
export function rootFrame(core: u32): f64 {
  return <f64>coreAt(core).rootFrame;
}
export function pcid(core: u32): u32 {
  return <u32>(coreAt(core).pcidBits >> 52);
}
/** The vector of the fault, 0 for none. */
export function writeRegister(core: u32, register: u32, value: u64): u32 {
  return control.writeRegister(coreAt(core), register, value);
}
export function registerValue(core: u32, register: u32): u64 {
  return registers.registerValue(coreAt(core), register);
}
export function setRegister(core: u32, register: u32, value: u64): void {
  registers.setRegister(coreAt(core), register, value);
}
export function invlpgAddress(core: u32, address: u64): void {
  invalidate.invlpg(coreAt(core), address);
}
export function invlpg(core: u32, page: f64): void {
  invalidate.invlpg(coreAt(core), (<u64>page) << 12);
}
/** The vector of the fault, 0 for none. */
export function invpcid(core: u32, type: u64, descriptor: u64, address: u64): u32 {
  return invalidate.invpcid(coreAt(core), type, descriptor, address);
}

export function access(
  core: u32,
  address: u64,
  accessKind: u32,
  bytes: u32,
  addressVector: u32,
): u32 {
  return accessCore(core, address, accessKind, bytes, addressVector);
}
export function resultPhysical(): u64 {
  return MACHINE.resultPhysical;
}
/** Physical address of the first byte on a second page, all ones when there is none. */
export function resultSecond(): u64 {
  return MACHINE.resultSecond;
}
export function resultCycles(): f64 {
  return MACHINE.resultCycles;
}
export function resultLevel(): u32 {
  return MACHINE.resultLevel;
}
export function resultFrame(): f64 {
  return <f64>((MACHINE.resultEntry & 0x000ffffffffff000) >> 12);
}
export function faultAddress(core: u32): u64 {
  return coreAt(core).faultAddress;
}
export function faultErrorCode(core: u32): u32 {
  return coreAt(core).faultErrorCode;
}
export function faultVector(core: u32): u32 {
  return coreAt(core).faultVector;
}
export function staleAddress(core: u32): u64 {
  return coreAt(core).staleAddress;
}

/** Level of the leaf that maps a page, 0 for none; its entry is in resultPhysical. */
export function leafLevel(root: f64, page: f64): u32 {
  return tables.leafLevel(<u64>root, (<u64>page) & PAGE_BITS, coreAt(0).levels);
}
export function findTable(root: f64, page: f64, level: u32): u32 {
  return tables.findTable(<u64>root, (<u64>page) & PAGE_BITS, coreAt(0).levels, level);
}
export function nextLeaf(root: f64, page: f64, end: f64): f64 {
  return <f64>tables.nextLeaf(<u64>root, <u64>page, <u64>end, coreAt(0).levels);
}
export function nextPresent(table: f64, from: u32): u32 {
  return tables.nextPresent(<u64>table, from);
}
/** The frame that an entry names, -1 when it is absent or (below level 4) maps a page. */
export function tableBelow(table: f64, index: u32, level: u32): f64 {
  return tables.tableBelow(<u64>table, index, level);
}
export function levels(): u32 {
  return coreAt(0).levels;
}

export function nextInterrupt(core: u32): f64 {
  return coreAt(core).nextInterrupt;
}
export function interruptFlag(core: u32): u32 {
  return coreAt(core).interruptFlag;
}
export function setInterruptFlag(core: u32, on: u32): void {
  coreAt(core).interruptFlag = on;
}

export function condemnRange(core: u32, from: f64, root: f64, start: f64, end: f64): u32 {
  return condemn(core, <u64>from, <u64>root, <u64>start, <u64>end);
}
export function condemnShared(core: u32, root: f64, start: f64, end: f64): u32 {
  return condemnPages(core, <u64>root, <u64>start, <u64>end);
}
export function holdsCondemned(core: u32): u32 {
  return holds(core) ? 1 : 0;
}
export function reachesTable(core: u32, table: f64): u32 {
  return reaches(core, <u64>table);
}
export function condemnTable(core: u32, table: f64): void {
  condemnEntries(core, <u64>table);
}
