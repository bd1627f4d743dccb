// The reduction leaves nothing out: what each CPU does and sees in some order of all steps, it does
// and sees in one of the orders that are explored, in one piece or in parts of one execution each.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MEMORY_MODELS } from "../../../src/explore/explore-job.ts";
import { explorationOf, type Op, type Program } from "../programs.ts";
import { recordsOf, SMALLEST } from "../recorded.ts";

function expectSameRecords(program: Program): void {
  for (const memory of MEMORY_MODELS) {
    const all = recordsOf(explorationOf(program, memory), "none");
    const reduced = recordsOf(explorationOf(program, memory), "source");
    const split = recordsOf(explorationOf(program, memory), "source", undefined, SMALLEST);
    expect(reduced.complete && split.complete && all.complete).toBe(true);
    expect([...reduced.records].toSorted()).toEqual([...all.records].toSorted());
    expect([...split.records].toSorted()).toEqual([...all.records].toSorted());
  }
}

describe("source sets leave no behaviour out, in one piece or split into parts,", () => {
  test("where an interrupt can come before, between and after", () => {
    expectSameRecords([
      [
        ["W", "x", 1],
        ["ipi", 1],
        ["R", "x"],
      ],
      [
        ["R", "x"],
        ["W", "x", 5],
        ["R", "x"],
      ],
    ]);
  });

  test("where an interrupt is sent while they are off, and could come earlier", () => {
    expectSameRecords([
      [
        ["W", "x", 1],
        ["ipi", 1],
        ["R", "x"],
      ],
      [["R", "x"], ["cli"], ["W", "x", 5], ["sti"], ["R", "x"]],
    ]);
  });

  test("where a wait can end by either of two stores", () => {
    expectSameRecords([
      [
        ["W", "x", 1],
        ["X", "x", 0],
        ["W", "x", 2],
      ],
      [
        ["wait", "x"],
        ["R", "x"],
      ],
    ]);
  });

  test("where counts may change places, except with who looks", () => {
    expectSameRecords([
      [
        ["C", "x"],
        ["R", "x"],
        ["C", "x"],
      ],
      [
        ["C", "x"],
        ["C", "x"],
        ["R", "x"],
      ],
    ]);
  });

  test("where a wait can end by a count, or a count come after a store", () => {
    expectSameRecords([
      [
        ["C", "x"],
        ["W", "x", 0],
        ["C", "x"],
      ],
      [
        ["wait", "x"],
        ["C", "x"],
        ["R", "x"],
      ],
    ]);
  });

  test("where a wait can end by either of two counts", () => {
    expectSameRecords([
      [
        ["W", "y", 1],
        ["C", "c"],
      ],
      [
        ["W", "x", 1],
        ["C", "c"],
      ],
      [
        ["await", "c", 1],
        ["R", "y"],
        ["R", "x"],
      ],
    ]);
  });

  test("where two CPUs interrupt each other", () => {
    expectSameRecords([
      [
        ["W", "x", 1],
        ["ipi", 1],
      ],
      [
        ["W", "y", 1],
        ["ipi", 0],
      ],
    ]);
  });

  test("in programs of any kind", () => {
    fc.assert(fc.property(programs(), expectSameRecords), { seed: 20210615, numRuns: 60 });
  }, 60_000);
});

/** Two CPUs with up to three operations each: brute force is quick. */
function programs(): fc.Arbitrary<Program> {
  const cell = fc.constantFrom("x", "y");
  const value = fc.integer({ min: 0, max: 2 });
  const operation = (other: number): fc.Arbitrary<Op> =>
    fc.oneof(
      fc.tuple(fc.constant("W" as const), cell, value),
      fc.tuple(fc.constant("R" as const), cell),
      fc.tuple(fc.constant("X" as const), cell, value),
      fc.tuple(fc.constant("C" as const), cell),
      fc.tuple(fc.constant("wait" as const), cell),
      fc.constantFrom<Op>(["fence"], ["cli"], ["sti"], ["ipi", other]),
    );
  const code = (other: number): fc.Arbitrary<readonly Op[]> =>
    fc.array(operation(other), { minLength: 1, maxLength: 3 });
  return fc.tuple(code(1), code(0));
}

test("two CPUs that only count are run in one order", () => {
  const counts = (op: "C" | "X"): number => {
    const one: Op = op === "C" ? ["C", "x"] : ["X", "x", 1];
    return recordsOf(explorationOf([[one], [one]], "sc"), "source").executions;
  };
  expect([counts("C"), counts("X")]).toEqual([1, 2]);
});
