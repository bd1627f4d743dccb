// The control registers that paging looks at (SDM 3A 2.2.1, 2.5) and what follows from them: the
// paging mode, how it cuts up an address, which bits its entries reserve, and what each kind of
// access needs of a translation. Derived anew when a register changes, so that walks only load.

import {
  EXECUTE,
  LIFTED,
  REGISTER_CR0,
  REGISTER_CR3,
  REGISTER_CR4,
  REGISTER_EFER,
  REGISTER_PKRU,
  USER_ACCESS,
  WRITE,
} from "./abi.ts";
import { baseOf, Core, MACHINE, RESERVED_OFFSET, rightsOf } from "./layout.ts";
import {
  CONDEMNED,
  DIRTY,
  KEY_TEST,
  NO_EXECUTE,
  offsetMask,
  PAGE_SIZE,
  PRESENT,
  SIZE_1G,
  SIZE_2M,
  USER,
  WRITABLE,
} from "./pte.ts";

export const CR0_PROTECTION: u64 = 1 << 0;
export const CR0_EXTENSION_TYPE: u64 = 1 << 4;
export const CR0_WRITE_PROTECT: u64 = 1 << 16;
export const CR0_NOT_WRITE_THROUGH: u64 = 1 << 29;
export const CR0_CACHE_DISABLE: u64 = 1 << 30;
export const CR0_PAGING: u64 = 1 << 31;
/** PE MP EM TS ET NE, WP, AM, NW CD PG. Writes to the others are ignored. */
export const CR0_DEFINED: u64 = 0xe005003f;

export const CR4_PAGE_SIZE: u64 = 1 << 4;
export const CR4_PHYSICAL_EXTENSION: u64 = 1 << 5;
export const CR4_GLOBAL_PAGES: u64 = 1 << 7;
export const CR4_FIVE_LEVELS: u64 = 1 << 12;
export const CR4_PCID: u64 = 1 << 17;
export const CR4_SMEP: u64 = 1 << 20;
export const CR4_SMAP: u64 = 1 << 21;
export const CR4_USER_KEYS: u64 = 1 << 22;
export const CR4_SUPERVISOR_KEYS: u64 = 1 << 24;
/** Bits 11:0, FSGSBASE, OSXSAVE: no concern of paging, and there on every processor. */
export const CR4_OTHERS: u64 = 0xfff | (1 << 16) | (1 << 18);

export const EFER_SYSCALL: u64 = 1 << 0;
export const EFER_LONG_MODE: u64 = 1 << 8;
export const EFER_LONG_MODE_ACTIVE: u64 = 1 << 10;
export const EFER_NO_EXECUTE: u64 = 1 << 11;

/** Paging modes (SDM 3A table 4-1), in `mode` of a core. */
export const MODE_NONE: u32 = 0;
export const MODE_32_BIT: u32 = 1;
export const MODE_PAE: u32 = 2;
export const MODE_LONG: u32 = 3;

/** PML4E and PML5E, on AMD. */
const BIT_8: u64 = 1 << 8;
/** Bits 62:52, which PAE paging does not ignore. */
const ABOVE_ADDRESS: u64 = 0x7ff << 52;
/** The most address bits that a 4-MByte page can have (PSE-36). */
const PSE_ADDRESS_BITS: u32 = 40;

export function isLongMode(core: Core): bool {
  return (core.cr0 & CR0_PAGING) != 0 && (core.efer & EFER_LONG_MODE) != 0;
}

/** What an access of a program running in this mode can form: 64 or 32 address bits. */
export function linearAddress(core: Core, address: u64): u64 {
  return address & core.linearMask;
}

/** Whether bits 63:47 (63:56 with 5 levels) of the address are equal; always outside long mode. */
export function isCanonical(core: Core, address: u64): bool {
  return isSignExtended(address, <i64>core.canonicalShift);
}

