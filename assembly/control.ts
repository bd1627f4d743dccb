// Writes to the control registers: which values they refuse with #GP(0), and what each drops.
// SDM 2B (MOV to control registers, WRMSR, WRPKRU), SDM 3A 2.5, 4.1.2, 4.4.1, 4.10.4.1. Each
// returns the vector of its fault, having changed nothing then, or 0. All but WRPKRU serialise:
// posted stores drain first.
//
// Unlike hardware, writes to CR0, EFER, PKRU and PKRS take no cycles: nobody here measured them.

import {
  COUNTER_CR3_FLUSHES,
  COUNTER_CR3_WRITES,
  COUNTER_CR4_WRITES,
  REGISTER_CR0,
  REGISTER_CR3,
  REGISTER_CR4,
  REGISTER_EFER,
  REGISTER_PKRU,
  VECTOR_GENERAL_PROTECTION,
  VECTOR_INVALID_OPCODE,
} from "./abi.ts";
import { count } from "./counters.ts";
import { invalidateAll, invalidateContext } from "./invalidate.ts";
import { Core, MACHINE, trackedPcid } from "./layout.ts";
import { drain } from "./posted-stores.ts";
import { loadPdptes } from "./pdpte.ts";
import {
  CR0_CACHE_DISABLE,
  CR0_DEFINED,
  CR0_EXTENSION_TYPE,
  CR0_NOT_WRITE_THROUGH,
  CR0_PAGING,
  CR0_PROTECTION,
  CR4_FIVE_LEVELS,
  CR4_GLOBAL_PAGES,
  CR4_PAGE_SIZE,
  CR4_PCID,
  CR4_PHYSICAL_EXTENSION,
  CR4_SMEP,
  CR4_SUPERVISOR_KEYS,
  CR4_USER_KEYS,
  derive,
  EFER_LONG_MODE,
  EFER_LONG_MODE_ACTIVE,
  EFER_NO_EXECUTE,
  EFER_SYSCALL,
  isLongMode,
  linearAddress,
  MODE_PAE,
} from "./registers.ts";
import { PCID_SHIFT } from "./tag.ts";
import { dropGlobals, dropNonGlobalOf, FIRST_DATA } from "./tlb.ts";

const KEEP: u64 = 1 << 63;
const PCID_OF_CR3: u64 = 0xfff;
/** Changes of these load the PDPTE registers of PAE paging. SDM 3A 4.4.1. */
const CR0_LOADING: u64 = CR0_CACHE_DISABLE | CR0_NOT_WRITE_THROUGH | CR0_PAGING;
const CR4_LOADING: u64 = CR4_PHYSICAL_EXTENSION | CR4_GLOBAL_PAGES | CR4_PAGE_SIZE | CR4_SMEP;

/** MOV to CR0. */
function writeCr0(core: Core, operand: u64): u32 {
  const value = linearAddress(core, operand);
  if (value >> 32 != 0) return VECTOR_GENERAL_PROTECTION;
  const before = core.cr0;
  const after = (value & CR0_DEFINED) | CR0_EXTENSION_TYPE;
  if (isRefusedInCr0(core, after)) return VECTOR_GENERAL_PROTECTION;
  core.cr0 = after;
  if (!rederive(core, ((before ^ after) & CR0_LOADING) != 0)) {
    core.cr0 = before;
    derive(core);
    return VECTOR_GENERAL_PROTECTION;
  }
  drain(core);
  core.efer = withLongModeActive(core, core.efer);
  if ((before & ~after & CR0_PAGING) != 0) invalidateAll(core);
  return 0;
}

function isRefusedInCr0(core: Core, after: u64): bool {
  const paging = (after & CR0_PAGING) != 0;
  if (paging && (after & CR0_PROTECTION) == 0) return true;
  if ((after & CR0_NOT_WRITE_THROUGH) != 0 && (after & CR0_CACHE_DISABLE) == 0) return true;
  // Paging cannot be left with PCIDs enabled, nor from 64-bit mode.
  if (!paging && ((core.cr4 & CR4_PCID) != 0 || isLongMode(core))) return true;
  // SDM 3A 4.1.2: nor entered into IA-32e mode without PAE.
  const enters = paging && (core.cr0 & CR0_PAGING) == 0 && (core.efer & EFER_LONG_MODE) != 0;
  return enters && (core.cr4 & CR4_PHYSICAL_EXTENSION) == 0;
}

/** Derives, and loads the PDPTEs if `loading` and PAE paging is on; false when one is bad. */
function rederive(core: Core, loading: bool): bool {
  derive(core);
  return !loading || core.mode != MODE_PAE || loadPdptes(core);
}

function withLongModeActive(core: Core, efer: u64): u64 {
  return isLongMode(core) ? efer | EFER_LONG_MODE_ACTIVE : efer & ~EFER_LONG_MODE_ACTIVE;
}

