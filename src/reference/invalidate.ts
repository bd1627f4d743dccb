// INVLPG and INVPCID: without caches there is nothing to drop, but there are operands to refuse.
// SDM 2A, INVLPG, INVPCID.

import type { ControlInstruction, Fault } from "../base/architecture.ts";
import { GENERAL_PROTECTION, INVALID_OPCODE } from "./fault.ts";
import { bits, CR4, has, isCanonical, isLongMode, type Processor } from "./registers.ts";

const INDIVIDUAL_ADDRESS = 0n;
const SINGLE_CONTEXT = 1n;
const LAST_TYPE = 3n;

type Invpcid = Extract<ControlInstruction, { kind: "invpcid" }>;

/** The fault of INVPCID. INVLPG has none: with a non-canonical address it does nothing. */
export function faultOfInvpcid(
  { features, registers }: Processor,
  instruction: Invpcid,
): Fault | undefined {
  if (!features.invpcid) return INVALID_OPCODE;
  const { pcid, address } = instruction;
  // The type is in a register, which has 32 bits outside 64-bit mode; the rest is in memory.
  const type = BigInt.asUintN(isLongMode(registers) ? 64 : 32, instruction.type);
  if (type > LAST_TYPE || has(pcid, bits(63, 12))) return GENERAL_PROTECTION;
  const namesPcid = type === INDIVIDUAL_ADDRESS || type === SINGLE_CONTEXT;
  if (namesPcid && pcid !== 0n && !has(registers.cr4, CR4.PCIDE)) return GENERAL_PROTECTION;
  if (type === INDIVIDUAL_ADDRESS && !isCanonical(registers, address)) return GENERAL_PROTECTION;
  return undefined;
}
