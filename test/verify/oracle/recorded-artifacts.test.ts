// The recorded vectors are what artifacts were learnt from: they must agree about what an artifact
// is. They also tell about KVM where there is none.

import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { bootReference } from "../../../src/reference/reference.ts";
import { exclusionOf, NORMALISATIONS } from "../../../src/verify/oracle/artifacts.ts";
import { compareResult } from "../../../src/verify/vectors/compare.ts";
import { looseBits } from "../../../src/verify/oracle/loose.ts";
import type { OracleName } from "../../../src/verify/oracle/oracles.ts";
import { readVectors } from "../../../src/verify/vectors/read-vectors.ts";
import { runCase } from "../../../src/verify/vectors/run-vector.ts";
import type { Vector } from "../../../src/verify/vectors/vector.ts";

const FILE = fileURLToPath(new URL("../../../data/vectors/vectors-dev.jsonl.gz", import.meta.url));

/** Vectors with the oracles that each was recorded on. */
const recorded: { readonly vector: Vector; readonly oracles: readonly OracleName[] }[] = [];

beforeAll(async () => {
  for await (const vector of readVectors(FILE)) {
    if ("skipReason" in vector) continue;
    recorded.push({ vector, oracles: vector.source.split("+") as OracleName[] });
  }
});

describe("of the recorded vectors", () => {
  test("none would be left out", () => {
    const leftOut = recorded.flatMap(({ vector, oracles }) => {
      const answer = { the: vector, result: vector.expected, partialStores: new Set<number>() };
      return oracles.flatMap((oracle) => exclusionOf(oracle, answer)?.name ?? []);
    });
    expect(leftOut).toEqual([]);
  });

  test("none has an answer that is still to be put right", () => {
    const changed = recorded.filter(({ vector }) =>
      NORMALISATIONS.some(
        ({ normalise }) => normalise(vector, vector.expected) !== vector.expected,
      ),
    );
    expect(changed).toEqual([]);
  });

  test("each agrees with the reference model but for the bits that are found open", () => {
    // Every third is run: that the model agrees with all of them is tested beside their format.
    const some = recorded.filter((_, index) => index % 3 === 0);
    const failed = some.filter(({ vector, oracles }) => {
      const result = runCase(bootReference, vector);
      return oracles.some((oracle) => {
        const { bits } = looseBits(oracle, vector, vector.expected.outcomes);
        const judged = { ...vector, expected: { ...vector.expected, loose: bits } };
        return compareResult(judged, result).length > 0;
      });
    });
    expect(failed.map(({ vector }) => vector.id)).toEqual([]);
  });

  test("only of accesses across pages and of faulty 4-MByte pages more bits are found open", () => {
    const wider = recorded.filter(({ vector, oracles }) =>
      oracles.some((oracle) =>
        [...looseBits(oracle, vector, vector.expected.outcomes).bits].some(
          ([address, mask]) => (mask & ~(vector.expected.loose.get(address) ?? 0n)) !== 0n,
        ),
      ),
    );
    const unexplained = wider.filter(
      ({ vector: { category, mode } }) =>
        category !== "cross" && !(category === "rsvd" && mode === "l2"),
    );
    expect(unexplained).toEqual([]);
  });
});
