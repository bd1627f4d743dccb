// Access rights: SDM 3A 4.6.1 (U/S, R/W, XD, CR0.WP, SMEP, SMAP) and 4.6.2 (protection keys).

import type { Access } from "../base/architecture.ts";
import { ENTRY } from "./entry.ts";
import { isUserMode } from "./fault.ts";
import { CR0, CR4, has, isLongMode, type Processor } from "./registers.ts";

/** What every entry of a walk so far allows. */
export interface Rights {
  readonly writable: boolean;
  /** A user-mode address, if it is so at the walk's end. */
  readonly user: boolean;
  readonly executable: boolean;
}

export const ALL_RIGHTS: Rights = { writable: true, user: true, executable: true };

/** R/W and U/S must be 1, and XD 0, in every entry. */
export const narrow = (rights: Rights, entry: bigint): Rights => ({
  writable: rights.writable && has(entry, ENTRY.RW),
  user: rights.user && has(entry, ENTRY.US),
  executable: rights.executable && !has(entry, ENTRY.XD),
});

/** SDM 3A 4.6.1, protection keys aside. */
export function rightsPermit(processor: Processor, rights: Rights, access: Access): boolean {
  return isUserMode(access)
    ? userModePermits(rights, access)
    : supervisorModePermits(processor, rights, access);
}

function userModePermits(rights: Rights, { kind }: Access): boolean {
  if (!rights.user) return false;
  if (kind === "write") return rights.writable;
  return kind === "read" || rights.executable;
}

function supervisorModePermits(
  { registers: { cr0, cr4 } }: Processor,
  rights: Rights,
  access: Access,
): boolean {
  if (access.kind === "execute") {
    return rights.executable && !(rights.user && has(cr4, CR4.SMEP));
  }
  // EFLAGS.AC lifts SMAP from explicit accesses only.
  const isLifted = access.alignmentCheck === true && access.implicit !== true;
  if (rights.user && has(cr4, CR4.SMAP) && !isLifted) return false;
  return access.kind === "read" || rights.writable || !has(cr0, CR0.WP);
}

/** SDM 3A 4.6.2: PKRU governs data accesses to user-mode addresses, IA32_PKRS to the others. */
export function keyPermits(
  { registers }: Processor,
  rights: Rights,
  leaf: bigint,
  access: Access,
): boolean {
  const isEnabled = has(registers.cr4, rights.user ? CR4.PKE : CR4.PKS);
  if (!isEnabled || !isLongMode(registers) || access.kind === "execute") return true;
  const key = (leaf >> 59n) & 15n;
  const keyRights = (rights.user ? registers.pkru : registers.pkrs) >> (2n * key);
  const accessDisable = has(keyRights, 1n);
  const writeDisable = has(keyRights, 2n);
  if (accessDisable) return false;
  const isWriteProtected = isUserMode(access) || has(registers.cr0, CR0.WP);
  return !(writeDisable && access.kind === "write" && isWriteProtected);
}
