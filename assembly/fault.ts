// Faults as values: left in the core for whoever made the access. SDM 3A 4.7 (page faults), 6.15.

import {
  COUNTER_FAULTS,
  ERROR_INSTRUCTION,
  ERROR_KEY,
  ERROR_PRESENT,
  ERROR_RESERVED,
  ERROR_USER,
  ERROR_WRITE,
  VECTOR_PAGE_FAULT,
} from "./abi.ts";
import { count } from "./counters.ts";
import { Core } from "./layout.ts";
import { CONDEMNED, DIRTY, KEY_TEST, USER } from "./pte.ts";
import { CR4_PHYSICAL_EXTENSION, CR4_SMEP, EFER_NO_EXECUTE, keyForbids } from "./registers.ts";
import { dropStructuresFor } from "./structure-cache.ts";
import { pageOf } from "./tag.ts";
import { dropPage, FIRST_INSTRUCTION } from "./tlb.ts";

export const NOT_PRESENT: u32 = 0;
export const RESERVED_BIT: u32 = ERROR_PRESENT | ERROR_RESERVED;

/** Why combined rights or a key refuse an access: the cause's bits of the error code, or 0. */
export function refusal(core: Core, data: u64, required: u64, tested: u64): u32 {
  // The key is reported whenever it forbids, whatever else forbids as well.
  if (keyForbids(core, data, required)) return ERROR_PRESENT | ERROR_KEY;
  const refused = (data ^ required) & tested & ~(DIRTY | CONDEMNED | KEY_TEST);
  return refused != 0 ? ERROR_PRESENT : 0;
}

/** Records a page fault. A fault drops what could make it recur: SDM 3A 4.10.4.1. */
export function pageFault(core: Core, address: u64, list: u32, required: u64, cause: u32): void {
  let code = cause;
  if ((required & DIRTY) != 0) code |= ERROR_WRITE;
  if ((required & USER) != 0) code |= ERROR_USER;
  if (list == FIRST_INSTRUCTION && reportsFetches(core)) code |= ERROR_INSTRUCTION;
  core.faultAddress = address;
  core.faultErrorCode = code;
  core.faultVector = VECTOR_PAGE_FAULT;
  dropPage(core, pageOf(address), core.pcidBits, true);
  dropStructuresFor(core, pageOf(address), core.pcidBits);
  count(core, COUNTER_FAULTS);
}

/** I/D is reported with SMEP, and with execute-disable where entries have the bit. */
function reportsFetches(core: Core): bool {
  if ((core.cr4 & CR4_SMEP) != 0) return true;
  return (core.cr4 & CR4_PHYSICAL_EXTENSION) != 0 && (core.efer & EFER_NO_EXECUTE) != 0;
}

/** Records the fault of an address that is not canonical: #SS through SS, else #GP. */
export function addressFault(core: Core, address: u64, vector: u32): void {
  core.faultAddress = address;
  core.faultErrorCode = 0;
  core.faultVector = vector;
  count(core, COUNTER_FAULTS);
}
