// Control registers and the instructions that invalidate, each dropping exactly what SDM 3A
// 4.10.4.1 says and no more. All of them are serialising: posted stores drain first.

import {
  CONTROL_FIVE_LEVELS,
  CONTROL_GLOBAL_PAGES,
  CONTROL_PCID,
  CONTROL_WRITE_PROTECT,
  COUNTER_CR3_FLUSHES,
  COUNTER_CR3_WRITES,
  COUNTER_CR4_WRITES,
  COUNTER_DRAIN_WAIT_CYCLES,
  COUNTER_INVLPGS,
  COUNTER_INVPCIDS,
  EXECUTE,
  USER_ACCESS,
  WRITE,
} from "./abi.ts";
import { add, count } from "./counters.ts";
import { Core, MACHINE, rightsOf, trackedPcid } from "./layout.ts";
import { CONDEMNED, DIRTY, NO_EXECUTE, PRESENT, USER, WRITABLE } from "./pte.ts";
import { dropAllStructures, dropStructuresFor, dropStructuresOf } from "./structure-cache.ts";
import { PCID_SHIFT } from "./tag.ts";
import {
  dropEverything,
  dropNonGlobal,
  dropNonGlobalOf,
  dropPage,
  dropPcid,
  FIRST_DATA,
} from "./tlb.ts";

/** Cycles of INVPCID by type. */
export const INVPCID_CYCLES: usize = memory.data(4 * 8, 8);

/** Waits until every posted store is visible. */
export function drain(core: Core): void {
  const wait = core.drainCycle - core.clock;
  if (wait <= 0) return;
  core.clock = core.drainCycle;
  add(core, COUNTER_DRAIN_WAIT_CYCLES, wait);
}

/** Derives the rights that each kind of access needs from the control bits. SDM 3A 4.6.1. */
export function setControl(core: Core, control: u32): void {
  core.control = control;
  core.levels = (control & CONTROL_FIVE_LEVELS) != 0 ? 5 : 4;
  core.canonicalShift = core.levels == 5 ? 7 : 16;
  const writeProtect = (control & CONTROL_WRITE_PROTECT) != 0;
  for (let kind: u32 = 0; kind < 8; kind++) {
    const user = (kind & USER_ACCESS) != 0;
    let required = PRESENT;
    let forbidden = CONDEMNED;
    if (user) required |= USER;
    if ((kind & 3) == WRITE) required |= user || writeProtect ? DIRTY | WRITABLE : DIRTY;
    if ((kind & 3) == EXECUTE) forbidden |= NO_EXECUTE;
    store<u64>(rightsOf(core, kind), required);
    store<u64>(rightsOf(core, kind), required | forbidden, 8);
  }
}

function invalidateContext(core: Core, pcidBits: u64): void {
  dropPcid(core, pcidBits);
  dropStructuresOf(core, pcidBits);
}

function invalidateAll(core: Core): void {
  dropEverything(core);
  dropAllStructures(core);
}

/**
 * The second level may keep only so many PCIDs: loading one more drops the one loaded longest ago.
 */
function trackPcid(core: Core, pcid: u32): void {
  const limit = MACHINE.pcidsTracked;
  if (limit == 0) return;
  let position: u32 = 0;
  while (position < core.trackedPcids && load<u16>(trackedPcid(core, position)) != pcid) position++;
  if (position == core.trackedPcids) {
    if (position < limit) core.trackedPcids = position + 1;
    else invalidateContext(core, (<u64>load<u16>(trackedPcid(core, --position))) << PCID_SHIFT);
  }
  for (; position > 0; position--) {
    store<u16>(trackedPcid(core, position), load<u16>(trackedPcid(core, position - 1)));
  }
  store<u16>(trackedPcid(core, 0), <u16>pcid);
}

/** MOV to CR3; `keep` is bit 63 of the operand, without effect while CR4.PCIDE = 0. */
export function writeCr3(core: Core, rootFrame: u64, pcid: u32, keep: bool): void {
  drain(core);
  const tagged = (core.control & CONTROL_PCID) != 0;
  const pcidBits: u64 = tagged ? (<u64>(pcid & 0xfff)) << PCID_SHIFT : 0;
  const changed = pcidBits != core.pcidBits;
  core.rootFrame = rootFrame;
  core.pcidBits = pcidBits;
  if (tagged) trackPcid(core, pcid & 0xfff);
  if (changed && MACHINE.firstLevelDataPerPcid != 0) dropNonGlobalOf(core, FIRST_DATA);
  count(core, COUNTER_CR3_WRITES);
  if (tagged && keep) {
    core.clock += MACHINE.writeCr3NoFlush;
    return;
  }
  count(core, COUNTER_CR3_FLUSHES);
  invalidateContext(core, pcidBits);
  core.clock += MACHINE.writeCr3Flush;
}

/** MOV to CR4: a change of PGE, or PCIDE from 1 to 0, drops everything. */
export function writeCr4(core: Core, globalPages: bool, pcid: bool): void {
  drain(core);
  const before = core.control;
  let after = before & ~(CONTROL_GLOBAL_PAGES | CONTROL_PCID);
  if (globalPages) after |= CONTROL_GLOBAL_PAGES;
  if (pcid) after |= CONTROL_PCID;
  setControl(core, after);
  if (!pcid) core.pcidBits = 0;
  const flipped = before ^ after;
  if ((flipped & CONTROL_GLOBAL_PAGES) != 0 || (flipped & before & CONTROL_PCID) != 0) {
    invalidateAll(core);
  }
  core.clock += MACHINE.writeCr4;
  count(core, COUNTER_CR4_WRITES);
}

/** INVLPG: the page in the current PCID and globally, and all structures of the current PCID. */
export function invlpg(core: Core, page: u64): void {
  drain(core);
  dropPage(core, page, core.pcidBits, true);
  dropStructuresOf(core, core.pcidBits);
  core.clock += MACHINE.invlpg;
  count(core, COUNTER_INVLPGS);
}

/** INVPCID type 0: a page in one PCID; 1: one PCID; 2: all; 3: all but global translations. */
export function invpcid(core: Core, type: u32, pcid: u32, page: u64): void {
  assert(type < 4);
  drain(core);
  const pcidBits = (<u64>(pcid & 0xfff)) << PCID_SHIFT;
  if (type == 0) {
    dropPage(core, page, pcidBits, false);
    dropStructuresFor(core, page, pcidBits);
  } else if (type == 1) {
    invalidateContext(core, pcidBits);
  } else if (type == 2) {
    invalidateAll(core);
  } else {
    dropNonGlobal(core);
    dropAllStructures(core);
  }
  core.clock += load<f64>(INVPCID_CYCLES + ((<usize>type) << 3));
  count(core, COUNTER_INVPCIDS);
}
