// What the exploration of a job finds, what it must find, and whether that is the same.

import type { Verdict } from "../base/verdict.ts";
import type { Counterexample } from "./counterexample.ts";
import { type ExploreJob, sayingWhere, scenarioOf, subjectOf } from "./explore-job.ts";
import type { Break } from "./scenarios/breaks.ts";
import { showcaseOf } from "./scenarios/mutation-scenarios.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import {
  type ExploreBounds,
  type ExploreOutcome,
  type ExplorerOptions,
  exploreScenario,
} from "./search/explorer.ts";

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
  /** Null: nobody has said what this mistake does in this scenario. */
  readonly expected: Verdict | null;
  /** What makes a kernel without a mistake fail here, where it is known to; else null. */
  readonly reason: string | null;
  readonly violations: readonly Counterexample[];
}

export interface ExploreResult {
  readonly scenarios: readonly ScenarioResult[];
}

/** Explores one job; `scenario` in place of the one that its name stands for. */
export async function exploreJob(
  job: ExploreJob,
  options: ExplorerOptions,
  scenario?: Scenario,
): Promise<ScenarioResult> {
  const played = scenario ?? (await scenarioOf(job));
  const subject = subjectOf(job);
  const explored = await sayingWhere(job, () => exploreScenario(played, subject, options));
  return resultOf(job, played, options, explored);
}

export function resultOf(
  job: ExploreJob,
  scenario: Scenario,
  { preemptionBound }: ExploreBounds,
  { violations, cutBy, ...counts }: ExploreOutcome,
): ScenarioResult {
  const expected = expectedOf(job, scenario);
  return {
    ...job,
    ...counts,
    preemptionBound: preemptionBound ?? null,
    cutBy,
    expected,
    reason: breakOf(job, scenario)?.reason ?? null,
    violations,
  };
}

/** What the exploration of a job is to find. */
export function expectedOf(job: ExploreJob, scenario: Scenario): Verdict | null {
  if (breakOf(job, scenario) !== undefined) return "violation";
  if (job.mutation === "none") return "ok";
  const showcase = showcaseOf(job.mutation);
  if (showcase === undefined || !matches(showcase, job)) return null;
  return showcase.memory === "tso" && job.memory === "sc" ? "ok" : "violation";
}

/** What is known to break the kernel of the job, whatever mistake it makes beside. */
const breakOf = ({ policy, protocol }: ExploreJob, { breaks = [] }: Scenario): Break | undefined =>
  breaks.find((each) => {
    const isMeant = each.policies?.includes(policy) !== false;
    return isMeant && each.protocols?.includes(protocol) !== false;
  });

const matches = (showcase: ExploreJob, { name, policy, protocol }: ExploreJob): boolean =>
  showcase.name === name && showcase.policy === policy && showcase.protocol === protocol;

/** Whether the verdict is the expected one; a known mistake that stays unseen in time is not. */
export function isAsExpected({ expected, violations, complete }: ScenarioResult): boolean {
  if (expected === null) return true;
  if (expected === "violation") return violations.length > 0;
  return violations.length === 0 && complete;
}
