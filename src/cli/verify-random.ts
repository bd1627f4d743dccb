#!/usr/bin/env node
// `npm run verify:random`: random programs on the emulated machine, against the reference model and
// against what may be cached. Docs: docs/random-programs.md.

import { Command, Option } from "commander";
import { readCount } from "../experiment/experiment.ts";
import { ENGINES } from "../verify/programs/engines.ts";
import {
  type ProgramFailure,
  type ProgramVerification,
  verifyPrograms,
} from "../verify/programs/verify-programs.ts";
import { fail, failCheck } from "./failure.ts";
import { jsonOption, seedOption } from "./options.ts";
import { print, toJson } from "./output.ts";
import { progressBar } from "./progress.ts";

const DEFAULT_SEED = 1;
const DEFAULT_CASES = 1_000_000;
const MAX_CASES = 1_000_000_000;
const CASES_PER_UPDATE = 1000;

interface Options {
  readonly json?: true;
  readonly seed?: number;
  readonly cases?: number;
}

function verifyRandom({ seed = DEFAULT_SEED, cases = DEFAULT_CASES, json }: Options): void {
  const progress = progressBar();
  const onCase = (done: number): void => {
    if (done % CASES_PER_UPDATE === 0) progress.update({ done, total: cases });
  };
  const verification = verifyPrograms({ engines: ENGINES, seed, cases, onCase });
  progress.stop();
  if (verification.failed > 0) failCheck();
  print(json ? toJson({ seed, ...verification }) : formatVerification(seed, verification));
}

function formatVerification(seed: number, result: ProgramVerification): string {
  const { cases, failed, failures } = result;
  const lines = [`${cases} cases from seed ${seed}, ${failed} failed`, ...failures.flatMap(format)];
  return lines.map((line) => `${line}\n`).join("");
}

const format = (failure: ProgramFailure): readonly string[] => [
  "",
  `${failure.judgement} judgement, ${failure.engine}, at ${describePlace(failure.place)}:`,
  `  expected ${failure.expected}`,
  `  emulated ${failure.actual}`,
  ...failure.program.map((line) => `  ${line}`),
  `  again: npm run verify:random -- --seed ${failure.seed} --cases 1`,
];

function describePlace(place: ProgramFailure["place"]): string {
  if (place === "load") return "the load of CR3";
  return place === "end" ? "the end" : `step ${place}`;
}

const program = new Command("verify-random")
  .description("random programs: tables, control registers and accesses")
  .addOption(seedOption())
  .addOption(
    new Option("--cases <N>", `random programs (default: ${DEFAULT_CASES})`).argParser((text) =>
      readCount(text, "--cases", MAX_CASES),
    ),
  )
  .addOption(jsonOption())
  .action(verifyRandom);

program.exitOverride().configureOutput({ writeErr: () => undefined });
try {
  program.parse();
} catch (error) {
  fail(error);
}
