// One access end to end: first-level TLB, second level, walk, then the data through the caches; the
// canonical check before it, and a second translation where the access crosses a page.

import {
  ACCESS_FAULT,
  ACCESS_FIRST_LEVEL,
  ACCESS_SECOND_LEVEL,
  ACCESS_STALE,
  ACCESS_WALK,
  COUNTER_ACCESSES,
  COUNTER_DIRTY_WALKS,
  COUNTER_SECOND_LEVEL_HITS,
  COUNTER_STALE_USES,
  EXECUTE,
  VECTOR_GENERAL_PROTECTION,
} from "./abi.ts";
import { accessCycles } from "./cache.ts";
import { count } from "./counters.ts";
import { addressFault, pageFault, refusal } from "./fault.ts";
import { Core, coreAt, MACHINE, rightsOf } from "./layout.ts";
import { ADDRESS_BITS, CONDEMNED, DIRTY, GLOBAL, offsetMask, SIZE_SHIFT, sizeOf } from "./pte.ts";
import { isCanonical, linearAddress, MODE_NONE } from "./registers.ts";
import { pageOf } from "./tag.ts";
import {
  ANY_KIND,
  dropPage,
  enter,
  FIRST_DATA,
  FIRST_INSTRUCTION,
  lookup,
  reenter,
  secondLevelOf,
  USUAL_KIND,
} from "./tlb.ts";
import { walk } from "./walker.ts";

/** What makes an entry another one for the same page. */
const SHAPE: u64 = GLOBAL | (3 << SIZE_SHIFT);

/** No physical address. */
export const FAULTED: u64 = ~(<u64>0);

export function listFor(accessKind: u32): u32 {
  return (accessKind & 3) == EXECUTE ? FIRST_INSTRUCTION : FIRST_DATA;
}

/**
 * The physical address for an access that needs `required` of the bits `tested`, or FAULTED.
 * The source (ACCESS_*) is left in resultLevel, TLB and walk cycles are charged.
 */
export function translate(core: Core, address: u64, list: u32, required: u64, tested: u64): u64 {
  const linear = linearAddress(core, address);
  if (!isCanonical(core, linear)) {
    addressFault(core, linear, VECTOR_GENERAL_PROTECTION);
    return FAULTED;
  }
  return resolve(core, linear, list, required, tested, ANY_KIND);
}

function physicalOf(data: u64, address: u64): u64 {
  return (data & ADDRESS_BITS) | (address & offsetMask(sizeOf(data)));
}

/**
 * As translate, for a canonical data access of which the first level's usual array has said `data`:
 * 0 for a miss, else an entry that may lack rights.
 */
export function translateUnfit(core: Core, address: u64, rights: usize, data: u64): u64 {
  const required = load<u64>(rights);
  const tested = load<u64>(rights, 8);
  if (data != 0 && ((data ^ required) & tested) == 0) return physicalOf(data, address);
  const kinds = data == 0 ? ANY_KIND ^ (1 << USUAL_KIND) : ANY_KIND;
  return resolve(core, linearAddress(core, address), FIRST_DATA, required, tested, kinds);
}

