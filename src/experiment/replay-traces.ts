// Recorded Linux traces, replayed under several configurations and compared in rows.

import type { ExperimentDefinition } from "./experiment.ts";
import type { ExperimentResult } from "./result.ts";
import { runExperiment, type ExperimentOptions } from "./run-experiment.ts";
import type { AxisValues } from "./settings.ts";

/** Six configurations: PCID on and off, under the policies that treat an idle core differently. */
const REPLAY_AXES: AxisValues = {
  pcid: [true, false],
  lazyTlb: ["refcounted", "exit-unlazy", "eager"],
};

/** Replays each trace (a path, or the name of a sample) under each configuration. */
export async function replay(
  traces: string | readonly string[],
  options: ExperimentOptions = {},
): Promise<ExperimentResult> {
  const definition: ExperimentDefinition = {
    name: "replay",
    title: "Recorded traces under each configuration",
    traces: typeof traces === "string" ? [traces] : traces,
    axes: REPLAY_AXES,
  };
  return runExperiment(definition, options);
}
