// `shootdown run [EXPERIMENT]`: an experiment to its costs per configuration.

import { Command } from "commander";
import { BUILT_IN_NAMES } from "../experiment/builtin.ts";
import { runExperiment } from "../experiment/run-experiment.ts";
import { runAndDeliver } from "./experiment-command.ts";
import { addRunOptions, type RunOptions } from "./options.ts";

export function runCommand(): Command {
  const command = new Command("run")
    .description("what an experiment costs per configuration, and whether each one is correct")
    .argument("[experiment]", `a YAML or JSON file, or one of ${BUILT_IN_NAMES.join(", ")}`)
    .action((experiment: string | undefined, options: RunOptions) =>
      runAndDeliver((settings) => runExperiment(experiment, settings), options),
    );
  return addRunOptions(command);
}
