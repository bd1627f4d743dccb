// `shootdown replay TRACE...`: recorded traces under several configurations.

import { Command } from "commander";
import { replay } from "../experiment/replay-traces.ts";
import { SAMPLE_TRACES } from "../trace/samples.ts";
import { runAndDeliver } from "./experiment-command.ts";
import { addRunOptions, type RunOptions } from "./options.ts";

export function replayCommand(): Command {
  const samples = Object.keys(SAMPLE_TRACES).join(", ");
  const command = new Command("replay")
    .description("what recorded Linux traces cost under each configuration")
    .argument("<trace...>", `recorded traces, or names of the samples: ${samples}`)
    .action((traces: readonly string[], options: RunOptions) =>
      runAndDeliver((settings) => replay(traces, settings), options),
    );
  return addRunOptions(command);
}
