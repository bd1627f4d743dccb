// Runs on worker threads. A result is placed by the index of its run, so that what comes out does
// not depend on how many workers there are or which one was faster.

import { availableParallelism } from "node:os";
import { BadInput } from "../base/bad-input.ts";
import { inPool } from "../base/pool.ts";
import { commandFor } from "./command.ts";
import type { Measurement } from "./result.ts";
import { simulate } from "./simulate.ts";
import { type Run } from "./configuration.ts";

export type WorkerAnswer =
  | { readonly kind: "measurement"; readonly measurement: Measurement }
  | {
      readonly kind: "bad-input";
      readonly path: string;
      readonly value: unknown;
      readonly remedy: string;
    }
  | { readonly kind: "failure"; readonly message: string; readonly stack: string };

export interface MeasureOptions {
  /** Worker threads; 1 measures in this thread. */
  readonly workers: number;
  /** Called after each run with how many are done. */
  readonly onDone: (done: number) => void;
  /** Measures a run in this thread, in place of the simulator. */
  readonly measure?: (run: Run) => Measurement | Promise<Measurement>;
  /** The worker's module. */
  readonly workerUrl?: URL;
}

export const MAX_WORKERS = 256;

export const defaultWorkers = (): number => Math.min(2, availableParallelism());

/** Runs that cost less than this together are over before threads have started. */
const WORTH_THREADS = 500;

/** How many threads pay for these runs, where nobody says. */
export function workersFor(runs: readonly Run[]): number {
  const cost = runs.reduce((sum, run) => sum + costOf(run), 0);
  return cost < WORTH_THREADS ? 1 : defaultWorkers();
}

/** Fewer pages take no less time. */
const LEAST_PAGES = 64;

/** About how long a run takes, relative to others; a recording may be of any length. */
const costOf = ({ configuration: { cores, rounds, pages }, trace }: Run): number =>
  trace === undefined ? cores * rounds * Math.max(1, pages / LEAST_PAGES) : WORTH_THREADS;

/** A run that broke down: names the run, its seed and the command that repeats it. */
export class RunFailure extends Error {
  constructor(
    readonly run: Run,
    reason: string,
    override readonly cause?: unknown,
  ) {
    const { workload, configuration, seed } = run;
    const what = `${workload}, ${configuration.lazyTlb}, ${configuration.cores} cores`;
    super(`${what}, seed ${seed}: ${reason}; to repeat it: ${commandFor(run)}`);
    this.name = "RunFailure";
  }
}

/** One measurement per run, in the order of the runs. The first failure ends them all. */
export async function measureAll(
  runs: readonly Run[],
  options: MeasureOptions,
): Promise<readonly Measurement[]> {
  if (options.workers === 1 || options.measure !== undefined) return measureHere(runs, options);
  const results: Measurement[] = [];
  let done = 0;
  const order = dearestFirst(runs);
  await inPool<number, WorkerAnswer>({
    url: options.workerUrl ?? new URL("./run-worker.js", import.meta.url),
    workers: options.workers,
    next: () => order.shift(),
    messageOf: (index) => runs[index],
    onAnswer(index, answer) {
      if (answer.kind !== "measurement") throw errorOf(runs[index]!, answer);
      results[index] = answer.measurement;
      options.onDone(++done);
    },
    onBreakdown: (index, reason) => new RunFailure(runs[index]!, reason),
  });
  return results;
}

async function measureHere(
  runs: readonly Run[],
  { onDone, measure = simulate }: MeasureOptions,
): Promise<readonly Measurement[]> {
  const results: Measurement[] = [];
  for (const run of runs) {
    try {
      results.push(await measure(run));
    } catch (error) {
      if (error instanceof BadInput) throw error;
      throw new RunFailure(run, error instanceof Error ? error.message : String(error), error);
    }
    onDone(results.length);
    // A turn of the event loop, so that progress can be drawn and signals arrive.
    await new Promise((resume) => setImmediate(resume));
  }
  return results;
}

/** Indices of the runs, the longest expected first, so that the last ones to end are short. */
const dearestFirst = (runs: readonly Run[]): number[] =>
  [...runs.keys()].toSorted((a, b) => costOf(runs[b]!) - costOf(runs[a]!) || a - b);

function errorOf(run: Run, answer: Exclude<WorkerAnswer, { kind: "measurement" }>): Error {
  if (answer.kind === "bad-input") return new BadInput(answer.path, answer.value, answer.remedy);
  const cause = new Error(answer.message);
  cause.stack = answer.stack;
  return new RunFailure(run, answer.message, cause);
}
