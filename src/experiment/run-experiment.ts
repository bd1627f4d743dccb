// Runs an experiment from its definition to its rows. The command line and the library meet here.

import { refuseUnknownKeys } from "../base/bad-input.ts";
import { type Check, flag, optional, readFunction, readList, readObject } from "../base/input.ts";
import { files } from "./configuration-check.ts";
import { BringingIn } from "../catalogue/bring-in.ts";
import type { Brought, Catalogue } from "../catalogue/catalogue.ts";
import type { Workload } from "../workloads/workload.ts";
import { broughtIn, definitionWithNames, withNames, workloadsWithNames } from "./with-names.ts";
import type { Run } from "./configuration.ts";
import {
  type CheckedExperiment,
  type ExperimentDefinition,
  MAX_SEEDS,
  readCount,
  readExperiment,
  readSeed,
} from "./experiment.ts";
import { findExperiment, type FoundExperiment } from "./load.ts";
import { expand, runsOf } from "./matrix.ts";
import type { ExperimentResult, Measurement } from "./result.ts";
import { rowOf } from "./row.ts";
import { type AskedSetting, askedAxes, type AxisValues, readSetting } from "./settings.ts";
import { simulate } from "./simulate.ts";
import { cpusOf } from "./traces.ts";
import { IncompleteExperiment } from "./incomplete.ts";
import { MAX_WORKERS, measureAll, workersFor } from "./workers.ts";

/** What is brought in here is what runs, unless an axis says otherwise. */
export interface ExperimentOptions extends Brought {
  /** The first seed; the others count up from it. */
  readonly seed?: number;
  /** Runs per configuration; the experiment's own number unless given. */
  readonly seeds?: number;
  /** Values that replace those of the experiment on their axes. */
  readonly axes?: AxisValues;
  /** The same as a command line has it. */
  readonly settings?: readonly AskedSetting[];
  /** Replace those of the experiment: names, files, or workloads of one's own. */
  readonly workloads?: readonly (string | Workload)[];
  /** Files of code from outside, whose names may be used everywhere. */
  readonly files?: readonly string[];
  /** Worker threads; at most two unless given, 1 stays in this thread. */
  readonly workers?: number;
  /** False: no checker watches the runs. On unless given. */
  readonly checks?: boolean;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
  /** Called with what was left out of the matrix, and why. */
  readonly onNote?: (note: string) => void;
  /** Ends the experiment: IncompleteExperiment has what was measured by then. */
  readonly signal?: AbortSignal;
  /** Measures a run in this thread, in place of the simulator. */
  readonly measure?: (run: Run) => Measurement | Promise<Measurement>;
}

const DEFAULT_SEED = 1;

const OPTION_NAMES = Object.keys({
  seed: true,
  seeds: true,
  axes: true,
  settings: true,
  workloads: true,
  files: true,
  workers: true,
  checks: true,
  onProgress: true,
  onNote: true,
  signal: true,
  measure: true,
  protocols: true,
  policies: true,
  mutations: true,
  cpus: true,
  checkers: true,
} satisfies Record<keyof ExperimentOptions, true>);

/**
 * Runs a built-in experiment by its name, the one in a YAML or JSON file, or the one that is given.
 * The rows are the same for the same seed, whatever the number of workers. What is brought in as a
 * value, and not from a file, cannot go to worker threads: then everything runs in this one.
 * Rejects with IncompleteExperiment, which has the rows that there are, where a run breaks down or
 * the signal is raised.
 */
export async function runExperiment(
  experiment: string | ExperimentDefinition = "default",
  options: ExperimentOptions = {},
): Promise<ExperimentResult> {
  checkOptions(options);
  const bringing = new BringingIn();
  for (const file of options.files ?? []) await bringing.file(file);
  const overrides = await overridesOf(bringing, options);
  const checked = await checkedExperiment(bringing, experiment, options.workloads ?? []);
  return runChecked(checked, overrides, bringing, options);
}

/** The parts that are read where they are used are not looked at here. */
const OPTIONS: Partial<Record<keyof ExperimentOptions, Check>> = {
  settings: optional(readList),
  workloads: optional(readList),
  files: optional(files),
  checks: optional(flag),
  onProgress: optional(readFunction),
  onNote: optional(readFunction),
  measure: optional(readFunction),
};

