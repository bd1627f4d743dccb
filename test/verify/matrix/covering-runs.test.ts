// Features of the machine, which are too many to be multiplied: any three values that may come
// together, one or two of which are a protocol, a lazy policy or a workload, do in some run.

import { describe, expect, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import type { Configuration } from "../../../src/experiment/configuration.ts";
import { cover } from "../../../src/verify/matrix/cover.ts";
import { coveringCells } from "../../../src/verify/matrix/covering-runs.ts";
import { judge } from "../../../src/verify/matrix/judge.ts";
import { atSmallSize, canRun, SIDE_AXES, valuesOf } from "../../../src/verify/matrix/product.ts";
import { LAZY_POLICY_NAMES } from "../../../src/kernel/lazy/policies.ts";
import { PROTOCOL_NAMES } from "../../../src/kernel/shootdown/protocols.ts";
import { WORKLOAD_NAMES } from "../../../src/workloads/workloads.ts";

const cells = coveringCells(1);

describe.each(WORKLOAD_NAMES)("%s", (workload) => {
  test("has the expected verdict with whatever the covering array puts it on", async () => {
    const failures: string[] = [];
    for (const { configuration } of cells.filter((cell) => cell.workload === workload)) {
      failures.push(...(await judge([configuration], workload, 1)).failures);
    }
    expect(failures).toEqual([]);
  });
});

describe("the cells", () => {
  test("are ones that can be", () => {
    expect(cells.filter(({ configuration }) => !canRun(configuration))).toEqual([]);
  });

  test("have every feature with each protocol under each policy, and in each workload", () => {
    const seen = new Set<string>();
    for (const { configuration, workload } of cells) {
      for (const axis of [...SIDE_AXES, "flushCeiling"] as const) {
        const what = `${configuration.protocol} ${axis}=${configuration[axis]}`;
        seen.add(`${what} ${configuration.lazyTlb}`).add(`${what} ${workload}`);
      }
    }
    const missing = PROTOCOL_NAMES.flatMap((protocol) =>
      ([...SIDE_AXES, "flushCeiling"] as const).flatMap((axis) =>
        valuesOf(axis).flatMap((value) => {
          const what = `${protocol} ${axis}=${value}`;
          const isPossible = (chosen: Partial<Configuration>): boolean =>
            canRun(atSmallSize({ protocol, [axis]: value, ...chosen })) ||
            canRun(atSmallSize({ protocol, [axis]: value, pcid: false, ...chosen }));
          return [
            ...LAZY_POLICY_NAMES.filter((lazyTlb) => isPossible({ lazyTlb })),
            ...WORKLOAD_NAMES,
          ]
            .map((third) => `${what} ${third}`)
            .filter((triple) => !seen.has(triple));
        }),
      ),
    );
    expect(missing).toEqual([]);
  });

  test("are the same for the same seed", () => {
    const columns = { counts: [3, 2, 2], together: [[0, 1, 2]], beginnings: [[0], [1], [2]] };
    const drawn = (seed: number) => cover(columns, new Random(seed));
    expect(drawn(1)).toEqual(drawn(1));
    expect(new Set(drawn(2).map(String)).size).toBe(12);
  });
});

test("a covering array has all that may come together, and nothing that may not", () => {
  const columns = {
    counts: [4, 3, 2, 3],
    together: [
      [0, 1, 2],
      [0, 1, 3],
      [1, 2, 3],
    ],
    beginnings: [0, 1, 2, 3].flatMap((a) =>
      [0, 1, 2].filter((b) => (a + b) % 3 !== 0).map((b) => [a, b]),
    ),
  };
  const rows = cover(columns, new Random(1));
  expect(rows.filter(([a, b]) => (a! + b!) % 3 === 0)).toEqual([]);
  const distinct = (...of: readonly number[]) =>
    new Set(rows.map((row) => of.map((column) => row[column]).join(" "))).size;
  expect(distinct(0, 1, 2)).toBe(8 * 2);
  expect(distinct(0, 1, 3)).toBe(8 * 3);
  expect(distinct(1, 2, 3)).toBe(3 * 2 * 3);
  expect(rows.length).toBeLessThan(8 * 2 * 3);
});
