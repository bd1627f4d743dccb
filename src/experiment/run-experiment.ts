// Runs an experiment from its definition to its rows. The command line and the library meet here.

import {
  type CheckedExperiment,
  type ExperimentDefinition,
  MAX_SEEDS,
  readCount,
  readExperiment,
  readSeed,
} from "./experiment.ts";
import { loadExperiment } from "./load.ts";
import { expand, runsOf } from "./matrix.ts";
import type { ExperimentResult, Measurement } from "./result.ts";
import { rowOf } from "./row.ts";
import { readAxes, type AxisValues, type Setting } from "./settings.ts";
import type { Run } from "./configuration.ts";
import { cpusOf } from "./traces.ts";
import { MAX_WORKERS, defaultWorkers, measureAll } from "./workers.ts";

export interface ExperimentOptions {
  /** The first seed; the others count up from it. */
  readonly seed?: number;
  /** Runs per configuration; the experiment's own number unless given. */
  readonly seeds?: number;
  /** Values that replace those of the experiment on their axes. */
  readonly axes?: AxisValues;
  /** The same as already read from a command line. */
  readonly settings?: readonly Setting[];
  /** Worker threads; at most two unless given, 1 stays in this thread. */
  readonly workers?: number;
  /** False: no checker watches the runs. On unless given. */
  readonly checks?: boolean;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
  /** Called with what was left out of the matrix, and why. */
  readonly onNote?: (note: string) => void;
  /** Measures a run in this thread, in place of the simulator. */
  readonly measure?: (run: Run) => Measurement | Promise<Measurement>;
}

const DEFAULT_SEED = 1;

/**
 * Runs a built-in experiment by its name, the one in a YAML or JSON file, or the one that is given.
 * The rows are the same for the same seed, whatever the number of workers.
 */
export async function runExperiment(
  experiment: string | ExperimentDefinition = "default",
  options: ExperimentOptions = {},
): Promise<ExperimentResult> {
  const checked =
    typeof experiment === "string"
      ? loadExperiment(experiment)
      : readExperiment(experiment, "experiment");
  return runChecked(checked, options);
}

async function runChecked(
  experiment: CheckedExperiment,
  options: ExperimentOptions,
): Promise<ExperimentResult> {
  const seed = readSeed(options.seed ?? DEFAULT_SEED, "seed");
  const seeds = readCount(options.seeds ?? experiment.seeds, "seeds", MAX_SEEDS);
  const workers = readCount(options.workers ?? defaultWorkers(), "workers", MAX_WORKERS);
  const overrides = [...(options.settings ?? []), ...readAxes(options.axes ?? {}, "axes")];
  const cpusOfTraces = await cpusOf(experiment.parts.flatMap((part) => part.traces));
  const { cells: all, notes } = expand(experiment, overrides, cpusOfTraces);
  const cells = options.checks === false ? all.map((cell) => ({ ...cell, checks: false })) : all;
  for (const note of notes) options.onNote?.(note);
  const runsOfCells = cells.map((cell) => runsOf(cell, seed, seeds));
  const runs = runsOfCells.flat();
  const measurements = await measureAll(runs, {
    workers,
    onDone: (done) => options.onProgress?.({ done, total: runs.length }),
    ...(options.measure === undefined ? {} : { measure: options.measure }),
  });
  let next = 0;
  const rows = cells.map((cell, index) => {
    const first = next;
    next += runsOfCells[index]!.length;
    return rowOf(cell, measurements.slice(first, next));
  });
  return { experiment: experiment.name, seed, rows };
}
