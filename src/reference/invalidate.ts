// INVLPG and INVPCID: without caches there is nothing to drop, but there are operands to refuse.
// SDM 2A, INVLPG, INVPCID.

import type { ControlInstruction, Fault } from "../base/architecture.ts";
import { GENERAL_PROTECTION, INVALID_OPCODE } from "./fault.ts";
import { bits, CR4, has, isCanonical, type Processor } from "./registers.ts";

const INDIVIDUAL_ADDRESS = 0n;
const SINGLE_CONTEXT = 1n;
const LAST_TYPE = 3n;

type Invpcid = Extract<ControlInstruction, { kind: "invpcid" }>;

/** The fault of INVPCID. INVLPG has none: with a non-canonical address it does nothing. */
export function faultOfInvpcid(
  { features, registers }: Processor,
  { type, pcid, address }: Invpcid,
): Fault | undefined {
  if (!features.invpcid) return INVALID_OPCODE;
  if (type > LAST_TYPE || has(pcid, bits(63, 12))) return GENERAL_PROTECTION;
  const namesPcid = type === INDIVIDUAL_ADDRESS || type === SINGLE_CONTEXT;
  if (namesPcid && pcid !== 0n && !has(registers.cr4, CR4.PCIDE)) return GENERAL_PROTECTION;
  if (type === INDIVIDUAL_ADDRESS && !isCanonical(registers, address)) return GENERAL_PROTECTION;
  return undefined;
}
