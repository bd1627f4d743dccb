// All commands that there are. Only the one that is asked for is loaded: the others would take more
// time than most commands do.

import { Command } from "commander";
import { readName } from "../base/bad-input.ts";
import { fail } from "./failure.ts";

const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import("./run-command.ts")).runCommand(),
  replay: async () => (await import("./replay-command.ts")).replayCommand(),
  verify: async () => (await import("./verify-command.ts")).verifyCommand(),
  explore: async () => (await import("./explore-command.ts")).exploreCommand(),
  walk: async () => (await import("./walk-command.ts")).walkCommand(),
  presets: async () => (await import("./presets-command.ts")).presetsCommand(),
  perf: async () => (await import("./perf-command.ts")).perfCommand(),
};

export const COMMAND_NAMES = Object.keys(COMMANDS);

/**
 * Runs a command: it prints to the process's streams. An exit code is set where it is not 0, and
 * says whether what was asked holds.
 *
 * @param words - The command line, behind the program's name.
 */
export async function runCommandLine(words: readonly string[]): Promise<void> {
  try {
    await (await program(words)).parseAsync(words, { from: "user" });
  } catch (error) {
    fail(error);
  }
}

async function program(words: readonly string[]): Promise<Command> {
  const root = new Command("shootdown")
    .description("What TLB coherence costs under a configuration, and whether it is correct.")
    .argument("[command]")
    .helpCommand(false)
    .usage("COMMAND [options]")
    .action((name: string | undefined) => void readName("command", name, COMMAND_NAMES));
  const asked = COMMAND_NAMES.filter((name) => name === words[0]);
  for (const name of asked.length > 0 ? asked : COMMAND_NAMES) {
    root.addCommand(quietly(await COMMANDS[name]!()));
  }
  return quietly(root).allowExcessArguments().allowUnknownOption();
}

/** The command throws its errors and prints none. */
function quietly(command: Command): Command {
  return command.exitOverride().configureOutput({ writeErr: () => {} });
}
