// Many explorations, on worker threads or here: each job's result at its place.

import { refuseUnknownKeys } from "../base/bad-input.ts";
import { type OwnValues, planJobs, playedHere, type Selection } from "./explore-plan.ts";
import { checkBounds, checkCount, type ExploreBounds } from "./search/bounds.ts";
import type { Progress } from "./search/explorer.ts";
import { boundsOf, checkJob, type ExploreJob } from "./explore-job.ts";
import { type Directions, exploreInPool } from "./explore-pool.ts";
import { exploreJob, type ExploreResult, type ScenarioResult } from "./scenario-result.ts";

export interface ExploreOptions extends ExploreBounds {
  /** Worker threads; 1 explores in this thread. */
  readonly workers?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ExploreProgress) => void;
  /** What the names of jobs stand for, where that is in no file; in this thread alone. */
  readonly values?: OwnValues;
}

export interface ExploreProgress extends Progress {
  /** The scenario that is explored now. */
  readonly scenario: string;
  /** Since the start, of host time. */
  readonly seconds: number;
  /** Jobs that are done, of `jobs`. */
  readonly done: number;
  readonly jobs: number;
}

const SELECTION_NAMES = Object.keys({
  scenarios: true,
  policy: true,
  protocol: true,
  mutation: true,
  memory: true,
  checkers: true,
  files: true,
} satisfies Record<keyof Selection, true>);

const OPTION_NAMES = Object.keys({
  workers: true,
  signal: true,
  onProgress: true,
  values: true,
  maxExecutions: true,
  seconds: true,
  maxSteps: true,
  preemptionBound: true,
  reduction: true,
} satisfies Record<keyof ExploreOptions, true>);

/**
 * Explores what was selected, and without a selection every scenario and every mutation. What is
 * brought in as a value, and not from a file, cannot go to worker threads.
 */
export async function explore(
  selection: Selection = {},
  options: ExploreOptions = {},
): Promise<ExploreResult> {
  refuseUnknownKeys(selection, SELECTION_NAMES, "selection");
  refuseUnknownKeys(options, OPTION_NAMES, "options");
  const { jobs, values } = await planJobs(selection);
  return exploreAll(jobs, values === null ? options : { ...options, workers: 1, values });
}

/** What is told of an exploration while it goes on, and asked. */
export interface Watching {
  /** Whether to end, asked after each execution in this thread. */
  readonly isStopped?: () => boolean;
  readonly onBegin?: (job: ExploreJob) => void;
  readonly onResult?: (result: ScenarioResult) => void;
}

/** The results of jobs that were begun before the signal came, in the order of the jobs. */
export async function exploreAll(
  jobs: readonly ExploreJob[],
  { workers = 1, onProgress = () => {}, signal, values, ...bounds }: ExploreOptions = {},
  { isStopped = () => false, onBegin = () => {}, onResult = () => {} }: Watching = {},
): Promise<ExploreResult> {
  checkCount(workers, 1, "workers");
  checkBounds(bounds);
  for (const job of jobs) checkJob(job);
  const start = performance.now();
  const onState: Directions["onState"] = (done, { name: scenario }, states) => {
    const executions = states.reduce((sum, state) => sum + state.executions, 0);
    const depth = Math.max(...states.map((state) => state.depth));
    const seconds = (performance.now() - start) / 1000;
    const perSecond = executions / seconds;
    onProgress({ done, jobs: jobs.length, scenario, seconds, executions, perSecond, depth });
  };
  const isOver = (): boolean => signal?.aborted === true || isStopped();
  const directions = { workers, bounds, signal, values, onState, isOver, onBegin, onResult };
  const exploreEach = workers === 1 ? exploreHere : exploreInPool;
  return { scenarios: await exploreEach(jobs, directions) };
}

async function exploreHere(
  jobs: readonly ExploreJob[],
  { bounds, onState, onBegin, onResult, isOver, signal, values }: Directions,
): Promise<readonly ScenarioResult[]> {
  const results: ScenarioResult[] = [];
  for (const job of jobs) {
    if (isOver()) break;
    onBegin(job);
    const onProgress = (now: Progress): void => onState(results.length, job, [...results, now]);
    const stops = { isStopped: isOver, ...(signal !== undefined && { signal }) };
    const options = { ...boundsOf(job, bounds), onProgress, ...stops };
    const result = await exploreJob(job, options, (code) => playedHere(job, values, code));
    results.push(result);
    onResult(result);
    onState(results.length, job, results);
  }
  return results;
}
