// From an oracle's line to a vector: the answer without the artifacts of the oracle, or the reason
// why it cannot be compared.

import { exclusionOf, NORMALISATIONS } from "./artifacts.ts";
import { formatCase } from "./format.ts";
import { looseBits, READ_BACK } from "./loose.ts";
import type { Oracle } from "./oracles.ts";
import { parseVector, type Unrecorded } from "../vectors/parse.ts";
import type { Vector, VectorCase, VectorResult } from "../vectors/vector.ts";

/** As the oracle writes it; what it does not say is left out. */
interface AnswerLine {
  readonly id: string;
  readonly skip?: string;
  readonly fail?: string;
  readonly ld?: unknown;
  readonly res?: readonly { readonly partial?: string }[];
  readonly mem?: readonly (readonly [string, string])[];
}

/** What is made of an answer, and the artifacts that were put right in it. */
export interface Judged {
  readonly vector: Vector | Unrecorded;
  readonly putRight: readonly string[];
}

export function judgeAnswer(oracle: Oracle, the: VectorCase, line: string): Judged {
  const answer = JSON.parse(line) as AnswerLine;
  const recorded = parseVector(`answer of ${oracle.name}`, vectorLine(the, answer));
  if ("skipReason" in recorded) return { vector: recorded, putRight: [] };
  const partialStores = new Set(
    (answer.res ?? []).flatMap(({ partial }, index) => (partial === undefined ? [] : [index])),
  );
  const result = recorded.expected;
  const excluded = exclusionOf(oracle.name, { the, result, partialStores });
  if (excluded !== undefined) return { vector: leaveOut(the, excluded.name), putRight: [] };
  // A partial store is known of KVM only: from another oracle it is news.
  if (partialStores.size > 0) throw new Error(`${the.id}: a store that faulted has stored`);
  return judge(oracle, the, result);
}

function judge(oracle: Oracle, the: VectorCase, recorded: VectorResult): Judged {
  const putRight: string[] = [];
  let result = recorded;
  for (const { name, oracles, normalise } of NORMALISATIONS) {
    if (!oracles.includes(oracle.name)) continue;
    const next = normalise(the, result);
    if (next !== result) putRight.push(name);
    result = next;
  }
  const { bits, isReadBack, artifacts } = looseBits(oracle.name, the, result.outcomes);
  if (isReadBack) return { vector: leaveOut(the, READ_BACK.name), putRight: [] };
  const vector = { ...the, expected: { ...result, loose: bits }, source: oracle.name };
  return { vector, putRight: [...putRight, ...artifacts] };
}

const leaveOut = ({ id }: VectorCase, skipReason: string): Unrecorded => ({ id, skipReason });

/** Case and answer in the form of a recorded vector. */
function vectorLine(the: VectorCase, { id, skip, fail, ld, res, mem = [] }: AnswerLine): string {
  if (id !== the.id) throw new Error(`the oracle answered ${id} when asked ${the.id}`);
  const named = new Set(the.entries.map(({ address }) => address));
  return JSON.stringify({
    ...(JSON.parse(formatCase(the)) as object),
    ...(skip !== undefined && { skip }),
    ...(fail !== undefined && { fail }),
    exp: {
      ...(ld !== undefined && { ld }),
      res: (res ?? []).map(({ partial: _partial, ...rest }) => rest),
      mem: mem.map(([, value]) => value),
      extra: mem.map(([address]) => address).filter((address) => !named.has(BigInt(address))),
    },
  });
}
