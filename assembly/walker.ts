// The page walk in every paging mode (SDM 3A 4.3, 4.4.2, 4.5.4): from the deepest paging-structure
// cache that knows the prefix, else from CR3 or a PDPTE register, down to the leaf. Every entry is
// loaded through the data caches.
//
// Unlike hardware, setting A and D costs no cycles of its own, and walks are never speculative.

import { COUNTER_WALK_CYCLES, COUNTER_WALK_LOADS, COUNTER_WALKS } from "./abi.ts";
import { dataOf } from "./array.ts";
import { accessCycles, lineAt, recentLineCycles } from "./cache.ts";
import { add, count } from "./counters.ts";
import { NOT_PRESENT, pageFault, refusal, RESERVED_BIT } from "./fault.ts";
import { baseOf, Core, MACHINE } from "./layout.ts";
import { read, readHalf, write, writeHalf } from "./memory.ts";
import { pdpteRegister } from "./pdpte.ts";
import {
  ACCESSED,
  ADDRESS_BITS,
  combineRights,
  CONDEMNED,
  DIRTY,
  GLOBAL,
  KEY,
  largeAddress,
  offsetMask,
  PRESENT,
  RIGHTS,
  SIZE_4M,
  SIZE_SHIFT,
  USER,
  WRITABLE,
} from "./pte.ts";
import { CR4_GLOBAL_PAGES, isLeaf, MODE_32_BIT, MODE_PAE, reservedAt } from "./registers.ts";
import {
  fillStructure,
  findPageTable,
  PDE_CACHE,
  touchPageTable,
  useStructure,
} from "./structure-cache.ts";
import { pageOf } from "./tag.ts";
import { beginLog, logStep } from "./walk-log.ts";

/** Where a walk begins when nothing is cached: rights that take nothing away. */
const FULL_RIGHTS: u64 = PRESENT | WRITABLE | USER;

/** Where the entry for a page is in a table of `level`. */
function entryAddress(core: Core, table: u64, page: u64, level: u32): u64 {
  const bits = <u64>core.indexBits;
  const index = (page >> (bits * <u64>(level - 1))) & ((1 << bits) - 1);
  return (table << 12) | (index << (<u64>core.entryShift));
}

function readEntry(core: Core, at: u64): u64 {
  return core.entryShift == 3 ? read(at) : readHalf(at);
}

function writeEntry(core: Core, at: u64, entry: u64): void {
  if (core.entryShift == 3) write(at, entry);
  else writeHalf(at, <u32>entry);
}

/**
 * The level of the table to begin at; its frame and rights so far are left in resultEntry. 0 when a
 * PDPTE register is not present.
 */
function startingLevel(core: Core, page: u64): u32 {
  // The registers of PAE paging are what a cache of PDPTEs would be.
  const top: u32 = core.mode == MODE_PAE ? 2 : core.levels;
  for (let level: u32 = 1; level < top; level++) {
    const data = useStructure(core, page, level);
    if (data != 0) {
      MACHINE.resultEntry = data;
      return level;
    }
  }
  if (core.mode == MODE_PAE) return startingAtPdpte(core, page);
  MACHINE.resultEntry = (core.rootFrame << 12) | FULL_RIGHTS;
  return core.levels;
}

/** SDM 3A 4.4.2: bits 31:30 of the address select a PDPTE register, which has no rights. */
function startingAtPdpte(core: Core, page: u64): u32 {
  const pdpte = load<u64>(pdpteRegister(core, (<u32>(page >> 18)) & 3));
  MACHINE.resultEntry = (pdpte & ADDRESS_BITS) | FULL_RIGHTS;
  return (pdpte & PRESENT) == 0 ? 0 : 2;
}

/** A TLB's data word for the leaf of `level` reached with the combined rights `path`. */
function translation(core: Core, leaf: u64, level: u32, path: u64): u64 {
  let size = level - 1;
  let address = leaf & ADDRESS_BITS & ~offsetMask(size);
  if (core.mode == MODE_32_BIT && level == 2) {
    size = SIZE_4M;
    address = largeAddress(leaf);
  }
  let data = address | ACCESSED | (path & (RIGHTS | CONDEMNED)) | ((<u64>size) << SIZE_SHIFT);
  // Other modes reserve the bits of the key, or do not have them.
  data |= leaf & (DIRTY | KEY);
  if ((core.cr4 & CR4_GLOBAL_PAGES) != 0) data |= leaf & GLOBAL;
  return data;
}

/**
 * The walk that most misses take, when nothing on it is out of the ordinary: the PDE cache knows
 * the page table, and the PTE allows the access with A (and D) as they are and is not global. The
 * caller is in long mode with a small L1D. Returns the TLB data word, or 0 having done nothing:
 * then `walk` is to.
 */
export function walkFromPageTable(core: Core, page: u64, required: u64, tested: u64): u64 {
  const cached = findPageTable(core, page);
  if (cached == 0) return 0;
  const above = dataOf(PDE_CACHE, cached);
  const entryAt = (above & ADDRESS_BITS) | ((page & 511) << 3);
  const entry = read(entryAt);
  const path = combineRights(above & RIGHTS, entry) | (above & CONDEMNED);
  const data = (entry & (ADDRESS_BITS | ACCESSED | DIRTY | KEY)) | path;
  const unfit = ((data ^ required) & tested) | (entry & GLOBAL) | (~entry & ACCESSED);
  if ((unfit | (entry & load<u64>(reservedAt(core, 1, 0)))) != 0) return 0;
  touchPageTable(baseOf(core), cached);
  charge(core, MACHINE.walkCycles + recentLineCycles(core, baseOf(core), lineAt(entryAt)), 1);
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
  let level = startingLevel(core, page);
  let path = MACHINE.resultEntry & (RIGHTS | CONDEMNED);
  let table = (MACHINE.resultEntry & ADDRESS_BITS) >> 12;
  let cycles = MACHINE.walkCycles;
  let loads: f64 = 0;
  let data: u64 = 0;
  beginLog(level, address, path);
  if (level == 0) pageFault(core, address, list, required, NOT_PRESENT);
  while (level != 0) {
    // SDM 3A 4.5.4: the table's frame from the entry above, the index from the address.
    const entryAt = entryAddress(core, table, page, level);
    const latency = accessCycles(core, entryAt);
    const entry = readEntry(core, entryAt);
    logStep(level, entryAt, entry, latency);
    cycles += latency;
    loads += 1;
    // SDM 3A 4.7: not present first, then reserved bits, then rights.
    if ((entry & PRESENT) == 0) {
      pageFault(core, address, list, required, NOT_PRESENT);
      break;
    }
    if ((entry & load<u64>(reservedAt(core, level, entry))) != 0) {
      pageFault(core, address, list, required, RESERVED_BIT);
      break;
    }
    path = combineRights(path, entry) | (path & CONDEMNED);
    if (isLeaf(core, entry, level)) {
      // SDM 3A 4.8: A whenever the entry is used, D when the access writes.
      const used = entry | ACCESSED | (required & DIRTY);
      const reached = translation(core, used, level, path);
      const cause = refusal(core, reached, required, tested);
      if (cause != 0) {
        pageFault(core, address, list, required, cause);
        break;
      }
      if (used != entry) writeEntry(core, entryAt, used);
      data = reached;
      break;
    }
    if ((entry & ACCESSED) == 0) writeEntry(core, entryAt, entry | ACCESSED);
    table = (entry & ADDRESS_BITS) >> 12;
    level--;
    fillStructure(core, page, level, (entry & ADDRESS_BITS) | ACCESSED | path);
  }
  charge(core, cycles, loads);
  return data;
}
