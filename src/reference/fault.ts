// The exceptions that paging and its instructions raise. SDM 3A 6.15 and, for error codes, 4.7.

import type { Access, Fault } from "../base/architecture.ts";
import { CR4, EFER, has, type Processor } from "./registers.ts";

/** #GP(0). */
export const GENERAL_PROTECTION: Fault = { vector: 13, errorCode: 0 };
/** #SS(0). */
export const STACK_FAULT: Fault = { vector: 12, errorCode: 0 };
/** #UD, which has no error code. */
export const INVALID_OPCODE: Fault = { vector: 6, errorCode: 0 };

/** SDM 3A figure 4-12. */
const ERROR = { P: 1, WR: 2, US: 4, RSVD: 8, ID: 16, PK: 32 } as const;

/** Why a walk ended without a translation. */
export type Refusal = "not present" | "reserved bit" | "access rights" | "protection key";

const CAUSE: Readonly<Record<Refusal, number>> = {
  "not present": 0,
  "reserved bit": ERROR.P | ERROR.RSVD,
  "access rights": ERROR.P,
  "protection key": ERROR.P | ERROR.PK,
};

/** A user-mode access: made at CPL 3, and not on the processor's own behalf. SDM 3A 4.6. */
export const isUserMode = (access: Access): boolean => access.user && access.implicit !== true;

/** SDM 3A 4.7. */
export function pageFault(
  { registers }: Processor,
  access: Access,
  address: bigint,
  refusal: Refusal,
): Fault {
  let errorCode = CAUSE[refusal];
  if (access.kind === "write") errorCode |= ERROR.WR;
  if (isUserMode(access)) errorCode |= ERROR.US;
  const reportsFetches =
    has(registers.cr4, CR4.SMEP) || (has(registers.cr4, CR4.PAE) && has(registers.efer, EFER.NXE));
  if (access.kind === "execute" && reportsFetches) errorCode |= ERROR.ID;
  return { vector: 14, errorCode, address };
}
