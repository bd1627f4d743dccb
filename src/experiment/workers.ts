// Runs on worker threads. A result is placed by the index of its run, so that what comes out does
// not depend on how many workers there are or which one was faster.

import { availableParallelism } from "node:os";
import { BadInput, heardBadInput, type ToldBadInput } from "../base/bad-input.ts";
import { inPool } from "../base/pool.ts";
import { commandFor } from "./command.ts";
import type { Measurement } from "./result.ts";
import { simulate } from "./simulate.ts";
import { type Run } from "./configuration.ts";

export type WorkerAnswer =
  | { readonly kind: "measurement"; readonly measurement: Measurement }
  | ToldBadInput
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
  /** Ends the measuring: runs under way are given up. */
  readonly signal?: AbortSignal;
}

/** What became of the runs. */
export interface Measured {
  /** By run; undefined: it was not measured. */
  readonly measurements: readonly (Measurement | undefined)[];
  /** Why runs were not measured, in the order of the runs. */
  readonly failures: readonly (RunFailure | BadInput)[];
}

export const MAX_WORKERS = 256;

export const defaultWorkers = (): number => Math.min(2, availableParallelism());

/** Runs that cost less than this together are over before threads have started. */
const WORTH_THREADS = 500;

/** How many threads pay for these runs, where nobody says. */
export const workersFor = (runs: readonly Run[]): number => (isShort(runs) ? 1 : defaultWorkers());

const isShort = (runs: readonly Run[]): boolean =>
  runs.reduce((sum, run) => sum + costOf(run), 0) < WORTH_THREADS;

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

/**
 * Measures each run. One that breaks down does not keep the others from being measured; bad input
 * ends them all, since the next run would most likely have the same.
 */
export async function measureAll(runs: readonly Run[], options: MeasureOptions): Promise<Measured> {
  const results = new Results(runs, options.onDone);
  if (staysHere(runs, options)) await measureHere(results, options);
  else await measureInPool(results, options);
  return results.measured;
}

type Result = Measurement | RunFailure | BadInput;

class Results {
  private readonly byRun = new Map<number, Result>();
  private hasBadInput = false;

  constructor(
    readonly runs: readonly Run[],
    private readonly onDone: MeasureOptions["onDone"],
  ) {}

  /** No more runs need be begun. */
  get isOver(): boolean {
    return this.hasBadInput || this.byRun.size === this.runs.length;
  }

  add(index: number, result: Result): void {
    this.byRun.set(index, result);
    if (result instanceof BadInput) this.hasBadInput = true;
    else this.onDone(this.byRun.size);
  }

  get measured(): Measured {
    const inOrder = this.runs.map((_, index) => this.byRun.get(index));
    const isFailure = (one: Result | undefined): one is RunFailure | BadInput =>
      one instanceof Error;
    return {
      measurements: inOrder.map((one) => (isFailure(one) ? undefined : one)),
      failures: inOrder.filter(isFailure),
    };
  }
}

/** Where a signal may come, whatever takes long is in a thread that can be ended. */
function staysHere(runs: readonly Run[], { workers, measure, signal }: MeasureOptions): boolean {
  if (measure !== undefined) return true;
  if (workers > 1) return false;
  return (
    signal === undefined || (isShort(runs) && runs.every(({ files = [] }) => files.length === 0))
  );
}

async function measureHere(
  results: Results,
  { measure = simulate, signal }: MeasureOptions,
): Promise<void> {
  for (const [index, run] of results.runs.entries()) {
    if (results.isOver || signal?.aborted === true) return;
    results.add(index, await attempt(run, measure));
    // A turn of the event loop, so that progress can be drawn and signals arrive.
    await new Promise((resume) => setImmediate(resume));
  }
}

async function attempt(run: Run, measure: NonNullable<MeasureOptions["measure"]>): Promise<Result> {
  try {
    return await measure(run);
  } catch (error) {
    if (error instanceof BadInput) return error;
    return new RunFailure(run, error instanceof Error ? error.message : String(error), error);
  }
}

async function measureInPool(
  results: Results,
  { workers, workerUrl, signal }: MeasureOptions,
): Promise<void> {
  const { runs } = results;
  const order = dearestFirst(runs);
  const ending = new AbortController();
  const signals = signal === undefined ? [ending.signal] : [ending.signal, signal];
  const take = (index: number, result: Result): void => {
    results.add(index, result);
    if (results.isOver) ending.abort();
  };
  await inPool<number, WorkerAnswer>({
    url: workerUrl ?? new URL("./run-worker.js", import.meta.url),
    workers,
    next: () => order.shift(),
    messageOf: (index) => runs[index],
    onAnswer: (index, answer) => take(index, resultOf(runs[index]!, answer)),
    onBreakdown: (index, reason) => take(index, new RunFailure(runs[index]!, reason)),
    signal: AbortSignal.any(signals),
  });
}

/** Indices of the runs, the longest expected first, so that the last ones to end are short. */
const dearestFirst = (runs: readonly Run[]): number[] =>
  [...runs.keys()].toSorted((a, b) => costOf(runs[b]!) - costOf(runs[a]!) || a - b);

function resultOf(run: Run, answer: WorkerAnswer): Result {
  if (answer.kind === "measurement") return answer.measurement;
  if (answer.kind === "bad-input") return heardBadInput(answer);
  const cause = new Error(answer.message);
  cause.stack = answer.stack;
  return new RunFailure(run, answer.message, cause);
}
