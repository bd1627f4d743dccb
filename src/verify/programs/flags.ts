// What of A and D is determined when entries may be cached: SDM 3A 4.8. The processor sets them and
// never clears them; a translation is cached only once A is set in its leaf, and a write goes
// through it only once D is.

import type { Access, AccessOutcome } from "../../base/architecture.ts";
import { ENTRY } from "../../reference/entry.ts";
import type { ReadPhysical } from "../../reference/memory.ts";
import { has } from "../../reference/registers.ts";
import type { History } from "./entry-history.ts";
import type { Possible } from "./possible.ts";
import type { Finding } from "./random-program.ts";
import { describeWord } from "./program-text.ts";

export interface Accessed {
  readonly access: Access;
  readonly actual: AccessOutcome;
  readonly pages: readonly Possible[];
  /** Words that are no longer as the history knows them. */
  readonly changed: ReadonlyMap<bigint, bigint>;
  readonly read: ReadPhysical;
}

/** The first word whose flags are not as they must be. */
export function flagsSet(history: History, accessed: Accessed): Finding | undefined {
  return setTooMuch(history, accessed) ?? setTooLittle(history, accessed);
}

function setTooMuch(history: History, { access, pages, changed }: Accessed): Finding | undefined {
  const allowed = new Map<bigint, bigint>();
  for (const { used } of pages) {
    for (const [at, { bytes, isLeaf }] of used) {
      const flags = isLeaf && access.kind === "write" ? ENTRY.A | ENTRY.D : ENTRY.A;
      const shift = bytes === 8 ? 0n : 8n * (at & 4n);
      allowed.set(at & ~7n, (allowed.get(at & ~7n) ?? 0n) | (flags << shift));
    }
  }
  for (const [address, after] of changed) {
    const before = history.valueAt(address, 8, history.now);
    const most = before | (allowed.get(address) ?? 0n);
    if ((after & ~most) === 0n && (before & ~after) === 0n) continue;
    return {
      expected: `at most ${describeWord(address, most)}`,
      actual: describeWord(address, after),
    };
  }
  return undefined;
}

function setTooLittle(history: History, accessed: Accessed): Finding | undefined {
  const { access, actual, pages, read } = accessed;
  if (actual.fault !== undefined) return undefined;
  const { physical, secondPhysical } = actual.reached;
  const flags = access.kind === "write" ? [ENTRY.A, ENTRY.D] : [ENTRY.A];
  for (const [page, reached] of [physical, secondPhysical].entries()) {
    const ways = pages[page]?.reached.filter((way) => way.physical === reached) ?? [];
    const leaf = ways[0]?.leaf;
    if (leaf === undefined || ways.some((way) => way.leaf?.at !== leaf.at)) continue;
    const { at, bytes } = leaf;
    const value = read(at, bytes);
    for (const flag of flags) {
      if (has(value, flag) || history.everHad(at, bytes, flag)) continue;
      return { expected: describeWord(at, value | flag), actual: describeWord(at, value) };
    }
  }
  return undefined;
}
