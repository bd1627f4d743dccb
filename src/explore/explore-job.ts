// One exploration by names, as command lines, files and worker threads speak of it, and what the
// names stand for.

import { BadInput, readName, refuseUnknownKeys } from "../base/bad-input.ts";
import type { OwnName } from "../base/own-name.ts";
import { catalogueOf } from "../catalogue/bring-in.ts";
import { BUILT_IN, type Catalogue, entryIn, kernelUnderTest } from "../catalogue/catalogue.ts";
import { blamedOn, CODE_FILES, CodeFiles } from "../catalogue/code-file.ts";
import type { LazyPolicyName } from "../kernel/lazy/policies.ts";
import type { MutationName } from "../kernel/operation/mutation.ts";
import type { ProtocolName } from "../kernel/shootdown/protocols.ts";
import type { Afresh } from "./control.ts";
import type { MemoryModel } from "./execution/execution.ts";
import { ScenarioSystem, type Subject } from "./execution/scenario-system.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import { loadScenarios } from "./scenarios/scenario-file.ts";
import { SCENARIO_NAMES, scenarioNamed } from "./scenarios/scenarios.ts";
import type { ExploreBounds } from "./search/bounds.ts";

export const MEMORY_MODELS: readonly MemoryModel[] = ["sc", "tso"];

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

const JOB_NAMES = Object.keys({
  name: true,
  file: true,
  policy: true,
  protocol: true,
  mutation: true,
  memory: true,
  files: true,
} satisfies Record<keyof ExploreJob, true>);

/** Bad input where a job is none; what its other names stand for is looked up by them. */
export function checkJob(job: ExploreJob): void {
  refuseUnknownKeys(job, JOB_NAMES, "job");
  readName("job.memory", job.memory, MEMORY_MODELS);
}

export function subjectOf(job: ExploreJob, catalogue: Catalogue = BUILT_IN): Subject {
  return {
    ...kernelUnderTest(catalogue, job),
    memory: job.memory,
    ownCheckers: catalogue.checkers,
    codeFrom: isOfPackage(job, catalogue) ? "package" : "outside",
  };
}

const isOfPackage = ({ name, file }: ExploreJob, catalogue: Catalogue): boolean =>
  catalogue === BUILT_IN && file === undefined && SCENARIO_NAMES.includes(name);

/** The same exploration, of files that are loaded anew for each. */
export const afreshBy =
  (job: ExploreJob, play: Play): Afresh =>
  async () => {
    const { scenario, catalogue } = await play(new CodeFiles("afresh"));
    return new ScenarioSystem(scenario, subjectOf(job, catalogue));
  };

/**
 * Where an exploration of a scenario from a file ends unless a bound was given: nobody knows how
 * large the scenario is. Two threads that discard one page take most of it.
 */
export const FILE_EXECUTIONS = 200_000;

/** The bounds of one job. */
export function boundsOf({ file }: ExploreJob, bounds: ExploreBounds): ExploreBounds {
  const { maxExecutions, seconds } = bounds;
  const isBounded = maxExecutions !== undefined || seconds !== undefined;
  return file === undefined || isBounded ? bounds : { ...bounds, maxExecutions: FILE_EXECUTIONS };
}

/** What one exploration plays, beside the names of its job. */
export interface Played {
  readonly scenario: Scenario;
  readonly catalogue: Catalogue;
}

/** Looks up what the names of a job stand for, with files as they are loaded there. */
export type Play = (code: CodeFiles) => Promise<Played>;

export const playedBy = async (job: ExploreJob, code: CodeFiles = CODE_FILES): Promise<Played> => ({
  scenario: await scenarioOf(job, code),
  catalogue: await catalogueOf(job.files ?? [], code),
});

/** The scenario that a job names. */
export async function scenarioOf(
  { name, file }: ExploreJob,
  code: CodeFiles = CODE_FILES,
): Promise<Scenario> {
  if (file === undefined) return scenarioNamed(readName("SCENARIO", name, SCENARIO_NAMES));
  const scenarios = await loadScenarios(file, code);
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
export function blamed({ name, file, files = [] }: ExploreJob, error: unknown): unknown {
  const all = [...new Set([...(file === undefined ? [] : [file]), ...files])];
  const isOfScenario = error instanceof BadInput && error.path.startsWith(name);
  if (!isOfScenario || all.length === 0) return blamedOn(all, name, error);
  return new BadInput(`${all.join(", ")}: ${error.path}`, error.value, error.remedy);
}

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
