// Whether runs of small configurations end with the verdict that is expected of them.

import { commandFor } from "../../experiment/command.ts";
import type { Configuration, Run } from "../../experiment/configuration.ts";
import { type Family, QUIET_AXES } from "./product.ts";
import { expectedVerdict } from "../../experiment/row.ts";
import { type KernelOption, simulate } from "../../experiment/simulate.ts";

export interface Judgement {
  /** Configurations that were judged, those included that are known to run as another did. */
  readonly passed: number;
  /** The command of each that failed, and what was found. */
  readonly failures: readonly string[];
}

/** What a run should find: what its policy states, unless a test asks for another verdict. */
export type Expectation = typeof expectedVerdict;

/** What was found, and which options the kernel looked at. */
interface Outcome {
  readonly configuration: Configuration;
  readonly looked: ReadonlySet<KernelOption>;
  readonly failure: string | undefined;
}

/** The kernel would look at nothing in which the other configuration differs. */
const runsAs = ({ configuration, looked }: Outcome, other: Configuration): boolean =>
  QUIET_AXES.every((axis) => configuration[axis] === other[axis] || !looked.has(axis));

export async function judge(
  family: Family,
  workload: string,
  seed: number,
  expectedOf: Expectation = expectedVerdict,
): Promise<Judgement> {
  const outcomes: Outcome[] = [];
  const failures: string[] = [];
  for (const configuration of family) {
    const run: Run = { configuration, workload, seed };
    let outcome = outcomes.find((one) => runsAs(one, configuration));
    if (outcome === undefined) outcomes.push((outcome = await outcomeOf(run, expectedOf)));
    if (outcome.failure !== undefined) failures.push(`${commandFor(run)}: ${outcome.failure}`);
  }
  return { passed: family.length - failures.length, failures };
}

async function outcomeOf(run: Run, expectedOf: Expectation): Promise<Outcome> {
  const { configuration } = run;
  const looked = new Set<KernelOption>();
  const failure = await failureOf(run, expectedOf, (name) => looked.add(name));
  return { configuration, looked, failure };
}

async function failureOf(
  run: Run,
  expectedOf: Expectation,
  onOption: (name: KernelOption) => void,
): Promise<string | undefined> {
  try {
    const { violations } = await simulate(run, { onOption });
    const verdict = violations.length > 0 ? "violation" : "ok";
    const expected = expectedOf(run.configuration, run.workload);
    if (verdict === expected) return undefined;
    const [first] = violations;
    const found = first === undefined ? "no violation" : `${first.invariant}, ${first.message}`;
    return `${found}; ${expected} is expected`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
