// A counterexample that was recorded, run again.

import { type Counterexample, stepOf, tell } from "./counterexample.ts";
import { ScenarioSystem } from "./execution/scenario-system.ts";
import { type ExploreJob, playedBy, sayingWhere, subjectOf } from "./explore-job.ts";
import { attempt } from "./search/minimise.ts";
import { planJobs } from "./explore-plan.ts";
import type { Recorded } from "./recorded-counterexample.ts";

export interface ReplayedCounterexample {
  readonly job: ExploreJob;
  readonly recorded: string;
  /** Null: the schedule violates nothing, or something else. */
  readonly counterexample: Counterexample | null;
}

/** Runs a counterexample again that a file holds. */
export async function replayCounterexample(recorded: Recorded): Promise<ReplayedCounterexample> {
  const { name, file, files = [], policy, protocol, mutation, memory, violation } = recorded;
  const kernel = { policy, protocol, mutation, memory };
  const { jobs } = await planJobs({ scenarios: [file ?? name], files, ...kernel }, name);
  const job = jobs[0]!;
  const { scenario, catalogue } = await playedBy(job);
  const { invariant, schedule, shared = [] } = violation;
  const counterexample = await sayingWhere(job, () => {
    const system = new ScenarioSystem(scenario, subjectOf(job, catalogue));
    system.executor.locations.begin(shared);
    const taken = attempt(system, schedule.map(stepOf), invariant);
    return taken === null ? null : tell(system, taken);
  });
  return { job, recorded: invariant, counterexample };
}
