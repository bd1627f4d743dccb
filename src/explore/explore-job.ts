// One exploration by names, as command lines, files and worker threads speak of it.

import { BadInput, readName } from "../base/bad-input.ts";
import type { Verdict } from "../base/verdict.ts";
import { lazyPolicies, type LazyPolicyName } from "../kernel/lazy/policies.ts";
import type { MutationName } from "../kernel/operation/mutation.ts";
import { protocols, type ProtocolName } from "../kernel/shootdown/protocols.ts";
import type { Counterexample } from "./counterexample.ts";
import type { MemoryModel } from "./execution/executor.ts";
import {
  type ExploreBounds,
  type Explored,
  type ExploreOptions,
  exploreScenario,
} from "./search/explorer.ts";
import type { Subject } from "./execution/scenario-system.ts";
import type { Break } from "./scenarios/breaks.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import { inOneLine, loadScenarios } from "./scenarios/scenario-file.ts";
import { scenarioNamed } from "./scenarios/scenarios.ts";
import { showcaseOf } from "./scenarios/mutation-scenarios.ts";

export interface Job {
  /** The scenario's name. */
  readonly name: string;
  /** The file that it is from, as it was given; none: the scenario is one of the package. */
  readonly file?: string;
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
  /** Executions until a check failed; null: none did. Some more look for a shorter schedule. */
  readonly foundAfter: number | null;
  /** Everything under the bound on preemptions was explored. */
  readonly complete: boolean;
  /** Null: none. */
  readonly preemptionBound: number | null;
  /** The bound that was hit first. */
  readonly cutBy: Explored["cutBy"];
  /** Null: nobody has said what this mistake does in this scenario. */
  readonly expected: Verdict | null;
  /** What makes a kernel without a mistake fail here, where it is known to; else null. */
  readonly reason: string | null;
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
  scenario?: Scenario,
): Promise<ScenarioResult> {
  const played = scenario ?? (await scenarioOf(job));
  const subject = subjectOf(job);
  const explored = await sayingWhere(job, () => exploreScenario(played, subject, options));
  return resultOf(job, played, options, explored);
}

export function resultOf(
  job: Job,
  scenario: Scenario,
  { preemptionBound }: ExploreBounds,
  { violations, cutBy, ...counts }: Explored,
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

/** The scenario that a job names. */
export async function scenarioOf({ name, file }: Job): Promise<Scenario> {
  if (file === undefined) return scenarioNamed(name);
  const scenarios = await loadScenarios(file);
  const names = scenarios.map((each) => each.name);
  return scenarios[names.indexOf(readName(file, name, names))]!;
}

export async function sayingWhere<T>(job: Job, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw blamed(job, error);
  }
}

/** What goes wrong in a scenario from a file is, as far as can be told, the file's fault. */
export function blamed({ name, file }: Job, error: unknown): unknown {
  if (file === undefined || error instanceof BadInput) return error;
  return new BadInput(file, name, `its code fails: ${inOneLine(error)}`);
}

/** What the exploration of a job is to find. */
export function expectedOf(job: Job, scenario: Scenario): Verdict | null {
  if (breakOf(job, scenario) !== undefined) return "violation";
  if (job.mutation === "none") return "ok";
  const showcase = showcaseOf(job.mutation);
  if (showcase === undefined || !matches(showcase, job)) return null;
  return showcase.memory === "tso" && job.memory === "sc" ? "ok" : "violation";
}

/** What is known to break the kernel of the job, whatever mistake it makes beside. */
const breakOf = ({ policy, protocol }: Job, { breaks = [] }: Scenario): Break | undefined =>
  breaks.find((each) => {
    const isMeant = each.policies?.includes(policy) !== false;
    return isMeant && each.protocols?.includes(protocol) !== false;
  });

const matches = (showcase: Job, { name, policy, protocol }: Job): boolean =>
  showcase.name === name && showcase.policy === policy && showcase.protocol === protocol;

/** Whether the verdict is the expected one; a known mistake that stays unseen in time is not. */
export function isAsExpected({ expected, violations, complete }: ScenarioResult): boolean {
  if (expected === null) return true;
  if (expected === "violation") return violations.length > 0;
  return violations.length === 0 && complete;
}