/** MOV to CR3. Bit 63 of the operand keeps what is cached; without CR4.PCIDE it is reserved. */
export function writeCr3(core: Core, operand: u64): u32 {
  const tagged = (core.cr4 & CR4_PCID) != 0;
  const keeps = tagged && (operand & KEEP) != 0;
  const value = linearAddress(core, keeps ? operand & ~KEEP : operand);
  // SDM 3A table 4-12. The low bits that locate nothing are not checked.
  if (value >> (<u64>MACHINE.physicalAddressBits) != 0) return VECTOR_GENERAL_PROTECTION;
  const before = core.cr3;
  const pcidBefore = core.pcidBits;
  core.cr3 = value;
  if (core.mode == MODE_PAE && !loadPdptes(core)) {
    core.cr3 = before;
    return VECTOR_GENERAL_PROTECTION;
  }
  drain(core);
  core.rootFrame = (value & core.rootMask) >> 12;
  core.pcidBits = tagged ? value << PCID_SHIFT : 0;
  if (tagged) trackPcid(core, <u32>(value & PCID_OF_CR3));
  if (core.pcidBits != pcidBefore && MACHINE.firstLevelDataPerPcid != 0) {
    dropNonGlobalOf(core, FIRST_DATA);
  }
  count(core, COUNTER_CR3_WRITES);
  if (keeps) {
    core.clock += MACHINE.writeCr3NoFlush;
    return 0;
  }
  count(core, COUNTER_CR3_FLUSHES);
  invalidateContext(core, core.pcidBits);
  core.clock += MACHINE.writeCr3Flush;
  return 0;
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

/** MOV to CR4. */
function writeCr4(core: Core, operand: u64): u32 {
  const before = core.cr4;
  const after = linearAddress(core, operand);
  const flipped = before ^ after;
  if (isRefusedInCr4(core, after)) return VECTOR_GENERAL_PROTECTION;
  core.cr4 = after;
  if (!rederive(core, (flipped & CR4_LOADING) != 0)) {
    core.cr4 = before;
    derive(core);
    return VECTOR_GENERAL_PROTECTION;
  }
  drain(core);
  dropForCr4(core, flipped, after);
  core.clock += MACHINE.writeCr4;
  count(core, COUNTER_CR4_WRITES);
  return 0;
}

function isRefusedInCr4(core: Core, after: u64): bool {
  const long = isLongMode(core);
  if ((after & ~MACHINE.cr4Allowed) != 0) return true;
  // SDM 3A 4.10.1: PCIDs are enabled in IA-32e mode, while the current one is 0.
  const enables = (after & ~core.cr4 & CR4_PCID) != 0;
  if (enables && (!long || (core.cr3 & PCID_OF_CR3) != 0)) return true;
  // SDM 3A 4.1.2: neither PAE nor the number of levels changes under IA-32e mode.
  return long && ((core.cr4 ^ after) & (CR4_PHYSICAL_EXTENSION | CR4_FIVE_LEVELS)) != 0;
}

/** SDM 3A 4.10.4.1; for PAE and PSE the APM's 5.5.3, which drops everything, as for PGE. */
function dropForCr4(core: Core, flipped: u64, after: u64): void {
  const formats = CR4_PHYSICAL_EXTENSION | CR4_PAGE_SIZE | CR4_GLOBAL_PAGES;
  if (((flipped & formats) | (flipped & ~after & CR4_PCID)) != 0) {
    invalidateAll(core);
    return;
  }
  if ((flipped & after & CR4_SMEP) == 0) return;
  dropGlobals(core);
  invalidateContext(core, core.pcidBits);
}

/** WRMSR to IA32_EFER. LMA follows from LME and CR0.PG, whatever is written to it. */
function writeEfer(core: Core, value: u64): u32 {
  let defined = EFER_SYSCALL | EFER_LONG_MODE | EFER_LONG_MODE_ACTIVE;
  if (MACHINE.noExecute != 0) defined |= EFER_NO_EXECUTE;
  if ((value & ~defined) != 0) return VECTOR_GENERAL_PROTECTION;
  const flipped = value ^ core.efer;
  if ((flipped & EFER_LONG_MODE) != 0 && (core.cr0 & CR0_PAGING) != 0) {
    return VECTOR_GENERAL_PROTECTION;
  }
  drain(core);
  core.efer = withLongModeActive(core, value);
  derive(core);
  return 0;
}

/** WRPKRU, the value in EDX:EAX. */
function writePkru(core: Core, value: u64): u32 {
  if ((core.cr4 & CR4_USER_KEYS) == 0) return VECTOR_INVALID_OPCODE;
  if (value >> 32 != 0) return VECTOR_GENERAL_PROTECTION;
  core.pkru = <u32>value;
  derive(core);
  return 0;
}

/** WRMSR to IA32_PKRS, which needs the feature, not CR4.PKS. */
function writePkrs(core: Core, value: u64): u32 {
  if ((MACHINE.cr4Allowed & CR4_SUPERVISOR_KEYS) == 0 || value >> 32 != 0)
    return VECTOR_GENERAL_PROTECTION;
  drain(core);
  core.pkrs = <u32>value;
  derive(core);
  return 0;
}

/** A write to the register of that number (REGISTER_*). */
export function writeRegister(core: Core, register: u32, value: u64): u32 {
  if (register == REGISTER_CR0) return writeCr0(core, value);
  if (register == REGISTER_CR3) return writeCr3(core, value);
  if (register == REGISTER_CR4) return writeCr4(core, value);
  if (register == REGISTER_EFER) return writeEfer(core, value);
  return register == REGISTER_PKRU ? writePkru(core, value) : writePkrs(core, value);
}
