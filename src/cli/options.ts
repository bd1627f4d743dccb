// Options that several commands share, read where they are given.

import { Option, type Command } from "commander";
import { AXES, AXIS_NAMES } from "../experiment/axes.ts";
import { MAX_SEEDS, readCount, readSeed } from "../experiment/experiment.ts";
import { BUILT_IN } from "../catalogue/catalogue.ts";
import { MUTATIONS } from "../catalogue/mutations.ts";
import type { ConfigurationAxis } from "../experiment/configuration.ts";
import { type AskedSetting, askedSetting, askedValues } from "../experiment/settings.ts";
import { MAX_WORKERS } from "../experiment/workers.ts";
import { type OutputOptions, rowFile } from "./output.ts";

export interface RunOptions extends OutputOptions {
  readonly seed?: number;
  readonly seeds?: number;
  readonly set?: readonly AskedSetting[];
  readonly protocol?: AskedSetting;
  readonly policy?: AskedSetting;
  readonly mutation?: AskedSetting;
  readonly checker?: readonly string[];
  readonly code?: readonly string[];
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
        (text: string, before: readonly AskedSetting[] = []) => [...before, askedSetting(text)],
      ),
    )
    .addOption(
      onAxis("--protocol", "protocol", "shootdown protocols: names, or files of one's own"),
    )
    .addOption(onAxis("--policy", "lazyTlb", "lazy-TLB policies, the same"))
    .addOption(onAxis("--mutation", "mutation", "ways in which the kernel is wrong, the same"))
    .addOption(fileOption("--checker", "a checker of one's own, which watches too (repeatable)"))
    .addOption(fileOption("--code", "a file whose names may be used (repeatable)"))
    .option("--no-checks", "run without checkers: no verdict, the same cycles, in less time")
    .addOption(counted("--workers", "worker threads (default: at most 2)", MAX_WORKERS))
    .addOption(
      new Option("--out <FILE>", "also save the rows: .csv, .txt or .json").argParser(rowFile),
    )
    .addHelpText("after", `\nAxes:\n${describeAxes()}\n\nMutations:\n${describeMutations()}`);
}

/** A setting of one axis under a name of its own. */
const onAxis = (flag: string, axis: ConfigurationAxis, text: string): Option =>
  new Option(`${flag} <NAME,...>`, text).argParser((words: string) =>
    askedValues(axis, words, flag),
  );

/** Files of code from outside; given again, one more. */
export const fileOption = (flag: string, text: string): Option =>
  new Option(`${flag} <FILE>`, text).argParser((file: string, before: readonly string[] = []) => [
    ...before,
    file,
  ]);

function counted(flag: string, text: string, most: number): Option {
  return new Option(`${flag} <N>`, text).argParser((value) => readCount(value, flag, most));
}

const describeMutations = (): string =>
  MUTATIONS.map(({ name, summary }) => `  ${name}\n      ${summary}`).join("\n");

function describeAxes(): string {
  return AXIS_NAMES.map((axis) => {
    const { summary, defaultText } = AXES[axis];
    const values =
      axis === "mutation" ? "none, or one of those below" : AXES[axis].accepts(BUILT_IN);
    const indent = `\n  ${"".padEnd(14)} `;
    return `  ${axis.padEnd(14)} ${summary}${indent}${values} (default: ${defaultText})`;
  }).join("\n");
}
