// Covering arrays over all axes that may change a verdict. (The product of protocols, policies,
// workloads and the kernel's features: product.ts.)

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

/**
 * Which values come together, if they may. kernels: any feature with each protocol under each
 * policy, and any value with each workload. threes: any three, of which at least one is a protocol,
 * a policy or a workload.
 */
export type Together = "kernels" | "threes";

export function coveringCells(seed: number, which: Together): readonly CoveringCell[] {
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
  const anchors = ANCHORS.map((axis) => axes.indexOf(axis));
  const together =
    which === "kernels" ? byKernel(anchors, axes.length) : threes(anchors, axes.length);
  return cover({ counts, together, beginnings }, new Random(seed)).map((row) => ({
    configuration: chosenBy(row, axes),
    workload: WORKLOAD_NAMES[row[axes.length]!]!,
  }));
}

type Tuple = readonly number[];

/** The column behind the axes is the workload's. */
function byKernel(anchors: Tuple, workload: number): readonly Tuple[] {
  const axes = Array.from({ length: workload }, (_, column) => column);
  const features = axes.filter((column) => !anchors.includes(column));
  return [
    ...features.map((column) => [...anchors, column]),
    ...axes.map((column) => [column, workload]),
  ];
}

function threes(anchors: Tuple, workload: number): readonly Tuple[] {
  const columns = workload + 1;
  return rowsOf([columns, columns, columns]).filter(
    (three) =>
      three[0]! < three[1]! &&
      three[1]! < three[2]! &&
      three.some((column) => column === workload || anchors.includes(column)),
  );
}

/** All rows of columns with so many values. */
const rowsOf = (counts: readonly number[]): readonly (readonly number[])[] =>
  counts.reduce<number[][]>(
    (rows, count) =>
      rows.flatMap((row) => Array.from({ length: count }, (_, value) => [...row, value])),
    [[]],
  );
