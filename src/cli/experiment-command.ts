// From the options of a command to those of an experiment: progress and notes on stderr, a result.

import type { ExperimentResult } from "../experiment/result.ts";
import type { ExperimentOptions } from "../experiment/run-experiment.ts";
import type { RunOptions } from "./options.ts";
import { deliver, note } from "./output.ts";
import { progressBar } from "./progress.ts";

/** Runs with a progress bar and delivers the result. */
export async function runAndDeliver(
  run: (options: ExperimentOptions) => Promise<ExperimentResult>,
  options: RunOptions,
): Promise<void> {
  const progress = progressBar();
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
      onNote: note,
      onProgress: (state) => progress.update(state),
    });
    progress.stop();
    deliver(result, options);
  } finally {
    progress.stop();
  }
}
