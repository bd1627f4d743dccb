#!/usr/bin/env node
// `npm run verify:kvm` and `verify:qemu`: fresh random cases against an oracle of this host.
// Docs: docs/verify-oracle.md.

import { Command, Option } from "commander";
import { readCount } from "../experiment/experiment.ts";
import { machineEngine } from "../machine/engine.ts";
import { describeMachine } from "../presets/describe.ts";
import { presetNamed } from "../presets/presets.ts";
import { EXCLUSIONS, NORMALISATIONS } from "../verify/oracle/artifacts.ts";
import { buildOracle, checkMeans } from "../verify/oracle/ask.ts";
import { LOOSENINGS, READ_BACK } from "../verify/oracle/loose.ts";
import { ORACLES, type OracleName } from "../verify/oracle/oracles.ts";
import { verifyAgainstOracle, type OracleVerification } from "../verify/oracle/compare-oracle.ts";
import { fail, failCheck } from "./failure.ts";
import { jsonOption, seedOption } from "./options.ts";
import { print, toJson } from "./output.ts";

const DEFAULT_SEED = 1;
const DEFAULT_CASES = 4000;
const MAX_CASES = 1_000_000;

/** The engine that is judged. */
const ENGINE = machineEngine(describeMachine(presetNamed("skylake-sp"), { cores: 1 }));

interface Options {
  readonly json?: true;
  readonly seed?: number;
  readonly cases?: number;
}

async function verifyOracle(name: OracleName, options: Options): Promise<void> {
  const { seed = DEFAULT_SEED, cases = DEFAULT_CASES } = options;
  checkMeans(name);
  const program = buildOracle();
  const run = { oracle: ORACLES[name], program, seed, cases };
  const verification = await verifyAgainstOracle(ENGINE, run);
  // An oracle that gives up on every case has shown nothing.
  if (verification.failed > 0 || verification.passed === 0) failCheck();
  const document = { oracle: name, seed, ...verification };
  print(options.json ? toJson(document) : formatVerification(name, seed, verification));
}

const WHY: ReadonlyMap<string, string> = new Map(
  [...EXCLUSIONS, ...NORMALISATIONS, ...LOOSENINGS, READ_BACK].map(({ name, why }) => [name, why]),
);

function formatVerification(name: string, seed: number, result: OracleVerification): string {
  const { cases, passed, failed, skipped, failures, skippedReasons, putRight } = result;
  const lines = [
    `${cases} cases from seed ${seed} on ${name}: ` +
      `${passed} passed, ${failed} failed, ${skipped} excluded`,
    ...describeCounts("excluded", skippedReasons),
    ...describeCounts("put right", putRight),
    ...failures.map(
      ({ id, operation, expected, actual }) =>
        `failed ${id} at ${describePlace(operation)}: ${name} ${expected}; emulated ${actual}`,
    ),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

function describeCounts(what: string, counts: Readonly<Record<string, number>>): string[] {
  return Object.keys(counts)
    .toSorted()
    .map((name) => `${what} ${counts[name]} ${name}: ${WHY.get(name) ?? "the oracle gave up"}`);
}

const describePlace = (operation: number | "load" | "final"): string =>
  operation === "load"
    ? "the load of CR3"
    : operation === "final"
      ? "the end"
      : `operation ${operation}`;

const casesOption = (): Option =>
  new Option("--cases <N>", `random cases (default: ${DEFAULT_CASES})`).argParser((text) =>
    readCount(text, "--cases", MAX_CASES),
  );

function oracleCommand(name: OracleName, description: string): Command {
  return new Command(name)
    .description(description)
    .addOption(seedOption())
    .addOption(casesOption())
    .addOption(jsonOption())
    .action((options: Options) => verifyOracle(name, options));
}

const program = new Command("verify-oracle")
  .addCommand(oracleCommand("kvm", "random cases on /dev/kvm and on the emulated machine"))
  .addCommand(oracleCommand("tcg", "random cases on QEMU's TCG and on the emulated machine"));

for (const command of [program, ...program.commands]) {
  command.exitOverride().configureOutput({ writeErr: () => undefined });
}
try {
  await program.parseAsync();
} catch (error) {
  fail(error);
}
