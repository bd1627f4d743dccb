// Options that several commands share, read where they are given.

import { Option, type Command } from "commander";
import { AXES, AXIS_NAMES } from "../experiment/axes.ts";
import { MAX_SEEDS, readCount, readSeed } from "../experiment/experiment.ts";
import { parseSetting, readSetting, type Setting } from "../experiment/settings.ts";
import { MAX_WORKERS } from "../experiment/workers.ts";
import { MUTATION_NAMES, mutations } from "../kernel/operation/mutation.ts";
import { checkOutputFile, type OutputOptions } from "./output.ts";

export interface RunOptions extends OutputOptions {
  readonly seed?: number;
  readonly seeds?: number;
  readonly set?: readonly Setting[];
  readonly mutation?: readonly Setting[];
  readonly checks: boolean;
  readonly workers?: number;
}

export const jsonOption = (): Option => new Option("--json", "one JSON document on stdout");

const seed = (text: string): Option =>
  new Option("--seed <N>", text).argParser((value) => readSeed(value, "--seed"));

export const seedOption = (): Option => seed("first seed (default: 1)");

/** For commands that draw nothing: a script may give the option to every command. */
export const idleSeedOption = (): Option => seed("accepted by every command; without effect here");

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
    const { summary, accepts: all } = AXES[axis];
    const accepts = axis === "mutation" ? "none, or one of those below" : all;
    return `  ${axis.padEnd(14)} ${summary}\n  ${"".padEnd(14)} ${accepts}`;
  }).join("\n");
}
