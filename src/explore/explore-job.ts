// One exploration by names, as command lines, files and worker threads speak of it, and what the
// names stand for.

import { BadInput, remedyForName } from "../base/bad-input.ts";
import { lazyPolicies, type LazyPolicyName } from "../kernel/lazy/policies.ts";
import type { MutationName } from "../kernel/operation/mutation.ts";
import { protocols, type ProtocolName } from "../kernel/shootdown/protocols.ts";
import type { MemoryModel } from "./execution/execution.ts";
import type { Subject } from "./execution/scenario-system.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import { inOneLine, loadScenarios } from "./scenarios/scenario-file.ts";
import { scenarioNamed } from "./scenarios/scenarios.ts";

export interface ExploreJob {
  /** The scenario's name. */
  readonly name: string;
  /** The file that it is from, as it was given; none: the scenario is one of the package. */
  readonly file?: string;
  readonly policy: LazyPolicyName;
  readonly protocol: ProtocolName;
  readonly mutation: MutationName | "none";
  readonly memory: MemoryModel;
}

export function subjectOf({ policy, protocol, mutation, memory }: ExploreJob): Subject {
  return {
    policy: lazyPolicies[policy],
    protocol: protocols[protocol],
    memory,
    ...(mutation !== "none" && { mutation }),
  };
}

/** The scenario that a job names. */
export async function scenarioOf({ name, file }: ExploreJob): Promise<Scenario> {
  if (file === undefined) return scenarioNamed(name);
  const scenarios = await loadScenarios(file);
  const names = scenarios.map((each) => each.name);
  const found = scenarios[names.indexOf(name)];
  if (found === undefined) throw new BadInput(file, name, remedyForName(name, names));
  return found;
}

export async function sayingWhere<T>(job: ExploreJob, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw blamed(job, error);
  }
}

/** What goes wrong in a scenario from a file is, as far as can be told, the file's fault. */
export function blamed({ name, file }: ExploreJob, error: unknown): unknown {
  if (file === undefined || error instanceof BadInput) return error;
  return new BadInput(file, name, `its code fails: ${inOneLine(error)}`);
}
