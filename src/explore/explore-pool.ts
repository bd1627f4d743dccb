// Explorations on worker threads. The threads take parts of explorations, of the first that has one
// to give; what comes out is the same for any number of threads.

import { heardBadInput, type ToldBadInput } from "../base/bad-input.ts";
import { inPool } from "../base/pool.ts";
import {
  blamed,
  boundsOf,
  type ExploreJob,
  type Played,
  playedBy,
  subjectOf,
} from "./explore-job.ts";
import type { OwnValues } from "./explore-plan.ts";
import { resultOf, type ScenarioResult } from "./scenario-result.ts";
import type { ExploreBounds } from "./search/bounds.ts";
import { Explorer, type Progress } from "./search/explorer.ts";
import type { Part, PartResult } from "./search/part.ts";

/** How the jobs are explored, and who is told. */
export interface Directions {
  readonly workers: number;
  readonly bounds: ExploreBounds;
  readonly signal: AbortSignal | undefined;
  readonly values: OwnValues | undefined;
  /** Whether somebody wants an end. */
  readonly isOver: () => boolean;
  readonly onBegin: (job: ExploreJob) => void;
  readonly onResult: (result: ScenarioResult) => void;
  onState(done: number, now: ExploreJob, states: readonly (Progress | ScenarioResult)[]): void;
}

/** What a worker is sent. */
export interface WorkerJob {
  readonly job: ExploreJob;
  /** The seconds are those that are left. */
  readonly bounds: ExploreBounds;
  readonly part: Part;
}

export type WorkerAnswer =
  | { readonly kind: "result"; readonly result: PartResult }
  | ToldBadInput
  | { readonly kind: "failure"; readonly message: string };

/** A job that was begun. */
interface Begun {
  readonly job: ExploreJob;
  readonly played: Played;
  readonly explorer: Explorer;
  result: ScenarioResult | null;
}

interface Given {
  readonly of: Begun;
  readonly part: Part;
}

export async function exploreInPool(
  jobs: readonly ExploreJob[],
  directions: Directions,
): Promise<readonly ScenarioResult[]> {
  const all: Played[] = [];
  for (const job of jobs) all.push(await playedBy(job));
  const { workers, signal } = directions;
  const work = new Work(jobs, all, directions);
  await inPool<Given, WorkerAnswer>({
    url: new URL("./explore-worker.js", import.meta.url),
    workers,
    next: () => work.next(),
    messageOf: (given) => work.messageOf(given),
    onAnswer: (given, answer) => work.accept(given, answer),
    onBreakdown({ of }, reason) {
      throw broken(of.job, reason);
    },
    ...(signal !== undefined && { signal }),
  });
  return work.end();
}

class Work {
  private readonly begun: Begun[] = [];

  constructor(
    private readonly jobs: readonly ExploreJob[],
    private readonly played: readonly Played[],
    private readonly directions: Directions,
  ) {}

  next(): Given | undefined {
    for (let index = 0; index < this.jobs.length; index++) {
      const of = (this.begun[index] ??= this.beginning(index));
      const part = of.explorer.next();
      if (part !== undefined) return { of, part };
    }
    return undefined;
  }

  private beginning(index: number): Begun {
    const { bounds, onBegin } = this.directions;
    const [job, played] = [this.jobs[index]!, this.played[index]!];
    onBegin(job);
    return { job, played, explorer: new Explorer(boundsOf(job, bounds)), result: null };
  }

  messageOf({ of: { job, explorer }, part }: Given): WorkerJob {
    const bounds = { ...this.directions.bounds, seconds: explorer.secondsLeft };
    return { job, bounds, part };
  }

  accept({ of, part }: Given, answer: WorkerAnswer): void {
    if (answer.kind === "failure") throw broken(of.job, answer.message);
    if (answer.kind === "bad-input") throw heardBadInput(answer);
    of.explorer.accept(part, answer.result);
    if (of.explorer.isOver) this.finish(of);
    const { begun } = this;
    const done = begun.filter(({ result }) => result !== null).length;
    const now = begun.find(({ result }) => result === null) ?? of;
    const states = begun.map(({ explorer }) => explorer.progress);
    this.directions.onState(done, now.job, states);
  }

  private finish(each: Begun): ScenarioResult {
    const { job, played, explorer, result } = each;
    if (result !== null) return result;
    const { bounds, isOver, onResult } = this.directions;
    try {
      const subject = subjectOf(job, played.catalogue);
      const explored = explorer.result(played.scenario, subject, isOver);
      each.result = resultOf(job, played, bounds, explored);
    } catch (error) {
      throw blamed(job, error);
    }
    onResult(each.result);
    return each.result;
  }

  /** What has come out by now. */
  end(): readonly ScenarioResult[] {
    return this.begun.map((each) => {
      each.explorer.interrupt();
      return this.finish(each);
    });
  }
}

function broken(job: ExploreJob, reason: string): unknown {
  const { name, policy, protocol, mutation, memory } = job;
  const of = `${name}, ${policy}, ${protocol}, mutation ${mutation}, ${memory}`;
  return blamed(job, new Error(`${of}: ${reason}`));
}
