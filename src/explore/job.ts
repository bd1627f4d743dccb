// One exploration by names, as command lines, files and worker threads speak of it.

import type { Verdict } from "../base/verdict.ts";
import { lazyPolicies, type LazyPolicyName } from "../kernel/lazy/policies.ts";
import type { MutationName } from "../kernel/mutation.ts";
import { protocols, type ProtocolName } from "../kernel/shootdown/protocols.ts";
import type { Counterexample } from "./counterexample.ts";
import type { MemoryModel } from "./executor.ts";
import { type Explored, type ExploreOptions, exploreScenario } from "./explore.ts";
import type { Subject } from "./exploration.ts";
import type { Break, Scenario } from "./scenario.ts";
import { scenarioNamed } from "./scenarios.ts";
import { showcaseOf } from "./showcases.ts";

export interface Job {
  /** The scenario's name. */
  readonly name: string;
  readonly policy: LazyPolicyName;
  readonly protocol: ProtocolName;
  readonly mutation: MutationName | "none";
  readonly memory: MemoryModel;
}

export interface ScenarioResult extends Job {
  readonly executions: number;
  /** Executions given up because another order of the same steps had been seen. */
  readonly redundant: number;
  /** Steps of the longest execution. */
  readonly depth: number;
  /** Everything under the bound on preemptions was explored. */
  readonly complete: boolean;
  /** Null: none. */
  readonly preemptionBound: number | null;
  /** The bound that was hit first. */
  readonly cutBy: Explored["cutBy"];
  /** Null: nobody has said what this mistake does in this scenario. */
  readonly expected: Verdict | null;
  readonly violations: readonly Counterexample[];
}

export interface ExploreResult {
  readonly scenarios: readonly ScenarioResult[];
}

export function subjectOf({ policy, protocol, mutation, memory }: Job): Subject {
  return {
    policy: lazyPolicies[policy],
    protocol: protocols[protocol],
    memory,
    ...(mutation !== "none" && { mutation }),
  };
}

/** Explores one job; `scenario` in place of the one that its name stands for. */
export async function carryOut(
  job: Job,
  options: ExploreOptions,
  scenario: Scenario = scenarioNamed(job.name),
): Promise<ScenarioResult> {
  const explored = await exploreScenario(scenario, subjectOf(job), options);
  const { executions, redundant, depth, complete, cutBy, violations } = explored;
  const expected = expectedOf(job, scenario);
  const { preemptionBound = null } = options;
  const counts = { executions, redundant, depth, complete, preemptionBound, cutBy };
  return { ...job, ...counts, expected, violations };
}

/** What the exploration of a job is to find. */
export function expectedOf(job: Job, { breaks = [] }: Scenario): Verdict | null {
  if (breaks.some((each) => isBroken(job, each))) return "violation";
  if (job.mutation === "none") return "ok";
  const showcase = showcaseOf(job.mutation);
  if (showcase === undefined || !matches(showcase, job)) return null;
  return showcase.memory === "tso" && job.memory === "sc" ? "ok" : "violation";
}

const isBroken = (job: Job, { policy, protocol }: Break): boolean =>
  (policy === undefined || job.policy === policy) &&
  (protocol === undefined || job.protocol === protocol);

const matches = (showcase: Job, { name, policy, protocol }: Job): boolean =>
  showcase.name === name && showcase.policy === policy && showcase.protocol === protocol;

/** Whether the verdict is the expected one; a known mistake that stays unseen in time is not. */
export function isAsExpected({ expected, violations, complete }: ScenarioResult): boolean {
  if (expected === null) return true;
  if (expected === "violation") return violations.length > 0;
  return violations.length === 0 && complete;
}
