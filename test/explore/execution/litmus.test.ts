// The litmus programs of the literature, named as there (Sewell et al., x86-TSO, CACM 2010): the
// outcomes of each are known, and are all found, no more and no fewer.

import { describe, expect, test } from "vitest";
import type { MemoryModel } from "../../../src/explore/execution/execution.ts";
import { explorationOf, type Program } from "../programs.ts";
import type { Shares } from "../../../src/explore/search/pass.ts";
import { recordsOf, SMALLEST } from "../recorded.ts";

interface Litmus {
  readonly program: Program;
  /** What the loads see, CPU by CPU, under SC. */
  readonly sc: readonly string[];
  /** What they can see besides under TSO. */
  readonly onlyTso?: readonly string[];
}

const every = (digits: number): string[] =>
  Array.from({ length: 2 ** digits }, (_, value) => value.toString(2).padStart(digits, "0"));

const LITMUS: Record<string, Litmus> = {
  "SB: both loads can miss both stores": {
    program: [
      [
        ["W", "x", 1],
        ["R", "y"],
      ],
      [
        ["W", "y", 1],
        ["R", "x"],
      ],
    ],
    sc: ["0 1", "1 0", "1 1"],
    onlyTso: ["0 0"],
  },
  "SB+mfences: a fence on both sides forbids it": {
    program: [
      [["W", "x", 1], ["fence"], ["R", "y"]],
      [["W", "y", 1], ["fence"], ["R", "x"]],
    ],
    sc: ["0 1", "1 0", "1 1"],
  },
  "SB with one fence: it does not": {
    program: [
      [["W", "x", 1], ["fence"], ["R", "y"]],
      [
        ["W", "y", 1],
        ["R", "x"],
      ],
    ],
    sc: ["0 1", "1 0", "1 1"],
    onlyTso: ["0 0"],
  },
  "SB with exchanges: locked operations are fences": {
    program: [
      [
        ["X", "x", 1],
        ["R", "y"],
      ],
      [
        ["X", "y", 1],
        ["R", "x"],
      ],
    ],
    sc: ["00 01", "01 00", "01 01"],
  },
  "MP: stores are seen in their order": {
    program: [
      [
        ["W", "x", 1],
        ["W", "y", 1],
      ],
      [
        ["R", "y"],
        ["R", "x"],
      ],
    ],
    sc: [" 00", " 01", " 11"],
  },
  "LB: no load sees a store that comes after it": {
    program: [
      [
        ["R", "x"],
        ["W", "y", 1],
      ],
      [
        ["R", "y"],
        ["W", "x", 1],
      ],
    ],
    sc: ["0 0", "0 1", "1 0"],
  },
  "IRIW: two readers agree on the order of two stores": {
    program: [
      [["W", "x", 1]],
      [["W", "y", 1]],
      [
        ["R", "x"],
        ["R", "y"],
      ],
      [
        ["R", "y"],
        ["R", "x"],
      ],
    ],
    sc: every(4)
      .filter((outcome) => outcome !== "1010")
      .map((outcome) => `  ${outcome.slice(0, 2)} ${outcome.slice(2)}`),
  },
  "SB+rfi: a CPU's own loads see its buffered store": {
    program: [
      [
        ["W", "x", 1],
        ["R", "x"],
        ["R", "y"],
      ],
      [
        ["W", "y", 1],
        ["R", "y"],
        ["R", "x"],
      ],
    ],
    sc: ["10 11", "11 10", "11 11"],
    onlyTso: ["10 10"],
  },
  "n5: two CPUs cannot each see the other's store after their own": {
    program: [
      [
        ["W", "x", 1],
        ["R", "x"],
      ],
      [
        ["W", "x", 2],
        ["R", "x"],
      ],
    ],
    sc: ["1 1", "1 2", "2 2"],
  },
};

function outcomesOf(
  program: Program,
  memory: MemoryModel,
  reduction: "none" | "source",
  shares?: Shares,
): { outcomes: string[]; executions: number; parts: number } {
  const seen: number[][] = program.map(() => []);
  const outcomes = new Set<string>();
  const onEnd = (): void => {
    outcomes.add(seen.map((values) => values.join("")).join(" "));
  };
  const exploration = explorationOf(program, memory, seen);
  const { complete, executions, parts } = recordsOf(exploration, reduction, onEnd, shares);
  expect(complete).toBe(true);
  return { outcomes: [...outcomes].toSorted(), executions, parts };
}

describe("a litmus program has exactly its known outcomes", () => {
  for (const [name, { program, sc, onlyTso = [] }] of Object.entries(LITMUS)) {
    test(`${name}, under SC`, () => {
      expect(outcomesOf(program, "sc", "source").outcomes).toEqual(sc.toSorted());
    });
    test(`${name}, under TSO`, () => {
      const expected = [...sc, ...onlyTso].toSorted();
      expect(outcomesOf(program, "tso", "source").outcomes).toEqual(expected);
    });
  }
});

test("split into parts of one execution, each has the same outcomes", () => {
  for (const { program, sc, onlyTso = [] } of Object.values(LITMUS)) {
    const { outcomes, parts } = outcomesOf(program, "tso", "source", SMALLEST);
    expect(outcomes).toEqual([...sc, ...onlyTso].toSorted());
    expect(parts).toBeGreaterThan(2);
  }
});

test("brute force finds the same outcomes in more executions", () => {
  for (const { program } of Object.values(LITMUS)) {
    if (program.length > 2) continue;
    const reduced = outcomesOf(program, "tso", "source");
    const all = outcomesOf(program, "tso", "none");
    expect(all.outcomes).toEqual(reduced.outcomes);
    expect(all.executions).toBeGreaterThan(reduced.executions);
  }
});