/** As translate, for a canonical address; the first level is asked for `kinds` only. */
function resolve(core: Core, address: u64, list: u32, required: u64, tested: u64, kinds: u32): u64 {
  if (core.mode == MODE_NONE) return unpaged(address);
  const page = pageOf(address);
  let source = ACCESS_FIRST_LEVEL;
  let data = lookup(core, list, page, kinds);
  if (data == 0) {
    data = lookup(core, secondLevelOf(list), page, ANY_KIND);
    if (data != 0) {
      source = ACCESS_SECOND_LEVEL;
      enter(core, list, page, data, MACHINE.resultRoot);
      core.clock +=
        list == FIRST_DATA ? MACHINE.secondLevelDataCycles : MACHINE.secondLevelInstructionCycles;
    }
  }
  if (((data ^ required) & tested) != 0) {
    // A miss, missing rights, a key to look at, a first write or a condemned entry.
    const cause = data == 0 ? 0 : refusal(core, data, required, tested);
    if (cause != 0) {
      if (source == ACCESS_SECOND_LEVEL) count(core, COUNTER_SECOND_LEVEL_HITS);
      pageFault(core, address, list, required, cause);
      return FAULTED;
    }
    // SDM 3A 4.8: a first write sets D in memory although the translation is cached.
    if (data == 0 || (~data & required & DIRTY) != 0) {
      source = ACCESS_WALK;
      data = walkAndFill(core, address, list, required, tested, data);
      if (data == 0) return FAULTED;
    }
    if ((data & CONDEMNED) != 0) reportStale(core, address);
  }
  if (source == ACCESS_SECOND_LEVEL) count(core, COUNTER_SECOND_LEVEL_HITS);
  MACHINE.resultLevel = source;
  return physicalOf(data, address);
}

/** SDM 3A 4.1.1: with paging off, linear addresses are physical addresses, and no TLB is asked. */
function unpaged(address: u64): u64 {
  MACHINE.resultLevel = ACCESS_FIRST_LEVEL;
  return address;
}

/** Walks and enters the translation in both levels; `old` is an entry whose D was clear, or 0. */
function walkAndFill(
  core: Core,
  address: u64,
  list: u32,
  required: u64,
  tested: u64,
  old: u64,
): u64 {
  const page = pageOf(address);
  const root = <u32>core.rootFrame;
  const data = walk(core, address, list, required, tested);
  if (data == 0) return 0;
  if (old == 0) {
    enter(core, list, page, data, root);
    enter(core, secondLevelOf(list), page, data, root);
    return data;
  }
  count(core, COUNTER_DIRTY_WALKS);
  // A leaf that became larger or global would not replace the old entry.
  if (((old ^ data) & SHAPE) != 0) dropPage(core, page, core.pcidBits, true);
  reenter(core, list, page, data, root);
  reenter(core, secondLevelOf(list), page, data, root);
  return data;
}

function reportStale(core: Core, address: u64): void {
  core.stale = 1;
  core.staleAddress = address;
  count(core, COUNTER_STALE_USES);
}

/**
 * One access of up to 15 bytes; returns its source, plus ACCESS_STALE, or ACCESS_FAULT. One that
 * crosses a page counts as an access of each, and its source is that of the second.
 * `addressVector` is the fault of an address that is not canonical.
 */
export function access(
  index: u32,
  address: u64,
  accessKind: u32,
  bytes: u32,
  addressVector: u32,
): u32 {
  const core = coreAt(index);
  const before = core.clock;
  core.stale = 0;
  count(core, COUNTER_ACCESSES);
  const first = linearAddress(core, address);
  const last = linearAddress(core, address + <u64>(bytes - 1));
  if (!isCanonical(core, first) || !isCanonical(core, last)) {
    addressFault(core, first, addressVector);
    return ACCESS_FAULT;
  }
  const physical = translateByte(core, first, accessKind);
  if (physical == FAULTED) return ACCESS_FAULT;
  let second = FAULTED;
  if ((first ^ last) >> 12 != 0) {
    count(core, COUNTER_ACCESSES);
    second = translateByte(core, last & ~(<u64>0xfff), accessKind);
    if (second == FAULTED) return ACCESS_FAULT;
    core.clock += accessCycles(core, second);
  }
  core.clock += accessCycles(core, physical);
  MACHINE.resultPhysical = physical;
  MACHINE.resultSecond = second;
  MACHINE.resultCycles = core.clock - before;
  return MACHINE.resultLevel + (core.stale != 0 ? ACCESS_STALE : 0);
}

function translateByte(core: Core, address: u64, accessKind: u32): u64 {
  const rights = rightsOf(core, accessKind);
  const required = load<u64>(rights);
  return resolve(core, address, listFor(accessKind), required, load<u64>(rights, 8), ANY_KIND);
}
