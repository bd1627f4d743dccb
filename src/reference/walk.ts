// One page walk, as plain data: which entries it used, what they said, and how it ended. It changes
// nothing; whoever makes the access sets the flags that it asks for.

import type { Access, Fault } from "../base/architecture.ts";
import {
  ENTRY,
  entryName,
  isLeaf,
  pageOf,
  reservedBits,
  SHAPES,
  shiftOf,
  tableOf,
  type EntryName,
  type Level,
  type Shape,
} from "./entry.ts";
import { pageFault, type Refusal } from "./fault.ts";
import type { ReadPhysical } from "./memory.ts";
import { bits, has, pagingMode, type PagingMode, type Processor } from "./registers.ts";
import { ALL_RIGHTS, keyPermits, narrow, type Rights, rightsPermit } from "./rights.ts";

export interface Step {
  readonly level: Level;
  readonly entry: EntryName;
  /** Where the entry is in physical memory; a PDPTE of PAE paging is in a register. */
  readonly address?: bigint;
  readonly value: bigint;
  /** Reserved bits that are 1. */
  readonly reserved: bigint;
  /** After this entry; what it was before if the entry cannot be used. */
  readonly rights: Rights;
  /** Flags that using the entry sets: A, and A and D on the leaf of a write. SDM 3A 4.8. */
  readonly flags: bigint;
}

export type WalkOutcome =
  | { readonly physical: bigint; readonly pageBytes: bigint; readonly fault?: undefined }
  | { readonly fault: Fault; readonly refusal: Refusal };

export interface Walk {
  readonly mode: PagingMode;
  readonly address: bigint;
  readonly steps: readonly Step[];
  readonly outcome: WalkOutcome;
}

/** Translates one linear address for an access. SDM 3A 4.3 (32-bit), 4.4.2 (PAE), 4.5 (others). */
export function walk(
  processor: Processor,
  read: ReadPhysical,
  access: Access,
  address: bigint,
): Walk {
  const mode = pagingMode(processor.registers);
  const steps: Step[] = [];
  const ended = (outcome: WalkOutcome): Walk => ({ mode, address, steps, outcome });
  const refused = (refusal: Refusal): Walk =>
    ended({ fault: pageFault(processor, access, address, refusal), refusal });
  let table = rootOf(processor, mode);
  let rights = ALL_RIGHTS;
  for (const level of SHAPES[mode].levels) {
    const found = entryAt(processor, read, { table, level, address });
    const step = { level, entry: entryName(level), ...found, rights, reserved: 0n, flags: 0n };
    // SDM 3A 4.7: reserved bits are not checked in an entry whose P flag is 0.
    if (!has(step.value, ENTRY.P)) {
      steps.push(step);
      return refused("not present");
    }
    const reserved = step.value & reservedBits(processor, level, step.value);
    if (reserved !== 0n) {
      steps.push({ ...step, reserved });
      return refused("reserved bit");
    }
    // SDM 3A table 4-8: a PDPTE of PAE paging has neither rights nor an accessed flag.
    if (found.address !== undefined) rights = narrow(rights, step.value);
    if (!isLeaf(processor, level, step.value)) {
      steps.push({ ...step, rights, flags: found.address === undefined ? 0n : ENTRY.A });
      table = tableOf(step.value);
      continue;
    }
    const refusal = refusalOf(processor, rights, step.value, access);
    steps.push({ ...step, rights, flags: refusal === undefined ? flagsOfLeaf(access) : 0n });
    if (refusal !== undefined) return refused(refusal);
    const offset = bits(shiftOf(SHAPES[mode], level) - 1, 0);
    const physical = pageOf(processor, level, step.value) | (address & offset);
    return ended({ physical, pageBytes: offset + 1n });
  }
  // SDM 3A 4.1.1: paging is off; linear addresses are treated as physical addresses.
  return ended({ physical: address, pageBytes: 4096n });
}

/** SDM 3A tables 4-3, 4-7, 4-12: the bits of CR3 that locate the first paging structure. */
function rootOf({ registers }: Processor, mode: PagingMode): bigint {
  if (mode === "32-bit") return registers.cr3 & bits(31, 12);
  if (mode === "PAE") return registers.cr3 & bits(31, 5);
  return registers.cr3 & bits(51, 12);
}

interface Place {
  readonly table: bigint;
  readonly level: Level;
  readonly address: bigint;
}

function entryAt(
  { registers, pdptes }: Processor,
  read: ReadPhysical,
  { table, level, address }: Place,
): { readonly address?: bigint; readonly value: bigint } {
  const mode = pagingMode(registers);
  const shape: Shape = SHAPES[mode];
  const shift = shiftOf(shape, level);
  const index = (address & bits(shift + shape.indexBits - 1, shift)) >> BigInt(shift);
  // SDM 3A 4.4.2: bits 31:30 of the linear address select a PDPTE register.
  if (mode === "PAE" && level === 3) return { value: pdptes[Number(index)]! };
  const at = table + index * BigInt(shape.entryBytes);
  return { address: at, value: read(at, shape.entryBytes) };
}

/** SDM 3A 4.7: the PK flag is set whenever the key forbids, whatever else forbids as well. */
function refusalOf(
  processor: Processor,
  rights: Rights,
  leaf: bigint,
  access: Access,
): Refusal | undefined {
  if (!keyPermits(processor, rights, leaf, access)) return "protection key";
  return rightsPermit(processor, rights, access) ? undefined : "access rights";
}

const flagsOfLeaf = ({ kind }: Access): bigint => (kind === "write" ? ENTRY.A | ENTRY.D : ENTRY.A);
