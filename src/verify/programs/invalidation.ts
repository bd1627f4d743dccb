// What each operation takes out of the TLBs and the paging-structure caches, at the least: SDM 3A
// 4.10.4.1. A processor may drop more. Where the manual lets large pages be cached in parts, all
// parts count as one: the operations named here drop them together.

import type { ControlInstruction } from "../../base/architecture.ts";
import {
  bits,
  CR0,
  CR4,
  has,
  isCanonical,
  isLongMode,
  type Processor,
} from "../../reference/registers.ts";

export interface Invalidation {
  /** Of this PCID; undefined: of every one. */
  readonly pcid?: bigint;
  /** Of this linear address; undefined: of every one. */
  readonly address?: bigint;
  /** Global translations as well, whatever their PCID. */
  readonly globals: boolean;
  /** Of the PCID's paging-structure caches, those for the address only, or all. */
  readonly structures: "for the address" | "all";
}

/** Something cached: for linear addresses that agree with `address` from bit `shift` up. */
export interface Cached {
  readonly pcid: bigint;
  readonly address: bigint;
  readonly shift: number;
}

const agree = (address: bigint, cached: Cached): boolean =>
  (address ^ cached.address) >> BigInt(cached.shift) === 0n;

/** Whether a TLB entry is gone after it. */
export function dropsTranslation(
  { pcid, address, globals }: Invalidation,
  cached: Cached & { readonly global: boolean },
): boolean {
  if (address !== undefined && !agree(address, cached)) return false;
  return cached.global ? globals : pcid === undefined || pcid === cached.pcid;
}

/** Whether an entry of the paging-structure caches is gone after it. */
export function dropsStructure(
  { pcid, address, structures }: Invalidation,
  cached: Cached,
): boolean {
  if (pcid !== undefined && pcid !== cached.pcid) return false;
  return structures === "all" || address === undefined || agree(address, cached);
}

/** SDM 3A 4.10.1: with CR4.PCIDE = 0 the current PCID is 0. */
export const pcidOf = ({ registers: { cr3, cr4 } }: Processor): bigint =>
  has(cr4, CR4.PCIDE) ? cr3 & bits(11, 0) : 0n;

const EVERYTHING: Invalidation = { globals: true, structures: "all" };
const NO_FLUSH = 1n << 63n;

/** A fault at an address: it must not recur if the tables in memory are not its cause. */
export const ofPageFault = (processor: Processor, address: bigint): Invalidation => ({
  pcid: pcidOf(processor),
  address,
  globals: true,
  structures: "for the address",
});

export interface Executed {
  readonly before: Processor;
  readonly after: Processor;
  readonly instruction: ControlInstruction;
}

/** Of an instruction that did not fault. */
export function invalidationOf({ before, after, instruction }: Executed): Invalidation | undefined {
  switch (instruction.kind) {
    case "write":
      return ofWrite({ before, after, instruction });
    case "invlpg":
      return ofInvlpg(before, instruction.address);
    case "invpcid":
      return ofInvpcid(instruction);
  }
}

function ofWrite({ before, after, instruction }: Executed): Invalidation | undefined {
  if (instruction.kind !== "write") return undefined;
  const context: Invalidation = { pcid: pcidOf(after), globals: false, structures: "all" };
  const { cr0, cr4 } = before.registers;
  const set = after.registers.cr4 & ~cr4;
  const cleared = cr4 & ~after.registers.cr4;
  switch (instruction.register) {
    case "cr0":
      return has(cr0 & ~after.registers.cr0, CR0.PG) ? EVERYTHING : undefined;
    case "cr3": {
      const isKept = has(cr4, CR4.PCIDE) && has(instruction.value, NO_FLUSH);
      return isKept ? undefined : context;
    }
    case "cr4":
      if (has(set | cleared, CR4.PGE) || has(cleared, CR4.PCIDE)) return EVERYTHING;
      // The manual says "all TLB entries for the current PCID" here: of that, the least.
      return has(set | cleared, CR4.PAE) || has(set, CR4.SMEP) ? context : undefined;
    default:
      return undefined;
  }
}

/** For an address that is not canonical it does nothing. SDM 2A, INVLPG. */
function ofInvlpg(processor: Processor, operand: bigint): Invalidation | undefined {
  const address = BigInt.asUintN(isLongMode(processor.registers) ? 64 : 32, operand);
  if (!isCanonical(processor.registers, address)) return undefined;
  return { pcid: pcidOf(processor), address, globals: true, structures: "all" };
}

function ofInvpcid({
  type,
  pcid,
  address,
}: Extract<ControlInstruction, { kind: "invpcid" }>): Invalidation {
  switch (BigInt.asUintN(2, type)) {
    case 0n:
      return { pcid, address, globals: false, structures: "for the address" };
    case 1n:
      return { pcid, globals: false, structures: "all" };
    case 2n:
      return EVERYTHING;
    default:
      return { globals: false, structures: "all" };
  }
}
