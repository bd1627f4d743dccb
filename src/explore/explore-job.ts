// One exploration by names, as command lines, files and worker threads speak of it, and what the
// names stand for.

import { readName } from "../base/bad-input.ts";
import type { OwnName } from "../base/own-name.ts";
import { catalogueOf } from "../catalogue/bring-in.ts";
import { BUILT_IN, type Catalogue, entryIn, kernelUnderTest } from "../catalogue/catalogue.ts";
import { blamedOn } from "../catalogue/code-file.ts";
import type { LazyPolicyName } from "../kernel/lazy/policies.ts";
import type { MutationName } from "../kernel/operation/mutation.ts";
import type { ProtocolName } from "../kernel/shootdown/protocols.ts";
import type { MemoryModel } from "./execution/execution.ts";
import type { Subject } from "./execution/scenario-system.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import { loadScenarios } from "./scenarios/scenario-file.ts";
import { scenarioNamed } from "./scenarios/scenarios.ts";

export interface ExploreJob {
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

export function subjectOf(job: ExploreJob, catalogue: Catalogue = BUILT_IN): Subject {
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

export const playedBy = async (job: ExploreJob): Promise<Played> => ({
  scenario: await scenarioOf(job),
  catalogue: await catalogueOf(job.files ?? []),
});

/** The scenario that a job names. */
export async function scenarioOf({ name, file }: ExploreJob): Promise<Scenario> {
  if (file === undefined) return scenarioNamed(name);
  const scenarios = await loadScenarios(file);
  const names = scenarios.map((each) => each.name);
  return scenarios[names.indexOf(readName(file, name, names))]!;
}

export async function sayingWhere<T>(job: ExploreJob, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw blamed(job, error);
  }
}

/** What goes wrong where code from files takes part is, as far as can be told, theirs. */
export const blamed = ({ name, file, files = [] }: ExploreJob, error: unknown): unknown =>
  blamedOn([...new Set([...(file === undefined ? [] : [file]), ...files])], name, error);

/** The exploration that is known to show a mutation; undefined: none is. */
export function jobShowing(mutation: string, catalogue: Catalogue): ExploreJob | undefined {
  const { scenario } = entryIn(catalogue, "mutations", mutation);
  if (scenario === undefined) return undefined;
  const { name, memory, policy = "refcounted", protocol = "linux-6.18" } = scenario;
  return { mutation, name, memory, policy, protocol };
}

/** Every mutation that a scenario shows, in that scenario. */
export const mutationJobs = (catalogue: Catalogue = BUILT_IN): readonly ExploreJob[] =>
  [...catalogue.mutations.keys()].flatMap((name) => jobShowing(name, catalogue) ?? []);
