// One exploration by names, as command lines, files and worker threads speak of it.

import { readName } from "../base/bad-input.ts";
import type { OwnName } from "../base/own-name.ts";
import type { Verdict } from "../base/verdict.ts";
import { catalogueOf } from "../catalogue/bring-in.ts";
import { BUILT_IN, type Catalogue, entryIn, kernelUnderTest } from "../catalogue/catalogue.ts";
import { blamedOn } from "../catalogue/code-file.ts";
import type { LazyPolicyName } from "../kernel/lazy/policies.ts";
import type { MutationName } from "../kernel/operation/mutation.ts";
import type { ProtocolName } from "../kernel/shootdown/protocols.ts";
import type { Counterexample } from "./counterexample.ts";
import type { MemoryModel } from "./execution/executor.ts";
import {
  type ExploreBounds,
  type Explored,
  type ExploreOptions,
  exploreScenario,
} from "./search/explorer.ts";
import type { Subject } from "./execution/scenario-system.ts";
import { type Break, isMeant } from "./scenarios/breaks.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import { loadScenarios } from "./scenarios/scenario-file.ts";
import { scenarioNamed } from "./scenarios/scenarios.ts";

export interface Job {
  /** The scenario's name. */
  readonly name: string;
  /** The file that it is from, as it was given; none: the scenario is one of the package. */
  readonly file?: string;
  readonly policy: LazyPolicyName | OwnName;
  readonly protocol: ProtocolName | OwnName;
  readonly mutation: MutationName | "none" | OwnName;
  readonly memory: MemoryModel;
  /** Files of code from outside that the names above may be from; none unless given. */
  readonly files?: readonly string[];
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
  /** Null: nobody has said what this mutation does in this scenario. */
  readonly expected: Verdict | null;
  /** What makes a kernel without a mutation fail here, where it is known to; else null. */
  readonly reason: string | null;
  readonly violations: readonly Counterexample[];
}

export interface ExploreResult {
  readonly scenarios: readonly ScenarioResult[];
}

export function subjectOf(job: Job, catalogue: Catalogue = BUILT_IN): Subject {
  return {
    ...kernelUnderTest(catalogue, job),
    memory: job.memory,
    ownCheckers: catalogue.checkers,
  };
}

/** What one exploration plays, beside the names of its job. */
export interface Played {
  readonly scenario: Scenario;
  readonly catalogue: Catalogue;
}

export const playedBy = async (job: Job): Promise<Played> => ({
  scenario: await scenarioOf(job),
  catalogue: await catalogueOf(job.files ?? []),
});

/** Explores one job; `played` in place of what its names stand for. */
export async function carryOut(
  job: Job,
  options: ExploreOptions,
  played?: Played,
): Promise<ScenarioResult> {
  const what = played ?? (await playedBy(job));
  const subject = subjectOf(job, what.catalogue);
  const explored = await sayingWhere(job, () => exploreScenario(what.scenario, subject, options));
  return resultOf(job, what, options, explored);
}

export function resultOf(
  job: Job,
  played: Played,
  { preemptionBound }: ExploreBounds,
  { violations, cutBy, ...counts }: Explored,
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

/** What goes wrong where code from files takes part is, as far as can be told, theirs. */
export const blamed = ({ name, file, files = [] }: Job, error: unknown): unknown =>
  blamedOn([...new Set([...(file === undefined ? [] : [file]), ...files])], name, error);

/** The exploration that is known to show a mutation; undefined: none is. */
export function jobShowing(mutation: string, catalogue: Catalogue): Job | undefined {
  const { scenario } = entryIn(catalogue, "mutations", mutation);
  if (scenario === undefined) return undefined;
  const { name, memory, policy = "refcounted", protocol = "linux-6.18" } = scenario;
  return { mutation, name, memory, policy, protocol };
}

/** Every mutation that a scenario shows, in that scenario. */
export const mutationJobs = (catalogue: Catalogue = BUILT_IN): readonly Job[] =>
  [...catalogue.mutations.keys()].flatMap((name) => jobShowing(name, catalogue) ?? []);

/** What the exploration of a job is to find. */
export function expectedOf(job: Job, played: Played): Verdict | null {
  if (breakOf(job, played) !== undefined) return "violation";
  if (job.mutation === "none") return "ok";
  const showing = jobShowing(job.mutation, played.catalogue);
  if (showing === undefined || !matches(showing, job)) return null;
  return showing.memory === "tso" && job.memory === "sc" ? "ok" : "violation";
}

/** What is known to break the kernel of the job, whatever mutation is in it. */
function breakOf(job: Job, { scenario, catalogue }: Played): Break | undefined {
  const policy = entryIn(catalogue, "policies", job.policy);
  const protocol = entryIn(catalogue, "protocols", job.protocol);
  return scenario.breaks?.find((each) => isMeant(each, policy, protocol));
}

const matches = (showing: Job, { name, policy, protocol }: Job): boolean =>
  showing.name === name && showing.policy === policy && showing.protocol === protocol;

/** Whether the verdict is the expected one; a mutation that stays unseen in time is not. */
export function isAsExpected({ expected, violations, complete }: ScenarioResult): boolean {
  if (expected === null) return true;
  if (expected === "violation") return violations.length > 0;
  return violations.length === 0 && complete;
}
