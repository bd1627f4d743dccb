// From an experiment to the list of what is run: cells (configuration x workload) in a fixed order,
// each with every seed. The order of the rows is the order of the cells.

import { BadInput } from "../base/bad-input.ts";
import { AXIS_NAMES, completeConfiguration } from "./axes.ts";
import type { Configuration, Run } from "./configuration.ts";
import { conflictIn, type Conflict } from "./constraints.ts";
import { overlaySettings, type CheckedExperiment, type CheckedPart } from "./experiment.ts";
import type { Setting } from "./settings.ts";
import { nameTraces } from "./traces.ts";

/** One row to be. */
export interface Cell {
  readonly configuration: Configuration;
  /** As the row names it: a workload, or a trace. */
  readonly workload: string;
  readonly trace?: string;
  /** False: no checker watches. */
  readonly checks?: boolean;
}

export interface Matrix {
  readonly cells: readonly Cell[];
  /** What was left out, and why. */
  readonly notes: readonly string[];
}

/** A combination that cannot be, in words, and the conflict in it. */
interface LeftOut extends Conflict {
  readonly words: string;
  readonly configuration: Configuration;
}

/** What a configuration is put on: a workload, or a trace with the CPUs it was recorded on. */
interface Subject {
  readonly workload: string;
  readonly trace?: string;
  readonly cores?: number;
}

/** All cells, duplicates dropped; `overrides` replace the values of their axes in every part.
 *  A trace is replayed on as many cores as it was recorded on, unless cores are set. */
export function expand(
  experiment: CheckedExperiment,
  overrides: readonly Setting[],
  cpusOfTraces: ReadonlyMap<string, number> = new Map(),
): Matrix {
  const cells = new Map<string, Cell>();
  const leftOut = new Map<string, LeftOut>();
  for (const part of experiment.parts) {
    const settings = overlaySettings(part.settings, overrides);
    for (const subject of subjectsOf(part, cpusOfTraces)) {
      for (const chosen of combinations(settings)) {
        const { cores, ...what } = subject;
        const configuration = completeConfiguration(
          cores === undefined ? chosen : { cores, ...chosen },
        );
        const cell: Cell = { configuration, ...what };
        const conflict = conflictIn(configuration);
        if (conflict === undefined) cells.set(JSON.stringify(cell), cell);
        else leaveOut(configuration, conflict, leftOut);
      }
    }
  }
  const result = [...cells.values()];
  refuseImpossible(result, overlaySettings([], overrides), [...leftOut.values()]);
  const notes = [...leftOut.values()].map(({ words, reason }) => `left out ${words}: ${reason}`);
  return { cells: byWorkload(result), notes };
}

function leaveOut(
  configuration: Configuration,
  conflict: Conflict,
  leftOut: Map<string, LeftOut>,
): void {
  const axes = [conflict.against, conflict.axis];
  const words = axes.map((axis) => `${axis}=${configuration[axis]}`).join(" ");
  leftOut.set(words, { ...conflict, words, configuration });
}

/**
 * The runs of one cell: one per seed, counting up from `seed`. A recording leaves nothing to
 * chance.
 */
export function runsOf(cell: Cell, seed: number, seeds: number): readonly Run[] {
  if (cell.trace !== undefined) return [{ ...cell, seed }];
  return Array.from({ length: seeds }, (_, index) => ({ ...cell, seed: (seed + index) >>> 0 }));
}

function subjectsOf(
  part: CheckedPart,
  cpusOfTraces: ReadonlyMap<string, number>,
): readonly Subject[] {
  const traces = nameTraces(part.traces).map(({ name, path }) => {
    const cores = cpusOfTraces.get(path);
    return { workload: name, trace: path, ...(cores === undefined ? {} : { cores }) };
  });
  return [...part.workloads.map((workload) => ({ workload })), ...traces];
}

/** Every combination of the values; the axis that the table of axes lists last varies fastest. */
export function combinations(
  settings: readonly Pick<Setting, "axis" | "values">[],
): readonly Partial<Configuration>[] {
  let result: readonly Partial<Configuration>[] = [{}];
  const inOrder = settings.toSorted(
    (a, b) => AXIS_NAMES.indexOf(a.axis) - AXIS_NAMES.indexOf(b.axis),
  );
  for (const { axis, values } of inOrder) {
    result = result.flatMap((chosen) => values.map((value) => ({ ...chosen, [axis]: value })));
  }
  return result;
}

/** A value that somebody asked for and that fits no machine of the matrix is bad input. */
function refuseImpossible(
  cells: readonly Cell[],
  overrides: readonly Setting[],
  leftOut: readonly LeftOut[],
): void {
  for (const { axis, against, reason, configuration, words } of leftOut) {
    for (const culprit of [axis, against]) {
      const value = configuration[culprit];
      const asked = overrides.find((one) => one.axis === culprit && one.values.includes(value!));
      const fits = cells.some((cell) => cell.configuration[culprit] === value);
      if (asked !== undefined && !fits) {
        throw new BadInput(asked.path, value, `${reason}; leave it out or choose another`);
      }
    }
    if (cells.length === 0) throw new BadInput("axes", words, `${reason}; change one of them`);
  }
}

function byWorkload(cells: readonly Cell[]): readonly Cell[] {
  const names = [...new Set(cells.map((cell) => cell.workload))];
  return names.flatMap((name) => cells.filter((cell) => cell.workload === name));
}
