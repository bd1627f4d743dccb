// From the options of a command to those of an experiment: progress and notes on stderr, a result.

import process from "node:process";
import type { ExperimentResult } from "../experiment/result.ts";
import type { ExperimentOptions } from "../experiment/run-experiment.ts";
import { IncompleteExperiment } from "../experiment/incomplete.ts";
import type { RunOptions } from "./options.ts";
import { deliver, note } from "./output.ts";
import { progressBar } from "./progress.ts";
import { untilSignal } from "./signals.ts";

/** Runs with a progress bar and delivers the result; when it ends early, what there is of it. */
export async function runAndDeliver(
  run: (options: ExperimentOptions) => Promise<ExperimentResult>,
  options: RunOptions,
): Promise<void> {
  const progress = progressBar();
  const signals = untilSignal();
  try {
    const result = await run({
      ...(options.seed === undefined ? {} : { seed: options.seed }),
      ...(options.seeds === undefined ? {} : { seeds: options.seeds }),
      ...(options.workers === undefined ? {} : { workers: options.workers }),
      settings: [options.protocol, options.policy, options.mutation, ...(options.set ?? [])].filter(
        (setting) => setting !== undefined,
      ),
      checkers: options.checker ?? [],
      files: options.code ?? [],
      checks: options.checks,
      signal: signals.signal,
      onNote: note,
      onProgress: (state) => progress.update(state),
    });
    progress.stop();
    deliver(result, options);
  } catch (error) {
    progress.stop();
    if (!(error instanceof IncompleteExperiment)) throw error;
    if (error.result.rows.length > 0) deliver(error.result, options);
    if (error.cause !== undefined) throw error;
    note(`interrupted: ${error.made} of ${error.asked} runs were made`);
    process.exitCode = signals.exitCode;
  } finally {
    progress.stop();
    signals.stop();
  }
}
