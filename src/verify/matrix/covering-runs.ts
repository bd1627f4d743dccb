// A covering array over all axes that may change a verdict: any three values come together, if they
// may, of which at least one is a protocol, a lazy policy or a workload. So each protocol meets
// each policy in each workload. (The product of all three with the kernel's features: product.ts.)

import { Random } from "../../base/random.ts";
import { WORKLOAD_NAMES, type WorkloadName } from "../../workloads/workloads.ts";
import type { Configuration } from "../../experiment/configuration.ts";
import { RULES } from "../../experiment/constraints.ts";
import { cover } from "./cover.ts";
import {
  atSmallSize,
  canRun,
  KERNEL_AXES,
  ONE_ROUND,
  QUIET_AXES,
  SIDE_AXES,
  valuesOf,
  type VariedAxis,
} from "./product.ts";

export interface CoveringCell {
  readonly configuration: Configuration;
  readonly workload: WorkloadName;
}

const ANCHORS: readonly VariedAxis[] = ["protocol", "lazyTlb"];
const ALL: readonly VariedAxis[] = ["cpu", ...KERNEL_AXES, ...QUIET_AXES, ...SIDE_AXES];

/** Whether a rule refuses values of it together with values of another of these axes. */
const isBound = (axis: VariedAxis): boolean =>
  RULES.some((rule) =>
    [
      [rule.axis, rule.against],
      [rule.against, rule.axis],
    ].some(([one, other]) => one === axis && ALL.some((varied) => varied === other)),
  );

export function coveringCells(seed: number): readonly CoveringCell[] {
  const bound = ALL.filter(isBound);
  const axes = [...bound, ...ALL.filter((axis) => !bound.includes(axis))];
  const values = axes.map((axis): readonly unknown[] => valuesOf(axis));
  const chosenBy = (row: readonly number[], among: readonly VariedAxis[]): Configuration => {
    const chosen: Record<string, unknown> = { ...ONE_ROUND };
    for (const [column, axis] of among.entries()) chosen[axis] = values[column]![row[column]!];
    return atSmallSize(chosen);
  };
  const counts = [...values.map(({ length }) => length), WORKLOAD_NAMES.length];
  const beginnings = rowsOf(counts.slice(0, bound.length)).filter((row) =>
    canRun(chosenBy(row, bound)),
  );
  const anchors = [...ANCHORS.map((axis) => axes.indexOf(axis)), axes.length];
  const together = threesOf(counts.length).filter((three) =>
    three.some((column) => anchors.includes(column)),
  );
  return cover({ counts, together, beginnings }, new Random(seed)).map((row) => ({
    configuration: chosenBy(row, axes),
    workload: WORKLOAD_NAMES[row[axes.length]!]!,
  }));
}

const threesOf = (columns: number): readonly (readonly number[])[] =>
  rowsOf([columns, columns, columns]).filter(([a, b, c]) => a! < b! && b! < c!);

/** All rows of columns with so many values. */
const rowsOf = (counts: readonly number[]): readonly (readonly number[])[] =>
  counts.reduce<number[][]>(
    (rows, count) =>
      rows.flatMap((row) => Array.from({ length: count }, (_, value) => [...row, value])),
    [[]],
  );
