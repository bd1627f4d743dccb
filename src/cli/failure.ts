// What ends a command early: bad input in one line and exit code 2, anything else with its reason.

import { CommanderError } from "commander";
import { BadInput } from "../base/bad-input.ts";
import { printable } from "../base/printable.ts";
import { IncompleteExperiment } from "../experiment/incomplete.ts";

const CHECK_FAILED = 1;
const BAD_INPUT = 2;

/** Says on stderr why the command ends, and sets the exit code. */
export function fail(error: unknown): void {
  if (error instanceof CommanderError) {
    if (error.exitCode !== 0) say(lineOf(error), BAD_INPUT);
  } else if (error instanceof BadInput) {
    say(error.message, BAD_INPUT);
  } else if (error instanceof IncompleteExperiment) {
    const { cause, made, asked } = error;
    if (cause instanceof BadInput) return say(cause.message, BAD_INPUT);
    const stack = cause?.cause instanceof Error ? cause.cause.stack : undefined;
    say(made === 0 && asked === 1 ? cause!.message : error.message, CHECK_FAILED, stack);
  } else {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    say(message, CHECK_FAILED, stack);
  }
}

/** The exit code of a command whose check did not hold. */
export function failCheck(): void {
  process.exitCode = CHECK_FAILED;
}

function say(message: string, exitCode: number, detail?: string): void {
  const line = printable(message).replaceAll(/\s*\n\s*/g, " ");
  process.stderr.write(
    `shootdown: ${line}\n${detail === undefined ? "" : `${printable(detail)}\n`}`,
  );
  process.exitCode = exitCode;
}

/** Commander's "error: unknown option '--sed'\n(Did you mean --seed?)" as path, value, remedy. */
function lineOf({ code, message }: CommanderError): string {
  const text = message.replace(/^error: /, "");
  const name = /'([^']*)'/.exec(text)?.[1] ?? "arguments";
  const path = name.split(" ")[0]!.replace(/,$/, "");
  const hint = /\((Did you mean [^)]*)\)/.exec(text)?.[1]?.replace("Did", "did");
  if (code === "commander.unknownOption") {
    return `${path}: unknown option: ${hint ?? "see --help"}`;
  }
  if (code === "commander.optionMissingArgument") return `${path}: missing: give it a value`;
  if (code === "commander.missingArgument") return `${path}: missing: see --help`;
  if (code === "commander.excessArguments") return `arguments: too many: see --help`;
  return `${path}: ${text.replace(/\.$/, "")}: see --help`;
}
