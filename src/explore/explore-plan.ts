// What `explore` is asked for, as a list of jobs.

import { BadInput, remedyForName } from "../base/bad-input.ts";
import { LAZY_POLICY_NAMES, type LazyPolicyName } from "../kernel/lazy/policies.ts";
import { MUTATION_NAMES, type MutationName } from "../kernel/operation/mutation.ts";
import { PROTOCOL_NAMES, type ProtocolName, protocols } from "../kernel/shootdown/protocols.ts";
import type { MemoryModel } from "./execution/execution.ts";
import type { ExploreJob } from "./explore-job.ts";
import { fits, type Scenario } from "./scenarios/scenario.ts";
import { isScenarioFile, loadScenarios } from "./scenarios/scenario-file.ts";
import { SCENARIO_NAMES, scenarioNamed, SCENARIOS } from "./scenarios/scenarios.ts";
import { showcaseOf, SHOWCASES } from "./scenarios/mutation-scenarios.ts";

export interface Selection {
  /** Names, and files of scenarios. */
  readonly scenarios?: readonly string[];
  readonly policy?: string;
  readonly protocol?: string;
  readonly mutation?: string;
  readonly memory?: string;
}

type ChosenKernel = Partial<Pick<ExploreJob, "policy" | "protocol" | "memory">>;

export const MEMORY_MODELS: readonly MemoryModel[] = ["sc", "tso"];
const DEFAULT_PROTOCOL: ProtocolName = "linux-6.18";
/** Kernels that are to be correct in every scenario. */
const CORRECT_POLICIES: readonly LazyPolicyName[] = [
  "refcounted",
  "shoot-lazies",
  "exit-unlazy",
  "hazard-pointer",
];
/** All that go with protocols newer than linux-4.8. */
const EVERY_POLICY = LAZY_POLICY_NAMES.filter((name) => name !== "pre-4.15");

/**
 * Without a selection: every scenario with the kernels that are to be correct and those that it is
 * about, and every mutation in the scenario that shows it. A mutation without a scenario is
 * explored where it shows.
 */
export async function planJobs(selection: Selection): Promise<readonly ExploreJob[]> {
  const { scenarios = [] } = selection;
  const named = (await Promise.all(scenarios.map(found))).flat();
  const chosen = readKernel(selection);
  const mutation = readName("--mutation", selection.mutation, ["none", ...MUTATION_NAMES] as const);
  if (mutation !== undefined && mutation !== "none") {
    if (named.length > 0) return named.map((each) => mutatedJob(each, mutation, chosen));
    return [showcase(mutation, chosen)];
  }
  if (named.length > 0) return named.flatMap((each) => correctJobs(each, chosen));
  const correct = SCENARIOS.filter((scenario) => canRun(scenario, chosen)).flatMap((scenario) =>
    correctJobs({ scenario }, chosen),
  );
  const isAll = mutation === undefined && Object.keys(chosen).length === 0;
  return isAll ? [...correct, ...SHOWCASES] : correct;
}

/** A scenario of the package, or one from a file. */
interface Found {
  readonly scenario: Scenario;
  readonly file?: string;
}

/** What a word of the selection stands for: one scenario of the package, or those of a file. */
async function found(word: string): Promise<readonly Found[]> {
  if (isScenarioFile(word)) {
    return (await loadScenarios(word)).map((scenario) => ({ scenario, file: word }));
  }
  return [{ scenario: scenarioNamed(known("SCENARIO", word, SCENARIO_NAMES)) }];
}

/** A scenario under every kernel that it is to be explored with, as far as none is chosen. */
function correctJobs({ scenario, ...from }: Found, chosen: ChosenKernel): readonly ExploreJob[] {
  const { name, everyPolicy = false, protocols: others = [] } = scenario;
  const memory = chosen.memory ?? "tso";
  const policies = everyPolicy ? EVERY_POLICY : CORRECT_POLICIES;
  const under = chosen.protocol === undefined ? [DEFAULT_PROTOCOL, ...others] : [chosen.protocol];
  return under.flatMap((protocol) => {
    refuseUnfit(scenario, protocol);
    return (chosen.policy === undefined ? policies : [chosen.policy]).map((policy) => {
      return { name, ...from, policy, protocol, mutation: "none", memory } as const;
    });
  });
}

/** With the kernel that shows the mistake elsewhere, where one does. */
function mutatedJob(
  { scenario, ...from }: Found,
  mutation: MutationName,
  chosen: ChosenKernel,
): ExploreJob {
  const { policy, protocol, memory } = showcaseOf(mutation) ?? {
    policy: "refcounted",
    protocol: DEFAULT_PROTOCOL,
    memory: "tso",
  };
  const kernel = { policy, protocol, mutation, memory, ...chosen };
  const job: ExploreJob = { name: scenario.name, ...from, ...kernel };
  refuseUnfit(scenario, job.protocol);
  return job;
}

function showcase(mutation: MutationName, chosen: ChosenKernel): ExploreJob {
  const shown = showcaseOf(mutation);
  if (shown !== undefined) {
    return mutatedJob({ scenario: scenarioNamed(shown.name) }, mutation, chosen);
  }
  throw new BadInput("--mutation", mutation, "no scenario shows it: name one");
}

const canRun = (scenario: Scenario, { protocol = DEFAULT_PROTOCOL }: ChosenKernel): boolean =>
  fits(scenario, protocols[protocol]);

function refuseUnfit(scenario: Scenario, protocol: ProtocolName): void {
  if (fits(scenario, protocols[protocol])) return;
  const fitting = PROTOCOL_NAMES.filter((each) => fits(scenario, protocols[each]));
  throw new BadInput("--protocol", protocol, `${scenario.name} needs one of ${fitting.join(", ")}`);
}

function readKernel(selection: Selection): ChosenKernel {
  const policy = readName("--policy", selection.policy, LAZY_POLICY_NAMES);
  const protocol = readName("--protocol", selection.protocol, PROTOCOL_NAMES);
  const memory = readName("--memory", selection.memory, MEMORY_MODELS);
  return {
    ...(policy !== undefined && { policy }),
    ...(protocol !== undefined && { protocol }),
    ...(memory !== undefined && { memory }),
  };
}

function readName<T extends string>(
  path: string,
  value: string | undefined,
  names: readonly T[],
): T | undefined {
  return value === undefined ? undefined : known(path, value, names);
}

function known<T extends string>(path: string, value: string, names: readonly T[]): T {
  const found = names.find((name) => name === value);
  if (found === undefined) throw new BadInput(path, value, remedyForName(value, names));
  return found;
}
