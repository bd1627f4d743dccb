// What the exploration of a job finds, what it must find, and whether that is the same.

import type { Verdict } from "../base/verdict.ts";
import { entryIn } from "../catalogue/catalogue.ts";
import { CODE_FILES } from "../catalogue/code-file.ts";
import type { Counterexample } from "./counterexample.ts";
import {
  afreshBy,
  checkJob,
  type ExploreJob,
  jobShowing,
  type Play,
  type Played,
  playedBy,
  sayingWhere,
  subjectOf,
} from "./explore-job.ts";
import { type Break, isMeant } from "./scenarios/breaks.ts";
import type { ExploreBounds } from "./search/bounds.ts";
import { type ExploreOutcome, type ExplorerOptions, exploreScenario } from "./search/explorer.ts";

export interface ScenarioResult extends ExploreJob {
  readonly executions: number;
  /** Executions given up because another order of the same steps had been seen. */
  readonly redundant: number;
  /** Steps of the longest execution. */
  readonly depth: number;
  /** Executions until a check failed; null: none did. Some more look for a shorter schedule. */
  readonly foundAfter: number | null;
  /** Everything under the bound on preemptions was explored. */
  readonly complete: boolean;
  /** Null: none. */
  readonly preemptionBound: number | null;
  /** The bound that was hit first. */
  readonly cutBy: ExploreOutcome["cutBy"];
  /** Null: nobody has said what this mutation does in this scenario. */
  readonly expected: Verdict | null;
  /** What makes a kernel without a mutation fail here, where it is known to; else null. */
  readonly reason: string | null;
  readonly violations: readonly Counterexample[];
}

export interface ExploreResult {
  readonly scenarios: readonly ScenarioResult[];
}

/** Explores one job; `play` in place of what its names stand for elsewhere. */
export async function exploreJob(
  job: ExploreJob,
  options: ExplorerOptions,
  play: Play = (code) => playedBy(job, code),
): Promise<ScenarioResult> {
  checkJob(job);
  const played = await play(CODE_FILES);
  const subject = subjectOf(job, played.catalogue);
  const explored = await sayingWhere(job, () =>
    exploreScenario(played.scenario, subject, options, afreshBy(job, play)),
  );
  return resultOf(job, played, options, explored);
}

export function resultOf(
  job: ExploreJob,
  played: Played,
  { preemptionBound }: ExploreBounds,
  { violations, cutBy, ...counts }: ExploreOutcome,
): ScenarioResult {
  const expected = expectedOf(job, played);
  return {
    ...job,
    ...counts,
    preemptionBound: preemptionBound ?? null,
    cutBy,
    expected,
    reason: breakOf(job, played)?.reason ?? null,
    violations,
  };
}

/** What the exploration of a job must find; null: nobody has said. */
export function expectedOf(job: ExploreJob, played: Played): Verdict | null {
  if (breakOf(job, played) !== undefined) return "violation";
  if (job.mutation === "none") return "ok";
  const showing = jobShowing(job.mutation, played.catalogue);
  if (showing === undefined || !matches(showing, job)) return null;
  return showing.memory === "tso" && job.memory === "sc" ? "ok" : "violation";
}

/** What is known to break the kernel of the job, whatever mutation is in it. */
function breakOf(job: ExploreJob, { scenario, catalogue }: Played): Break | undefined {
  const policy = entryIn(catalogue, "policies", job.policy);
  const protocol = entryIn(catalogue, "protocols", job.protocol);
  return scenario.breaks?.find((each) => isMeant(each, policy, protocol));
}

const matches = (showing: ExploreJob, { name, policy, protocol }: ExploreJob): boolean =>
  showing.name === name && showing.policy === policy && showing.protocol === protocol;

/** Whether the verdict is the expected one; a mutation that stays unseen in time is not. */
export function isAsExpected({ expected, violations, complete }: ScenarioResult): boolean {
  if (expected === null) return true;
  if (expected === "violation") return violations.length > 0;
  return violations.length === 0 && complete;
}
