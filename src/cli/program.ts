// All commands that there are.

import { Command } from "commander";
import { BadInput, remedyForName } from "../base/bad-input.ts";
import { exploreCommand } from "./explore.ts";
import { perfCommand } from "./perf.ts";
import { presetsCommand } from "./presets.ts";
import { replayCommand } from "./replay.ts";
import { runCommand } from "./run.ts";
import { verifyCommand } from "./verify.ts";
import { walkCommand } from "./walk.ts";

export function program(): Command {
  const commands = [
    runCommand(),
    replayCommand(),
    verifyCommand(),
    exploreCommand(),
    walkCommand(),
    presetsCommand(),
    perfCommand(),
  ];
  const names = commands.map((command) => command.name());
  const root = new Command("shootdown")
    .description("What TLB coherence costs under a configuration, and whether it is correct.")
    .argument("[command]")
    .helpCommand(false)
    .usage("COMMAND [options]")
    .action((name: string | undefined) => {
      const remedy = name === undefined ? `one of ${names.join(", ")}` : remedyForName(name, names);
      throw new BadInput("command", name, remedy);
    });
  for (const command of commands) root.addCommand(quietly(command));
  return quietly(root).allowExcessArguments().allowUnknownOption();
}

/** The command throws its errors and prints none. */
function quietly(command: Command): Command {
  return command.exitOverride().configureOutput({ writeErr: () => {} });
}
