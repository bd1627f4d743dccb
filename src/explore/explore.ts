// Many explorations, on worker threads or here: each job's result at its place. The threads take
// parts of explorations, of the first that has one to give; what comes out is the same for any
// number of threads.

import { BadInput } from "../base/bad-input.ts";
import { inPool } from "../base/pool.ts";
import { type OwnValues, plan, playedHere, type Selection } from "./explore-plan.ts";
import { type ExploreBounds, Explorer, type Progress } from "./search/explorer.ts";
import {
  blamed,
  carryOut,
  type ExploreResult,
  type Job,
  type Played,
  playedBy,
  resultOf,
  type ScenarioResult,
  subjectOf,
} from "./explore-job.ts";
import type { Part, PartResult } from "./search/part.ts";

export interface RunExploreOptions extends ExploreBounds {
  /** Worker threads; 1 explores in this thread. */
  readonly workers?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ExploreProgress) => void;
  /** What the names of jobs stand for, where that is in no file; in this thread alone. */
  readonly values?: OwnValues;
}

export interface ExploreProgress extends Progress {
  /** Jobs that are done, of `jobs`. */
  readonly done: number;
  readonly jobs: number;
}

/** What a worker is sent. */
export interface WorkerJob {
  readonly job: Job;
  readonly bounds: ExploreBounds;
  readonly part: Part;
}

export type WorkerAnswer =
  | { readonly kind: "result"; readonly result: PartResult }
  | {
      readonly kind: "bad-input";
      readonly path: string;
      readonly value: unknown;
      readonly remedy: string;
    }
  | { readonly kind: "failure"; readonly message: string };

/**
 * Explores what was selected, and without a selection every scenario and every mutation. What is
 * brought in as a value, and not from a file, cannot go to worker threads.
 */
export async function explore(
  selection: Selection = {},
  options: RunExploreOptions = {},
): Promise<ExploreResult> {
  const { jobs, values } = await plan(selection);
  return exploreAll(jobs, values === null ? options : { ...options, workers: 1, values });
}

/** The results of jobs that were begun before the signal came, in the order of the jobs. */
export async function exploreAll(
  jobs: readonly Job[],
  { workers = 1, onProgress = () => {}, signal, values, ...bounds }: RunExploreOptions = {},
): Promise<ExploreResult> {
  const start = performance.now();
  const onState = (done: number, states: readonly (Progress | ScenarioResult)[]): void => {
    const executions = states.reduce((sum, state) => sum + state.executions, 0);
    const depth = Math.max(...states.map((state) => state.depth));
    const perSecond = (1000 * executions) / (performance.now() - start);
    onProgress({ done, jobs: jobs.length, executions, perSecond, depth });
  };
  const carriedOut = workers === 1 ? carryOutHere : carryOutInPool;
  return { scenarios: await carriedOut(jobs, { workers, bounds, onState, signal, values }) };
}

interface Carrying {
  readonly workers: number;
  readonly bounds: ExploreBounds;
  readonly signal: AbortSignal | undefined;
  readonly values: OwnValues | undefined;
  onState(done: number, states: readonly (Progress | ScenarioResult)[]): void;
}

async function carryOutHere(
  jobs: readonly Job[],
  { bounds, onState, signal, values }: Carrying,
): Promise<readonly ScenarioResult[]> {
  const results: ScenarioResult[] = [];
  for (const job of jobs) {
    if (signal?.aborted === true) break;
    const onProgress = (now: Progress): void => onState(results.length, [...results, now]);
    const options = { ...bounds, onProgress, ...(signal !== undefined && { signal }) };
    results.push(await carryOut(job, options, await playedHere(job, values)));
    onState(results.length, results);
  }
  return results;
}

/** A job that was begun. */
interface Begun {
  readonly job: Job;
  readonly played: Played;
  readonly explorer: Explorer;
  result: ScenarioResult | null;
}

async function carryOutInPool(
  jobs: readonly Job[],
  { workers, bounds, onState, signal }: Carrying,
): Promise<readonly ScenarioResult[]> {
  const all: Played[] = [];
  for (const job of jobs) all.push(await playedBy(job));
  const begun: Begun[] = [];
  const beginning = (index: number): Begun => {
    const [job, played] = [jobs[index]!, all[index]!];
    return { job, played, explorer: new Explorer(bounds), result: null };
  };
  const next = (): { of: Begun; part: Part } | undefined => {
    for (let index = 0; index < jobs.length; index++) {
      begun[index] ??= beginning(index);
      const part = begun[index].explorer.next();
      if (part !== undefined) return { of: begun[index], part };
    }
    return undefined;
  };
  const finish = (each: Begun): ScenarioResult => {
    const { job, played, explorer, result } = each;
    if (result !== null) return result;
    try {
      const subject = subjectOf(job, played.catalogue);
      const explored = explorer.result(played.scenario, subject);
      return (each.result = resultOf(job, played, bounds, explored));
    } catch (error) {
      throw blamed(job, error);
    }
  };
  await inPool<{ of: Begun; part: Part }, WorkerAnswer>({
    url: new URL("./explore-worker.js", import.meta.url),
    workers,
    next,
    messageOf: ({ of: { job }, part }): WorkerJob => ({ job, bounds, part }),
    onAnswer({ of, part }, answer) {
      if (answer.kind === "failure") throw broken(of.job, answer.message);
      if (answer.kind === "bad-input") throw new BadInput(answer.path, answer.value, answer.remedy);
      of.explorer.accept(part, answer.result);
      if (of.explorer.isOver) finish(of);
      const done = begun.filter(({ result }) => result !== null).length;
      onState(
        done,
        begun.map(({ explorer }) => explorer.progress),
      );
    },
    onBreakdown: ({ of }, reason) => broken(of.job, reason),
    ...(signal !== undefined && { signal }),
  });
  return begun.map((each) => {
    each.explorer.interrupt();
    return finish(each);
  });
}

const broken = ({ name, policy, protocol, mutation, memory }: Job, reason: string): Error =>
  new Error(`${name}, ${policy}, ${protocol}, mutation ${mutation}, ${memory}: ${reason}`);
