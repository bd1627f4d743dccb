// The instructions that invalidate, and what writes to control registers drop, each of them what
// SDM 3A 4.10.4.1 says and no more: docs/invalidation.md has it rule by rule.

import {
  COUNTER_INVLPGS,
  COUNTER_INVPCIDS,
  VECTOR_GENERAL_PROTECTION,
  VECTOR_INVALID_OPCODE,
} from "./abi.ts";
import { count } from "./counters.ts";
import { Core, MACHINE } from "./layout.ts";
import { drain } from "./posted-stores.ts";
import { CR4_PCID, isCanonical, isCanonicalOperand, linearAddress } from "./registers.ts";
import {
  dropAllStructures,
  dropStructuresFor,
  dropStructuresForAll,
  dropStructuresOf,
} from "./structure-cache.ts";
import { pageOf, PCID_SHIFT } from "./tag.ts";
import { dropEverything, dropNonGlobal, dropPage, dropPageOfAll, dropPcid } from "./tlb.ts";

/** Cycles of INVPCID by type. */
export const INVPCID_CYCLES: usize = memory.data(4 * 8, 8);

/** INVPCID types. */
const ADDRESS: u32 = 0;
const CONTEXT: u32 = 1;
const ALL: u32 = 2;
const LAST_TYPE: u64 = 3;

/** The non-global translations of a PCID, and its paging-structure caches. */
export function invalidateContext(core: Core, pcidBits: u64): void {
  dropPcid(core, pcidBits);
  dropStructuresOf(core, pcidBits);
}

/** Everything of every PCID, global translations included. */
export function invalidateAll(core: Core): void {
  dropEverything(core);
  dropAllStructures(core);
}

/** A page in every PCID, and globally; of structures the entries that walks for it would use. */
export function invalidatePageOfAll(core: Core, page: u64): void {
  dropPageOfAll(core, page);
  dropStructuresForAll(core, page);
}

/** What INVPCID of this type drops. */
export function invalidateAs(core: Core, type: u32, pcidBits: u64, page: u64): void {
  if (type == ADDRESS) {
    dropPage(core, page, pcidBits, false);
    dropStructuresFor(core, page, pcidBits);
  } else if (type == CONTEXT) {
    invalidateContext(core, pcidBits);
  } else if (type == ALL) {
    invalidateAll(core);
  } else {
    dropNonGlobal(core);
    dropAllStructures(core);
  }
}

/** INVLPG: the page in the current PCID and globally, and all structures of the current PCID. */
export function invlpg(core: Core, address: u64): void {
  drain(core);
  core.clock += MACHINE.invlpg;
  count(core, COUNTER_INVLPGS);
  const linear = linearAddress(core, address);
  // SDM 2A, INVLPG: for an address that is not canonical it does nothing.
  if (!isCanonical(core, linear)) return;
  dropPage(core, pageOf(linear), core.pcidBits, true);
  dropStructuresOf(core, core.pcidBits);
}

/**
 * INVPCID type 0: a page in one PCID; 1: one PCID; 2: all; 3: all but global translations. The
 * descriptor is the PCID, with reserved bits above, and an address. Returns the fault's vector or
 * 0.
 */
export function invpcid(core: Core, operand: u64, descriptor: u64, address: u64): u32 {
  if (MACHINE.invpcid == 0) return VECTOR_INVALID_OPCODE;
  // The type is in a register, which has 32 bits outside 64-bit mode.
  const type = linearAddress(core, operand);
  if (isRefused(core, type, descriptor, address)) return VECTOR_GENERAL_PROTECTION;
  drain(core);
  invalidateAs(core, <u32>type, descriptor << PCID_SHIFT, pageOf(address));
  core.clock += load<f64>(INVPCID_CYCLES + ((<usize>type) << 3));
  count(core, COUNTER_INVPCIDS);
  return 0;
}

/** SDM 2A, INVPCID: #GP(0). */
function isRefused(core: Core, type: u64, descriptor: u64, address: u64): bool {
  if (type > LAST_TYPE || descriptor >> 12 != 0) return true;
  const named = type == ADDRESS || type == CONTEXT;
  if (named && descriptor != 0 && (core.cr4 & CR4_PCID) == 0) return true;
  // The processor uses all 64 bits of the descriptor's address even outside 64-bit mode.
  return type == ADDRESS && !isCanonicalOperand(core, address);
}
