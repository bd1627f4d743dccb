// `shootdown run [EXPERIMENT]`: an experiment to its costs per configuration.

import { Command, Option } from "commander";
import { BUILT_IN_NAMES } from "../experiment/builtin.ts";
import type { ExperimentDefinition } from "../experiment/experiment.ts";
import { type ExperimentOptions, runExperiment } from "../experiment/run-experiment.ts";
import { runAndDeliver } from "./experiment-command.ts";
import { addRunOptions, type RunOptions } from "./options.ts";

interface Options extends RunOptions {
  readonly workload?: readonly string[];
}

export function runCommand(): Command {
  const command = new Command("run")
    .description("what an experiment costs per configuration, and whether each one is correct")
    .argument("[experiment]", `a YAML or JSON file, or one of ${BUILT_IN_NAMES.join(", ")}`)
    .addOption(
      new Option("--workload <NAME,...>", "workloads: names, or files of one's own").argParser(
        (words: string) => words.split(",").map((word) => word.trim()),
      ),
    )
    .action((experiment: string | undefined, { workload, ...options }: Options) =>
      runAndDeliver((settings) => run(experiment, workload, settings), options),
    );
  return addRunOptions(command);
}

/** How many cores workloads run on that come without an experiment. */
const CORES = [2, 28];

/** The experiment with the workloads that were asked for in place of its own, or these alone. */
function run(
  experiment: string | undefined,
  workloads: readonly string[] | undefined,
  options: ExperimentOptions,
) {
  if (workloads === undefined) return runExperiment(experiment, options);
  if (experiment !== undefined) return runExperiment(experiment, { ...options, workloads });
  const alone: ExperimentDefinition = { name: workloads.join(","), workloads };
  return runExperiment({ ...alone, axes: { cores: CORES } }, options);
}
