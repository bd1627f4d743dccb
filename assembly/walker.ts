// The page walk of 4- and 5-level paging, SDM 3A 4.5.4: from the deepest paging-structure cache
// that knows the prefix, else from CR3, down to the leaf. Every entry is loaded through the data
// caches.
//
// Unlike hardware, setting A and D costs no cycles of its own, and walks are never speculative.

import {
  CONTROL_GLOBAL_PAGES,
  CONTROL_NO_EXECUTE,
  COUNTER_FAULTS,
  COUNTER_WALK_CYCLES,
  COUNTER_WALK_LOADS,
  COUNTER_WALKS,
  ERROR_INSTRUCTION,
  ERROR_PRESENT,
  ERROR_RESERVED,
  ERROR_USER,
  ERROR_WRITE,
  VECTOR_GENERAL_PROTECTION,
  VECTOR_PAGE_FAULT,
} from "./abi.ts";
import { accessCycles } from "./cache.ts";
import { add, count } from "./counters.ts";
import { baseOf, Core, MACHINE } from "./layout.ts";
import { read, write } from "./memory.ts";
import {
  ACCESSED,
  ADDRESS_BITS,
  combineRights,
  CONDEMNED,
  DIRTY,
  entryAddress,
  GLOBAL,
  isLeaf,
  offsetMask,
  PRESENT,
  reservedBits,
  RIGHTS,
  SIZE_SHIFT,
  USER,
  WRITABLE,
} from "./pte.ts";
import { dataOf, touch } from "./array.ts";
import {
  dropStructuresFor,
  fillStructure,
  findPageTable,
  PDE_CACHE,
  useStructure,
} from "./structure-cache.ts";
import { pageOf } from "./tag.ts";
import { dropPage, FIRST_INSTRUCTION } from "./tlb.ts";

/**
 * Whether combined rights allow an access that needs `required` of `tested`; D and checks aside.
 */
export function permits(data: u64, required: u64, tested: u64): bool {
  return ((data ^ required) & tested & ~(DIRTY | CONDEMNED)) == 0;
}

/** Records a page fault. A fault drops what could make it recur: SDM 3A 4.10.4.1. */
export function pageFault(core: Core, address: u64, list: u32, required: u64, cause: u32): void {
  let code = cause;
  if ((required & DIRTY) != 0) code |= ERROR_WRITE;
  if ((required & USER) != 0) code |= ERROR_USER;
  // SDM 3A 4.7: I/D is reported when execute-disable is enabled.
  if (list == FIRST_INSTRUCTION && (core.control & CONTROL_NO_EXECUTE) != 0) {
    code |= ERROR_INSTRUCTION;
  }
  core.faultAddress = address;
  core.faultErrorCode = code;
  core.faultVector = VECTOR_PAGE_FAULT;
  dropPage(core, pageOf(address), core.pcidBits, true);
  dropStructuresFor(core, pageOf(address), core.pcidBits);
  count(core, COUNTER_FAULTS);
}

/** Records the general-protection fault of an address that is not canonical. */
export function generalProtection(core: Core, address: u64): void {
  core.faultAddress = address;
  core.faultErrorCode = 0;
  core.faultVector = VECTOR_GENERAL_PROTECTION;
  count(core, COUNTER_FAULTS);
}

/** The level of the table to begin at; its frame and rights so far are left in resultEntry. */
function startingLevel(core: Core, page: u64): u32 {
  for (let level: u32 = 1; level < core.levels; level++) {
    const data = useStructure(core, page, level);
    if (data != 0) {
      MACHINE.resultEntry = data;
      return level;
    }
  }
  MACHINE.resultEntry = (core.rootFrame << 12) | PRESENT | WRITABLE | USER;
  return core.levels;
}