/** As isCanonical, of an operand that has 64 bits in every mode. */
export function isCanonicalOperand(core: Core, address: u64): bool {
  return isSignExtended(address, (core.cr4 & CR4_FIVE_LEVELS) != 0 ? 7 : 16);
}

/** Whether the top `shift` bits repeat the bit below them. */
function isSignExtended(address: u64, shift: i64): bool {
  return ((<i64>address) << shift) >> shift == <i64>address;
}

/** Brings all that follows from the registers up to date. */
export function derive(core: Core): void {
  const paging = (core.cr0 & CR0_PAGING) != 0;
  const long = isLongMode(core);
  core.mode = MODE_NONE;
  core.levels = 0;
  core.indexBits = 9;
  core.entryShift = 3;
  if (long) {
    core.mode = MODE_LONG;
    core.levels = (core.cr4 & CR4_FIVE_LEVELS) != 0 ? 5 : 4;
  } else if (paging && (core.cr4 & CR4_PHYSICAL_EXTENSION) != 0) {
    core.mode = MODE_PAE;
    core.levels = 3;
  } else if (paging) {
    core.mode = MODE_32_BIT;
    core.levels = 2;
    core.indexBits = 10;
    core.entryShift = 2;
  }
  core.linearMask = long ? ~(<u64>0) : 0xffffffff;
  core.canonicalShift = long ? (core.levels == 5 ? 7 : 16) : 0;
  core.rootMask = long ? 0x000ffffffffff000 : 0xfffff000;
  core.rootFrame = (core.cr3 & core.rootMask) >> 12;
  core.pcidBits = (core.cr4 & CR4_PCID) != 0 ? core.cr3 << 52 : 0;
  deriveReserved(core);
  deriveRights(core);
}

function setReserved(core: Core, level: u32, pageSize: bool, bits: u64): void {
  store<u64>(reservedAt(core, level, pageSize ? PAGE_SIZE : 0), bits);
}

/** Address of the bits that must be 0 in a present entry of `level`, by its bit 7. */
export function reservedAt(core: Core, level: u32, entry: u64): usize {
  return baseOf(core) + RESERVED_OFFSET + ((<usize>level) << 4) + ((<usize>(entry >> 4)) & 8);
}

/** SDM 3A tables 4-4 (32-bit), 4-9 to 4-11 (PAE), 4-14 to 4-20. */
function deriveReserved(core: Core): void {
  if (core.mode == MODE_32_BIT) {
    const addressBits = min<u32>(PSE_ADDRESS_BITS, MACHINE.physicalAddressBits);
    const large = (<u64>0x3fffff) & ~(((<u64>1) << (<u64>addressBits - 19)) - 1);
    for (let level: u32 = 1; level <= 2; level++) {
      setReserved(core, level, false, 0);
      setReserved(core, level, true, level == 2 && hasLargePages(core) ? large : 0);
    }
    return;
  }
  let bits = MACHINE.reservedAddressBits;
  if (core.mode == MODE_PAE) bits |= ABOVE_ADDRESS;
  if ((core.efer & EFER_NO_EXECUTE) == 0) bits |= NO_EXECUTE;
  for (let level: u32 = 1; level <= 5; level++) {
    let upper = bits;
    if (level >= 4) upper |= PAGE_SIZE | (MACHINE.isAmd != 0 ? BIT_8 : 0);
    let large = upper;
    // Bit 12 of a large page's entry is PAT; from 13 up to the page's own size must be 0.
    if (level == 2) large |= offsetMask(SIZE_2M) & ~(<u64>0x1fff);
    if (level == 3 && MACHINE.gigabytePages != 0) large |= offsetMask(SIZE_1G) & ~(<u64>0x1fff);
    if (level == 3 && MACHINE.gigabytePages == 0) large |= PAGE_SIZE;
    setReserved(core, level, false, upper);
    setReserved(core, level, true, large);
  }
}

