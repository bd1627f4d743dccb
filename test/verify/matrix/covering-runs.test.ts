// What is too much to be multiplied: every protocol under every policy with every feature that may
// go with them, and every value in every workload. What more comes together runs at night.

import { describe, expect, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import type { Configuration } from "../../../src/experiment/configuration.ts";
import { cover } from "../../../src/verify/matrix/cover.ts";
import { type CoveringCell, coveringCells } from "../../../src/verify/matrix/covering-runs.ts";
import { judge } from "../../../src/verify/matrix/judge.ts";
import {
  atSmallSize,
  canRun,
  kernelFamilies,
  SIDE_AXES,
  valuesOf,
} from "../../../src/verify/matrix/product.ts";
import { LAZY_POLICY_NAMES } from "../../../src/kernel/lazy/policies.ts";
import { PROTOCOL_NAMES } from "../../../src/kernel/shootdown/protocols.ts";
import { WORKLOAD_NAMES } from "../../../src/workloads/workloads.ts";

const cells = coveringCells(1, "kernels");

/** By what the machine is, so that no machine is made anew for each of its runs. */
const machines = new Map(
  cells.map(({ configuration: { cpu, idle } }) => [`${cpu} ${idle}`, { cpu, idle }]),
);

async function failuresOf(runs: readonly CoveringCell[]): Promise<readonly string[]> {
  const failures: string[] = [];
  for (const { configuration, workload } of runs) {
    failures.push(...(await judge([configuration], workload, 1)).failures);
  }
  return failures;
}

describe("the covering array has the expected verdicts", () => {
  test.each([...machines.values()])("on $cpu with idle=$idle", async ({ cpu, idle }) => {
    const on = cells.filter(({ configuration: one }) => one.cpu === cpu && one.idle === idle);
    expect(await failuresOf(on)).toEqual([]);
  });
});

const kernels = kernelFamilies().flat();
const inTurn = <T>(all: readonly T[], index: number): T => all[index % all.length]!;

describe("with two rounds and counted references each workload has the expected verdict", () => {
  test.each(PROTOCOL_NAMES)("under %s, whose kernels take turns", async (protocol) => {
    const under = kernels.filter(
      (one) => one.protocol === protocol && one.lazyTlb === "refcounted" && one.rounds === 2,
    );
    const runs = WORKLOAD_NAMES.map((workload, index) => ({
      configuration: inTurn(under, index),
      workload,
    }));
    expect(await failuresOf(runs)).toEqual([]);
  });
});

describe("the cells", () => {
  test("are ones that can be", () => {
    expect(cells.filter(({ configuration }) => !canRun(configuration))).toEqual([]);
  });

  test("have every feature with each protocol under each policy, and in each workload", () => {
    const axes = [...SIDE_AXES, "flushCeiling"] as const;
    const seen = new Set<string>();
    for (const { configuration, workload } of cells) {
      for (const axis of axes) {
        const what = `${axis}=${configuration[axis]}`;
        const { protocol, lazyTlb } = configuration;
        seen.add(`${what} ${protocol} ${lazyTlb}`).add(`${what} ${workload}`);
      }
    }
    const missing = axes.flatMap((axis) =>
      valuesOf(axis).flatMap((value) => {
        const isPossible = (chosen: Partial<Configuration>): boolean =>
          canRun(atSmallSize({ [axis]: value, ...chosen })) ||
          canRun(atSmallSize({ [axis]: value, pcid: false, ...chosen }));
        const kernels = PROTOCOL_NAMES.flatMap((protocol) =>
          LAZY_POLICY_NAMES.filter((lazyTlb) => isPossible({ protocol, lazyTlb })).map(
            (lazyTlb) => `${protocol} ${lazyTlb}`,
          ),
        );
        return [...kernels, ...WORKLOAD_NAMES]
          .map((other) => `${axis}=${value} ${other}`)
          .filter((pair) => !seen.has(pair));
      }),
    );
    expect(missing).toEqual([]);
  });

  test("have each protocol and each policy in every workload", () => {
    const seen = new Set(
      cells.flatMap(({ configuration: { protocol, lazyTlb }, workload }) => [
        `${protocol} ${workload}`,
        `${lazyTlb} ${workload}`,
      ]),
    );
    const names = [...PROTOCOL_NAMES, ...LAZY_POLICY_NAMES];
    expect(seen).toEqual(
      new Set(names.flatMap((name) => WORKLOAD_NAMES.map((workload) => `${name} ${workload}`))),
    );
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
