// What `explore` is asked for, as a list of jobs.

import { BadInput, remedyForName } from "../base/bad-input.ts";
import { LAZY_POLICY_NAMES, type LazyPolicyName } from "../kernel/lazy/policies.ts";
import { MUTATION_NAMES, type MutationName } from "../kernel/mutation.ts";
import { PROTOCOL_NAMES, type ProtocolName, protocols } from "../kernel/shootdown/protocols.ts";
import type { MemoryModel } from "./executor.ts";
import type { Job } from "./job.ts";
import { fits } from "./scenario.ts";
import { SCENARIO_NAMES, scenarioNamed } from "./scenarios.ts";
import { showcaseOf, SHOWCASES } from "./showcases.ts";

export interface Selection {
  readonly scenarios?: readonly string[];
  readonly policy?: string;
  readonly protocol?: string;
  readonly mutation?: string;
  readonly memory?: string;
}

export const MEMORY_MODELS: readonly MemoryModel[] = ["sc", "tso"];
const DEFAULT_PROTOCOL: ProtocolName = "linux-6.18";
/** Kernels that are to be correct in every scenario. */
const CORRECT_POLICIES: readonly LazyPolicyName[] = [
  "refcounted",
  "shoot-lazies",
  "exit-unlazy",
  "hazard-pointer",
];

/**
 * Without a selection: every scenario with the correct kernels, and every mutation in the scenario
 * that shows it. A mutation without a scenario is explored where it shows.
 */
export function plan(selection: Selection): readonly Job[] {
  const { scenarios = [] } = selection;
  const names = scenarios.map((name) => known("SCENARIO", name, SCENARIO_NAMES));
  const policy = readName("--policy", selection.policy, LAZY_POLICY_NAMES);
  const protocol = readName("--protocol", selection.protocol, PROTOCOL_NAMES);
  const mutation = readName("--mutation", selection.mutation, ["none", ...MUTATION_NAMES] as const);
  const memory = readName("--memory", selection.memory, MEMORY_MODELS);
  const chosen = {
    ...(policy !== undefined && { policy }),
    ...(protocol !== undefined && { protocol }),
    ...(memory !== undefined && { memory }),
  };
  if (mutation !== undefined && mutation !== "none") {
    const jobs = mutated(mutation, names).map((job) => ({ ...job, ...chosen }));
    for (const job of jobs) refuseUnfit(job.name, job.protocol);
    return jobs;
  }
  const policies = policy === undefined ? CORRECT_POLICIES : [policy];
  const used = protocols[protocol ?? DEFAULT_PROTOCOL];
  const fitting = SCENARIO_NAMES.filter((name) => fits(scenarioNamed(name), used));
  const correct = (names.length > 0 ? names : fitting).flatMap((name) =>
    policies.map((each) => ({ ...correctJob(name, each), ...chosen })),
  );
  for (const job of correct) refuseUnfit(job.name, job.protocol);
  const isAll = names.length === 0 && mutation === undefined;
  const isChosen = Object.keys(chosen).length > 0;
  return isAll && !isChosen ? [...correct, ...SHOWCASES] : correct;
}

const correctJob = (name: string, policy: LazyPolicyName): Job => ({
  name,
  policy,
  protocol: DEFAULT_PROTOCOL,
  mutation: "none",
  memory: "tso",
});

function mutated(mutation: MutationName, names: readonly string[]): readonly Job[] {
  const showcase = showcaseOf(mutation);
  if (names.length > 0) {
    const base = showcase ?? correctJob("", "refcounted");
    return names.map((name) => ({ ...base, name, mutation }));
  }
  if (showcase !== undefined) return [showcase];
  throw new BadInput("--mutation", mutation, "no scenario shows it: name one");
}

function refuseUnfit(name: string, protocol: ProtocolName): void {
  const scenario = scenarioNamed(name);
  if (fits(scenario, protocols[protocol])) return;
  const fitting = PROTOCOL_NAMES.filter((each) => fits(scenario, protocols[each]));
  throw new BadInput("--protocol", protocol, `${name} needs one of ${fitting.join(", ")}`);
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
