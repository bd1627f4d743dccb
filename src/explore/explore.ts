// Many explorations, on worker threads or here: each job's result at its place. The threads take
// parts of explorations, of the first that has one to give; what comes out is the same for any
// number of threads.

import { BadInput, refuseUnknownKeys } from "../base/bad-input.ts";
import { inPool } from "../base/pool.ts";
import { type OwnValues, planJobs, playedHere, type Selection } from "./explore-plan.ts";
import { checkBounds, checkCount, type ExploreBounds } from "./search/bounds.ts";
import { Explorer, type Progress } from "./search/explorer.ts";
import {
  blamed,
  checkJob,
  type ExploreJob,
  type Played,
  playedBy,
  subjectOf,
} from "./explore-job.ts";
import {
  exploreJob,
  type ExploreResult,
  resultOf,
  type ScenarioResult,
} from "./scenario-result.ts";
import type { Part, PartResult } from "./search/part.ts";

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

/** What a worker is sent. */
export interface WorkerJob {
  readonly job: ExploreJob;
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

/** The results of jobs that were begun before the signal came, in the order of the jobs. */
export async function exploreAll(
  jobs: readonly ExploreJob[],
  { workers = 1, onProgress = () => {}, signal, values, ...bounds }: ExploreOptions = {},
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
  const exploreEach = workers === 1 ? exploreHere : exploreInPool;
  return { scenarios: await exploreEach(jobs, { workers, bounds, onState, signal, values }) };
}

/** How the jobs are explored, and who is told. */
interface Directions {
  readonly workers: number;
  readonly bounds: ExploreBounds;
  readonly signal: AbortSignal | undefined;
  readonly values: OwnValues | undefined;
  onState(done: number, now: ExploreJob, states: readonly (Progress | ScenarioResult)[]): void;
}

/**
 * Where an exploration of a scenario from a file ends unless a bound was given: nobody knows how
 * large the scenario is. Two threads that discard one page take most of it.
 */
export const FILE_EXECUTIONS = 200_000;

/** The bounds of one job. */
function boundsOf({ file }: ExploreJob, bounds: ExploreBounds): ExploreBounds {
  const { maxExecutions, seconds } = bounds;
  const isBounded = maxExecutions !== undefined || seconds !== undefined;
  return file === undefined || isBounded ? bounds : { ...bounds, maxExecutions: FILE_EXECUTIONS };
}

async function exploreHere(
  jobs: readonly ExploreJob[],
  { bounds, onState, signal, values }: Directions,
): Promise<readonly ScenarioResult[]> {
  const results: ScenarioResult[] = [];
  for (const job of jobs) {
    if (signal?.aborted === true) break;
    const onProgress = (now: Progress): void => onState(results.length, job, [...results, now]);
    const own = boundsOf(job, bounds);
    const options = { ...own, onProgress, ...(signal !== undefined && { signal }) };
    results.push(await exploreJob(job, options, (code) => playedHere(job, values, code)));
    onState(results.length, job, results);
  }
  return results;
}

/** A job that was begun. */
interface Begun {
  readonly job: ExploreJob;
  readonly played: Played;
  readonly explorer: Explorer;
  result: ScenarioResult | null;
}

async function exploreInPool(
  jobs: readonly ExploreJob[],
  { workers, bounds, onState, signal }: Directions,
): Promise<readonly ScenarioResult[]> {
  const all: Played[] = [];
  for (const job of jobs) all.push(await playedBy(job));
  const begun: Begun[] = [];
  const beginning = (index: number): Begun => {
    const [job, played] = [jobs[index]!, all[index]!];
    return { job, played, explorer: new Explorer(boundsOf(job, bounds)), result: null };
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
      const now = begun.find(({ result }) => result === null) ?? of;
      onState(
        done,
        now.job,
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

const broken = ({ name, policy, protocol, mutation, memory }: ExploreJob, reason: string): Error =>
  new Error(`${name}, ${policy}, ${protocol}, mutation ${mutation}, ${memory}: ${reason}`);
