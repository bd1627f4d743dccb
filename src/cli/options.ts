// Options that several commands share, read where they are given.

import { Option, type Command } from "commander";
import { AXES, AXIS_NAMES } from "../experiment/axes.ts";
import { MAX_SEEDS, readCount, readSeed } from "../experiment/experiment.ts";
import { parseSetting, readSetting, type Setting } from "../experiment/settings.ts";
import { MAX_WORKERS } from "../experiment/workers.ts";
import { MUTATION_NAMES, mutations } from "../kernel/operation/mutation.ts";
import { checkOutputFile } from "./output.ts";

export interface RunOptions {
  readonly json?: true;
  readonly csv?: true;
  readonly seed?: number;
  readonly seeds?: number;
  readonly set?: readonly Setting[];
  readonly mutation?: readonly Setting[];
  readonly checks: boolean;
  readonly workers?: number;
  readonly out?: string;
}

export const jsonOption = (): Option => new Option("--json", "one JSON document on stdout");

export const seedOption = (): Option =>
  new Option("--seed <N>", "first seed (default: 1)").argParser((text) => readSeed(text, "--seed"));

/** The options of commands that run experiments, and the axes below their help. */
export function addRunOptions(command: Command): Command {
  return command
    .addOption(jsonOption().conflicts("csv"))
    .option("--csv", "rows as CSV on stdout")
    .addOption(seedOption())
    .addOption(counted("--seeds", "runs per configuration, each with a seed of its own", MAX_SEEDS))
    .addOption(
      new Option("--set <AXIS=VALUE,...>", "values of one axis (repeatable)").argParser(
        (text: string, before: readonly Setting[] = []) => [...before, parseSetting(text)],
      ),
    )
    .addOption(
      new Option("--mutation <NAME,...>", "known mistakes that the kernel makes").argParser(
        (text: string) => [readSetting("mutation", text, "--mutation")],
      ),
    )
    .option("--no-checks", "run without checkers: no verdict, the same cycles, in less time")
    .addOption(counted("--workers", "worker threads (default: at most 2)", MAX_WORKERS))
    .addOption(
      new Option("--out <FILE>", "also save the rows: .csv, .txt or JSON").argParser(
        checkOutputFile,
      ),
    )
    .addHelpText("after", `\nAxes:\n${describeAxes()}\n\nMutations:\n${describeMutations()}`);
}

function counted(flag: string, text: string, most: number): Option {
  return new Option(`${flag} <N>`, text).argParser((value) => readCount(value, flag, most));
}

const describeMutations = (): string =>
  MUTATION_NAMES.map((name) => `  ${name}\n      ${mutations[name].summary}`).join("\n");

function describeAxes(): string {
  return AXIS_NAMES.map((axis) => {
    const { summary, accepts, defaultText } = AXES[axis];
    const values = axis === "mutation" ? "none, or one of those below" : accepts;
    const indent = `\n  ${"".padEnd(14)} `;
    return `  ${axis.padEnd(14)} ${summary}${indent}${values} (default: ${defaultText})`;
  }).join("\n");
}
