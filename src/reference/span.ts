// Which linear addresses an access translates: that of its first byte and, if it crosses a page,
// that of the second page; or why it translates none. SDM 1, 3.3.7.1; SDM 3A 4.1.1.

import type { Access, ControlRegisters, Fault } from "../base/architecture.ts";
import { assert } from "../base/assert.ts";
import { GENERAL_PROTECTION, STACK_FAULT } from "./fault.ts";
import { isCanonical, isLongMode } from "./registers.ts";

const PAGE_BYTES = 4096n;
const MOST_BYTES = 15;

export type Span =
  { readonly fault: Fault } | { readonly fault?: undefined; readonly addresses: readonly bigint[] };

export function spanOf(registers: ControlRegisters, access: Access): Span {
  assert(access.bytes >= 1 && access.bytes <= MOST_BYTES, "an access has 1 to 15 bytes");
  const width = isLongMode(registers) ? 64 : 32;
  const first = BigInt.asUintN(width, access.address);
  const last = BigInt.asUintN(width, first + BigInt(access.bytes) - 1n);
  // SDM 2, tables of exceptions in 64-bit mode: #SS(0) through SS, #GP(0) otherwise.
  if (width === 64 && !(isCanonical(registers, first) && isCanonical(registers, last))) {
    return { fault: access.stack === true ? STACK_FAULT : GENERAL_PROTECTION };
  }
  const isOnePage = first / PAGE_BYTES === last / PAGE_BYTES;
  return { addresses: isOnePage ? [first] : [first, last & ~(PAGE_BYTES - 1n)] };
}
