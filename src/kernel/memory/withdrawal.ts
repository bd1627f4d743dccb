// What code says that changes page tables by itself: what it takes away, and from when on it relies
// on nobody using what was there. munmap and its like say it of themselves. It takes no time, and
// checkers hold everybody to it.

import type { PageRange } from "../../base/address.ts";
import type { Mm } from "../state/mm.ts";
import { type KernelCode, note } from "../operation/operation.ts";
import { nameFunctions } from "../operation/origin.ts";

/** What follows withdraws entries or rights of the range; entries found absent count, too. */
export function* revoking(mm: Mm, range: PageRange): KernelCode {
  yield* note({ kind: "revoking", mm, range });
}

/** From now on nobody may use a translation of the range older than what was withdrawn. */
export function* revoked(mm: Mm, range: PageRange): KernelCode {
  yield* note({ kind: "revoked", mm, range });
}

/** Older translations of the range may be used as long as anybody holds one: no flush is due. */
export function* leftUnflushed(mm: Mm, range: PageRange): KernelCode {
  yield* note({ kind: "leftUnflushed", mm, range });
}

nameFunctions({ revoking, revoked, leftUnflushed });
