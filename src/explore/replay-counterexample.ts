// Counterexamples from files: what `explore --json` wrote, to be run again.

import { readFileSync } from "node:fs";
import { BadInput } from "../base/bad-input.ts";
import { type Counterexample, type ScheduledStep, stepOf, tell } from "./counterexample.ts";
import { ScenarioSystem } from "./execution/scenario-system.ts";
import { PROCESS_KINDS } from "./execution/processes.ts";
import { type ExploreJob, playedBy, sayingWhere, subjectOf } from "./explore-job.ts";
import { attempt } from "./search/minimise.ts";
import { planJobs } from "./explore-plan.ts";

export interface ReplayedCounterexample {
  readonly job: ExploreJob;
  readonly recorded: string;
  /** Null: the schedule violates nothing, or something else. */
  readonly counterexample: Counterexample | null;
}

/** Runs the first counterexample of a file again. Bad input where there is none. */
export async function replayCounterexample(path: string): Promise<ReplayedCounterexample> {
  const result = firstWithViolation(path);
  const job = await jobOf(result);
  const { scenario, catalogue } = await playedBy(job);
  const { invariant, schedule, shared = [] } = result.violations[0]!;
  const steps = schedule.map((step, index) =>
    stepOf(checkStep(step, `${path}: step ${index + 1}`)),
  );
  const counterexample = await sayingWhere(job, () => {
    const system = new ScenarioSystem(scenario, subjectOf(job, catalogue));
    system.executor.locations.begin(shared);
    const taken = attempt(system, steps, invariant);
    return taken === null ? null : tell(system, taken);
  });
  return { job, recorded: invariant, counterexample };
}

/** The job that a result was of, its names checked. */
async function jobOf(result: Recorded): Promise<ExploreJob> {
  const { name, file, files = [], policy, protocol, mutation, memory } = result;
  const kernel = { policy, protocol, mutation, memory };
  const { jobs } = await planJobs({ scenarios: [file ?? name], files, ...kernel }, name);
  return jobs[0]!;
}

interface Recorded extends Record<"name" | "policy" | "protocol" | "mutation" | "memory", string> {
  readonly file?: string;
  readonly files?: readonly string[];
  readonly violations: readonly {
    readonly invariant: string;
    readonly schedule: readonly ScheduledStep[];
    readonly shared?: readonly string[];
  }[];
}

function firstWithViolation(path: string): Recorded {
  const document = read(path) as { readonly scenarios?: unknown } | null;
  const scenarios = document?.scenarios;
  const remedy = "a document of `shootdown explore --json`";
  if (!Array.isArray(scenarios)) throw new BadInput(path, document, remedy);
  const found = (scenarios as Recorded[]).find(({ violations }) => violations?.length > 0);
  if (found === undefined) throw new BadInput(path, "no violation", "nothing to replay in it");
  if (!Array.isArray(found.violations[0]!.schedule)) throw new BadInput(path, found, remedy);
  return found;
}

function read(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new BadInput("--replay", path, `${code}; give a file that can be read`);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new BadInput("--replay", path, "not JSON; a document of `shootdown explore --json`");
  }
}

function checkStep(step: ScheduledStep, path: string): ScheduledStep {
  const isKnown = Number.isInteger(step?.cpu) && PROCESS_KINDS.includes(step.does);
  if (!isKnown) throw new BadInput(path, step, `cpu, and does: one of ${PROCESS_KINDS.join(", ")}`);
  return step;
}
