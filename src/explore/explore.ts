// Many explorations, on worker threads or here: each job's result at its place. The threads take
// parts of explorations, of the first that has one to give; what comes out is the same for any
// number of threads.

import { BadInput } from "../base/bad-input.ts";
import { inPool } from "../base/pool.ts";
import { plan, type Selection } from "./explore-plan.ts";
import { type ExploreBounds, Explorer, type Progress } from "./search/explorer.ts";
import {
  blamed,
  carryOut,
  type ExploreResult,
  type Job,
  resultOf,
  scenarioOf,
  type ScenarioResult,
  subjectOf,
} from "./explore-job.ts";
import type { Part, PartResult } from "./search/part.ts";
import type { Scenario } from "./scenarios/scenario.ts";

export interface RunExploreOptions extends ExploreBounds {
  /** Worker threads; 1 explores in this thread. */
  readonly workers?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ExploreProgress) => void;
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

/** Explores what was selected, and without a selection every scenario and every known mistake. */
export const explore = async (
  selection: Selection = {},
  options: RunExploreOptions = {},
): Promise<ExploreResult> => exploreAll(await plan(selection), options);

/** The results of jobs that were begun before the signal came, in the order of the jobs. */
export async function exploreAll(
  jobs: readonly Job[],
  { workers = 1, onProgress = () => {}, signal, ...bounds }: RunExploreOptions = {},
): Promise<ExploreResult> {
  const start = performance.now();
  const onState = (done: number, states: readonly (Progress | ScenarioResult)[]): void => {
    const executions = states.reduce((sum, state) => sum + state.executions, 0);
    const depth = Math.max(...states.map((state) => state.depth));
    const perSecond = (1000 * executions) / (performance.now() - start);
    onProgress({ done, jobs: jobs.length, executions, perSecond, depth });
  };
  const carriedOut = workers === 1 ? carryOutHere : carryOutInPool;
  return { scenarios: await carriedOut(jobs, { workers, bounds, onState, signal }) };
}

interface Carrying {
  readonly workers: number;
  readonly bounds: ExploreBounds;
  readonly signal: AbortSignal | undefined;
  onState(done: number, states: readonly (Progress | ScenarioResult)[]): void;
}

async function carryOutHere(
  jobs: readonly Job[],
  { bounds, onState, signal }: Carrying,
): Promise<readonly ScenarioResult[]> {
  const results: ScenarioResult[] = [];
  for (const job of jobs) {
    if (signal?.aborted === true) break;
    const onProgress = (now: Progress): void => onState(results.length, [...results, now]);
    const options = { ...bounds, onProgress, ...(signal !== undefined && { signal }) };
    results.push(await carryOut(job, options));
    onState(results.length, results);
  }
  return results;
}

/** A job that was begun. */
interface Begun {
  readonly job: Job;
  readonly scenario: Scenario;
  readonly explorer: Explorer;
  result: ScenarioResult | null;
}

async function carryOutInPool(
  jobs: readonly Job[],
  { workers, bounds, onState, signal }: Carrying,
): Promise<readonly ScenarioResult[]> {
  const scenarios: Scenario[] = [];
  for (const job of jobs) scenarios.push(await scenarioOf(job));
  const begun: Begun[] = [];
  const beginning = (index: number): Begun => {
    const [job, scenario] = [jobs[index]!, scenarios[index]!];
    return { job, scenario, explorer: new Explorer(bounds), result: null };
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
    const { job, scenario, explorer, result } = each;
    if (result !== null) return result;
    try {
      const explored = explorer.result(scenario, subjectOf(job));
      return (each.result = resultOf(job, scenario, bounds, explored));
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