/** A TLB's data word for the leaf of `level` reached with the combined rights `path`. */
function translation(core: Core, leaf: u64, level: u32, path: u64): u64 {
  const size = level - 1;
  let data = (leaf & ADDRESS_BITS & ~offsetMask(size)) | (path & (RIGHTS | CONDEMNED));
  data |= (leaf & DIRTY) | ((<u64>size) << SIZE_SHIFT);
  if ((core.control & CONTROL_GLOBAL_PAGES) != 0) data |= leaf & GLOBAL;
  return data;
}

/**
 * The walk that most misses take, when nothing on it is out of the ordinary: the PDE cache knows
 * the page table, and the PTE allows the access with A (and D) as they are and is not global.
 * Returns the TLB data word, or 0 having done nothing: then `walk` is to do it.
 */
export function walkFromPageTable(core: Core, page: u64, required: u64, tested: u64): u64 {
  const cached = findPageTable(core, page);
  if (cached == 0) return 0;
  const above = dataOf(PDE_CACHE, cached);
  const entryAt = entryAddress((above & ADDRESS_BITS) >> 12, page, 1);
  const entry = read(entryAt);
  const noExecute = (core.control & CONTROL_NO_EXECUTE) != 0;
  const path = combineRights(above & RIGHTS, entry) | (above & CONDEMNED);
  const data = translation(core, entry, 1, path);
  const unfit = ((data ^ required) & tested) | (data & GLOBAL) | (~entry & ACCESSED);
  if ((unfit | (entry & reservedBits(entry, 1, noExecute))) != 0) return 0;
  touch(PDE_CACHE, baseOf(core), page >> 9, cached);
  charge(core, MACHINE.walkCycles + accessCycles(core, entryAt), 1);
  return data;
}

function charge(core: Core, cycles: f64, loads: f64): void {
  core.clock += cycles;
  count(core, COUNTER_WALKS);
  add(core, COUNTER_WALK_CYCLES, cycles);
  add(core, COUNTER_WALK_LOADS, loads);
}

/** Walks for an access; returns a TLB data word, or 0 when it faulted. Charges the cycles. */
export function walk(core: Core, address: u64, list: u32, required: u64, tested: u64): u64 {
  const page = pageOf(address);
  const noExecute = (core.control & CONTROL_NO_EXECUTE) != 0;
  let level = startingLevel(core, page);
  let path = MACHINE.resultEntry & (RIGHTS | CONDEMNED);
  let table = (MACHINE.resultEntry & ADDRESS_BITS) >> 12;
  let cycles = MACHINE.walkCycles;
  let loads: f64 = 0;
  let data: u64 = 0;
  while (true) {
    // SDM 3A 4.5.4: bits 51:12 from the entry above, 11:3 from the address.
    const entryAt = entryAddress(table, page, level);
    cycles += accessCycles(core, entryAt);
    loads += 1;
    const entry = read(entryAt);
    // SDM 3A 4.7: not present first, then reserved bits, then rights.
    if ((entry & PRESENT) == 0) {
      pageFault(core, address, list, required, 0);
      break;
    }
    if ((entry & reservedBits(entry, level, noExecute)) != 0) {
      pageFault(core, address, list, required, ERROR_PRESENT | ERROR_RESERVED);
      break;
    }
    path = combineRights(path, entry) | (path & CONDEMNED);
    if (isLeaf(entry, level)) {
      if (!permits(path, required, tested)) {
        pageFault(core, address, list, required, ERROR_PRESENT);
        break;
      }
      // SDM 3A 4.8: A whenever the entry is used, D when the access writes.
      const used = entry | ACCESSED | (required & DIRTY);
      if (used != entry) write(entryAt, used);
      data = translation(core, used, level, path);
      break;
    }
    if ((entry & ACCESSED) == 0) write(entryAt, entry | ACCESSED);
    table = (entry & ADDRESS_BITS) >> 12;
    level--;
    fillStructure(core, page, level, (entry & ADDRESS_BITS) | path);
  }
  charge(core, cycles, loads);
  return data;
}
