// Many explorations, on worker threads or here: each job's result at its place.

import { BadInput } from "../base/bad-input.ts";
import { inPool } from "../base/pool.ts";
import { plan, type Selection } from "./plan.ts";
import type { ExploreOptions } from "./explore.ts";
import { carryOut, type ExploreResult, type Job, type ScenarioResult } from "./job.ts";

export interface RunExploreOptions extends Omit<ExploreOptions, "onProgress"> {
  /** Worker threads; 1 explores in this thread. */
  readonly workers?: number;
  readonly onProgress?: (progress: ExploreProgress) => void;
}

export interface ExploreProgress {
  /** Jobs that are done, of `jobs`. */
  readonly done: number;
  readonly jobs: number;
  readonly executions: number;
  readonly perSecond: number;
  readonly depth: number;
}

/** What a worker is sent. */
export interface WorkerJob {
  readonly job: Job;
  readonly options: Omit<RunExploreOptions, "signal" | "onProgress" | "workers">;
}

export type WorkerAnswer =
  | { readonly kind: "result"; readonly result: ScenarioResult }
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

/** The results of jobs that were done before the signal came, in the order of the jobs. */
export async function exploreAll(
  jobs: readonly Job[],
  { workers = 1, onProgress, signal, ...options }: RunExploreOptions = {},
): Promise<ExploreResult> {
  const start = performance.now();
  const results: ScenarioResult[] = [];
  let done = 0;
  let executions = 0;
  let depth = 0;
  const tell = (inProgress: number, longest: number): void => {
    const all = executions + inProgress;
    const perSecond = (1000 * all) / (performance.now() - start);
    const progress = { done, jobs: jobs.length, executions: all, perSecond };
    onProgress?.({ ...progress, depth: Math.max(depth, longest) });
  };
  const accept = (index: number, result: ScenarioResult): void => {
    results[index] = result;
    done++;
    executions += result.executions;
    depth = Math.max(depth, result.depth);
    tell(0, 0);
  };
  if (workers === 1 || jobs.length === 1) {
    const here = { ...options, ...(signal !== undefined && { signal }) };
    for (const [index, job] of jobs.entries()) {
      if (signal?.aborted === true) break;
      const each = {
        ...here,
        onProgress: (now: { executions: number; depth: number }) => tell(now.executions, now.depth),
      };
      accept(index, await carryOut(job, each));
    }
  } else {
    await inPool<WorkerJob, WorkerAnswer>({
      url: new URL("./worker.js", import.meta.url),
      workers,
      jobs: jobs.map((job) => ({ job, options })),
      onAnswer(index, answer) {
        if (answer.kind === "failure") throw broken(jobs[index]!, answer.message);
        if (answer.kind === "bad-input") {
          throw new BadInput(answer.path, answer.value, answer.remedy);
        }
        accept(index, answer.result);
      },
      onBreakdown: (index, reason) => broken(jobs[index]!, reason),
      ...(signal !== undefined && { signal }),
    });
  }
  return { scenarios: results.filter((result) => result !== undefined) };
}

const broken = ({ name, policy, protocol, mutation, memory }: Job, reason: string): Error =>
  new Error(`${name}, ${policy}, ${protocol}, mutation ${mutation}, ${memory}: ${reason}`);
