#!/usr/bin/env node
// `npm run verify:matrix`: the whole product of protocols, lazy policies, features, CPUs and
// workloads, at small size. Docs: docs/testing.md.

import { Command, Option } from "commander";
import { BadInput } from "../base/bad-input.ts";
import { readCount } from "../experiment/experiment.ts";
import type { Judgement } from "../verify/matrix/judge.ts";
import { everyLot, judgeCover, judgeKernels, judgeLots } from "../verify/matrix/lots.ts";
import { defaultWorkers, MAX_WORKERS } from "../experiment/workers.ts";
import { fail, failCheck } from "./failure.ts";
import { jsonOption, seedOption } from "./options.ts";
import { print, toJson } from "./output.ts";

const DEFAULT_SEED = 1;
const MAX_LOTS = 1_000_000;

interface Options {
  readonly json?: true;
  readonly seed?: number;
  readonly workers?: number;
  readonly from?: number;
  readonly lots?: number;
  readonly cover?: true;
  readonly kernels?: true;
}

async function verifyMatrix(options: Options): Promise<void> {
  const { seed = DEFAULT_SEED, json } = options;
  const judgement = await judgementOf(seed, options);
  const { passed, failures } = judgement;
  if (failures.length > 0) failCheck();
  const counts = { seed, passed, failed: failures.length, failures };
  print(json ? toJson(counts) : `${passed} passed, ${failures.length} failed\n`);
}

function judgementOf(seed: number, options: Options): Promise<Judgement> {
  if (options.cover) {
    refuse(options, ["workers", "from", "lots", "kernels"], "cover");
    return judgeCover(seed);
  }
  if (options.kernels) {
    refuse(options, ["workers", "from", "lots"], "kernels");
    return judgeKernels(seed);
  }
  return judgeProduct(seed, options);
}

/** What is not in lots is judged in this thread. */
function refuse(
  options: Options,
  names: readonly ("workers" | "from" | "lots" | "kernels")[],
  beside: string,
): void {
  for (const name of names) {
    const value = options[name];
    if (value !== undefined) {
      throw new BadInput(`--${name}`, value, `not with --${beside}: leave one of the two out`);
    }
  }
}

/** Says on stderr how far it is, and what failed as soon as it does. */
async function judgeProduct(seed: number, options: Options): Promise<Judgement> {
  const { from = 1, lots: most = MAX_LOTS, workers = defaultWorkers() } = options;
  const all = everyLot(seed);
  if (from > all.length) throw new BadInput("--from", from, `at most ${all.length}, the last lot`);
  let [passed, failed] = [0, 0];
  return judgeLots(all.slice(0, from - 1 + most), from - 1, {
    workers,
    onLot({ done, judgement }) {
      passed += judgement.passed;
      failed += judgement.failures.length;
      for (const failure of judgement.failures) process.stderr.write(`${failure}\n`);
      const counts = `${passed} passed, ${failed} failed`;
      const goOn = `to go on: --seed ${seed} --from ${done + 1}`;
      process.stderr.write(`${done} of ${all.length} lots: ${counts}; ${goOn}\n`);
    },
  });
}

const counted = (flag: string, text: string, most: number): Option =>
  new Option(`${flag} <N>`, text).argParser((value) => readCount(value, flag, most));

const program = new Command("verify-matrix")
  .description("every combination of protocol, lazy policy, features, CPU and workload, small")
  .addOption(seedOption())
  .addOption(counted("--workers", "worker threads (default: at most 2)", MAX_WORKERS))
  .addOption(counted("--from", "the first lot (default: 1)", MAX_LOTS))
  .addOption(counted("--lots", "at most so many lots (default: all)", MAX_LOTS))
  .option("--cover", "a covering array in place of the whole product")
  .option("--kernels", "every kernel in every workload, on one CPU each")
  .addOption(jsonOption())
  .action(verifyMatrix);

program.exitOverride().configureOutput({ writeErr: () => undefined });
try {
  await program.parseAsync();
} catch (error) {
  fail(error);
}