function checkOptions(options: ExperimentOptions): void {
  refuseUnknownKeys(readObject("options", options), OPTION_NAMES, "options");
  for (const [name, check] of Object.entries(OPTIONS)) {
    check(name, options[name as keyof ExperimentOptions]);
  }
}

async function checkedExperiment(
  bringing: BringingIn,
  experiment: string | ExperimentDefinition,
  workloads: readonly (string | Workload)[],
): Promise<CheckedExperiment> {
  const { definition, origin, name, find, findTrace } = foundOf(experiment);
  const named = await definitionWithNames(bringing, definition, origin, find);
  const checked = readExperiment(named, origin, { name, catalogue: bringing.catalogue });
  const own = await workloadsWithNames(bringing, workloads, "workloads");
  const parts = checked.parts.map((part) => ({
    ...part,
    traces: own.length > 0 ? [] : part.traces.map(findTrace),
    workloads: own.length > 0 ? own : part.workloads,
  }));
  return { ...checked, parts };
}

function foundOf(experiment: string | ExperimentDefinition): FoundExperiment {
  if (typeof experiment === "string") return findExperiment(experiment);
  const asItIs = (file: string): string => file;
  const name = "experiment";
  return { definition: experiment, origin: name, name, find: asItIs, findTrace: asItIs };
}

/** What replaces the values of the experiment; of one axis twice, the last counts. */
async function overridesOf(bringing: BringingIn, options: ExperimentOptions) {
  const chosen = await broughtIn(bringing, options, "");
  const asked = [...(options.settings ?? []), ...askedAxes(options.axes ?? {}, "axes")];
  const named: AskedSetting[] = [];
  for (const one of asked) named.push(await withNames(bringing, one));
  return [...chosen, ...named].map((one) => readSetting(one, bringing.catalogue));
}

async function runChecked(
  experiment: CheckedExperiment,
  overrides: ReturnType<typeof readSetting>[],
  { catalogue, hasValues }: BringingIn,
  options: ExperimentOptions,
): Promise<ExperimentResult> {
  const seed = readSeed(options.seed ?? DEFAULT_SEED, "seed");
  const seeds = readCount(options.seeds ?? experiment.seeds, "seeds", MAX_SEEDS);
  const given = options.workers ?? undefined;
  const workers = given === undefined ? given : readCount(given, "workers", MAX_WORKERS);
  const cpusOfTraces = await cpusOf(experiment.parts.flatMap((part) => part.traces));
  const { plans: all, notes } = expand(experiment, overrides, cpusOfTraces, catalogue);
  const plans = all.map((plan) => ({
    ...plan,
    ...(options.checks === false && { checks: false }),
    ...(catalogue.files.length > 0 && { files: catalogue.files }),
  }));
  for (const note of notes) options.onNote?.(note);
  const runsOfPlans = plans.map((plan) => runsOf(plan, seed, seeds));
  const runs = runsOfPlans.flat();
  const measure = measureOf(options, hasValues ? catalogue : null);
  const { measurements, failures } = await measureAll(runs, {
    workers: workers ?? workersFor(runs),
    onDone: (done) => options.onProgress?.({ done, total: runs.length }),
    ...(measure !== undefined && { measure }),
    ...(options.signal !== undefined && { signal: options.signal }),
  });
  let next = 0;
  const rows = plans.flatMap((plan, index) => {
    const first = next;
    next += runsOfPlans[index]!.length;
    const made = measurements.slice(first, next).filter((one) => one !== undefined);
    return made.length === 0 ? [] : [rowOf(plan, made, catalogue)];
  });
  const result: ExperimentResult = { experiment: experiment.name, seed, rows };
  const made = measurements.filter((one) => one !== undefined).length;
  if (made < runs.length) throw new IncompleteExperiment(result, failures, made, runs.length);
  return result;
}

/** Undefined: the simulator, on worker threads. */
function measureOf(
  { measure }: ExperimentOptions,
  catalogue: Catalogue | null,
): ExperimentOptions["measure"] {
  if (measure !== undefined || catalogue === null) return measure;
  return (run) => simulate(run, { catalogue });
}