/** SDM 3A 4.3: 32-bit paging has 4-MByte pages only with CR4.PSE. */
function hasLargePages(core: Core): bool {
  return (core.cr4 & CR4_PAGE_SIZE) != 0;
}

/** Whether an entry of `level`, present and without reserved bits, maps a page. */
export function isLeaf(core: Core, entry: u64, level: u32): bool {
  if (level == 1) return true;
  if ((entry & PAGE_SIZE) == 0 || level > 3) return false;
  return core.mode != MODE_32_BIT || hasLargePages(core);
}

/** SDM 3A 4.6.1 as two words for each kind of access: what must be set, and what is looked at. */
function deriveRights(core: Core): void {
  const writeProtect = (core.cr0 & CR0_WRITE_PROTECT) != 0;
  const keys = mayKeysForbid(core) ? KEY_TEST : 0;
  for (let kind: u32 = 0; kind < 16; kind++) {
    const user = (kind & USER_ACCESS) != 0;
    const type = kind & 3;
    let required = PRESENT;
    let forbidden = CONDEMNED;
    if (user) required |= USER;
    if (type == WRITE) required |= user || writeProtect ? DIRTY | WRITABLE : DIRTY;
    if (type != EXECUTE) required |= keys;
    if (type == EXECUTE && (core.efer & EFER_NO_EXECUTE) != 0) forbidden |= NO_EXECUTE;
    // Supervisor-mode execution and access prevention: not at user-mode addresses.
    if (!user && type == EXECUTE && (core.cr4 & CR4_SMEP) != 0) forbidden |= USER;
    if (!user && type != EXECUTE && (kind & LIFTED) == 0 && (core.cr4 & CR4_SMAP) != 0) {
      forbidden |= USER;
    }
    store<u64>(rightsOf(core, kind), required);
    store<u64>(rightsOf(core, kind), required | forbidden, 8);
  }
}

/** Whether any protection key forbids anything: else they need no look. */
function mayKeysForbid(core: Core): bool {
  if (core.mode != MODE_LONG) return false;
  const user = (core.cr4 & CR4_USER_KEYS) != 0 && core.pkru != 0;
  return user || ((core.cr4 & CR4_SUPERVISOR_KEYS) != 0 && core.pkrs != 0);
}

/** SDM 3A 4.6.2: whether the key of a translation forbids an access that needs `required`. */
export function keyForbids(core: Core, data: u64, required: u64): bool {
  if ((required & KEY_TEST) == 0) return false;
  const user = (data & USER) != 0;
  if ((core.cr4 & (user ? CR4_USER_KEYS : CR4_SUPERVISOR_KEYS)) == 0) return false;
  const key = (<u32>(data >> 59)) & 15;
  const disabled = (user ? core.pkru : core.pkrs) >> (2 * key);
  if ((disabled & 1) != 0) return true;
  // WD stops the writes that R/W = 0 would stop.
  return (disabled & 2) != 0 && (required & WRITABLE) != 0;
}

/** The value of the register of that number (REGISTER_*). */
export function registerValue(core: Core, register: u32): u64 {
  if (register == REGISTER_CR0) return core.cr0;
  if (register == REGISTER_CR3) return core.cr3;
  if (register == REGISTER_CR4) return core.cr4;
  if (register == REGISTER_EFER) return core.efer;
  return <u64>(register == REGISTER_PKRU ? core.pkru : core.pkrs);
}

/** Puts a value into a register that the caller vouches for; drops nothing, takes no cycles. */
export function setRegister(core: Core, register: u32, value: u64): void {
  if (register == REGISTER_CR0) core.cr0 = value;
  else if (register == REGISTER_CR3) core.cr3 = value;
  else if (register == REGISTER_CR4) core.cr4 = value;
  else if (register == REGISTER_EFER) core.efer = value;
  else if (register == REGISTER_PKRU) core.pkru = <u32>value;
  else core.pkrs = <u32>value;
  derive(core);
}
