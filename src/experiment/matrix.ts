// From an experiment to the list of what is run: plans of rows (configuration x workload) in a
// fixed order, each with every seed. The order of the rows is the order of the plans.

import { BadInput } from "../base/bad-input.ts";
import { BUILT_IN, type Catalogue } from "../catalogue/catalogue.ts";
import { AXIS_NAMES, completeConfiguration } from "./axes.ts";
import type { Configuration, Run } from "./configuration.ts";
import { conflictIn, type Conflict } from "./constraints.ts";
import { overlaySettings, type CheckedExperiment, type CheckedPart } from "./experiment.ts";
import type { Setting } from "./settings.ts";
import { nameTraces } from "./traces.ts";

/** One row to be. */
export interface RowPlan {
  readonly configuration: Configuration;
  /** As the row names it: a workload, or a trace. */
  readonly workload: string;
  readonly trace?: string;
  /** False: no checker watches. */
  readonly checks?: boolean;
  readonly files?: readonly string[];
}

export interface Matrix {
  readonly plans: readonly RowPlan[];
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

/** All plans, duplicates dropped; `overrides` replace the values of their axes in every part.
 *  A trace is replayed on as many cores as it was recorded on, unless cores are set. */
export function expand(
  experiment: CheckedExperiment,
  overrides: readonly Setting[],
  cpusOfTraces: ReadonlyMap<string, number> = new Map(),
  catalogue: Catalogue = BUILT_IN,
): Matrix {
  const plans = new Map<string, RowPlan>();
  const leftOut = new Map<string, LeftOut>();
  for (const part of experiment.parts) {
    const settings = overlaySettings(part.settings, overrides);
    for (const subject of subjectsOf(part, cpusOfTraces)) {
      for (const chosen of combinations(settings)) {
        const { cores, ...what } = subject;
        const configuration = completeConfiguration(
          cores === undefined ? chosen : { cores, ...chosen },
          catalogue,
        );
        const plan: RowPlan = { configuration, ...what };
        const conflict = conflictIn(configuration, catalogue);
        if (conflict === undefined) plans.set(JSON.stringify(plan), plan);
        else leaveOut(configuration, conflict, leftOut);
      }
    }
  }
  const result = [...plans.values()];
  refuseImpossible(result, overlaySettings([], overrides), [...leftOut.values()]);
  const notes = [...leftOut.values()].map(({ words, reason }) => `left out ${words}: ${reason}`);
  return { plans: byWorkload(result), notes };
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
 * The runs of one plan: one per seed, counting up from `seed`. A recording leaves nothing to
 * chance.
 */
export function runsOf(plan: RowPlan, seed: number, seeds: number): readonly Run[] {
  if (plan.trace !== undefined) return [{ ...plan, seed }];
  return Array.from({ length: seeds }, (_, index) => ({ ...plan, seed: (seed + index) >>> 0 }));
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
  plans: readonly RowPlan[],
  overrides: readonly Setting[],
  leftOut: readonly LeftOut[],
): void {
  for (const { axis, against, reason, configuration, words } of leftOut) {
    for (const culprit of [axis, against]) {
      const value = configuration[culprit];
      const asked = overrides.find((one) => one.axis === culprit && one.values.includes(value!));
      const fits = plans.some((plan) => plan.configuration[culprit] === value);
      if (asked !== undefined && !fits) {
        throw new BadInput(asked.path, value, `${reason}; leave it out or choose another`);
      }
    }
    if (plans.length === 0) throw new BadInput("axes", words, `${reason}; change one of them`);
  }
}

function byWorkload(plans: readonly RowPlan[]): readonly RowPlan[] {
  const names = [...new Set(plans.map((plan) => plan.workload))];
  return names.flatMap((name) => plans.filter((plan) => plan.workload === name));
}
