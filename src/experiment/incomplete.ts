// An experiment of which some runs were not made: what was measured is not lost.

import type { BadInput } from "../base/bad-input.ts";
import type { ExperimentResult } from "./result.ts";
import type { RunFailure } from "./workers.ts";

/** The first failure, how many more there are, and the rows of the runs that were made. */
export class IncompleteExperiment extends Error {
  override readonly cause: RunFailure | BadInput | undefined;

  /**
   * @param result - Rows of what was measured; `seeds` of each says how often.
   * @param failures - Why runs were not made; none: a signal ended them.
   * @param made - Runs that were made, of `asked`.
   */
  constructor(
    readonly result: ExperimentResult,
    readonly failures: readonly (RunFailure | BadInput)[],
    readonly made: number,
    readonly asked: number,
  ) {
    super(`${made} of ${asked} runs were made${reasonOf(failures)}`);
    this.name = "IncompleteExperiment";
    this.cause = failures[0];
  }
}

function reasonOf(failures: readonly Error[]): string {
  const [first] = failures;
  if (first === undefined) return ": a signal ended them";
  return failures.length === 1
    ? `: ${first.message}`
    : `: ${failures.length} broke down, the first: ${first.message}`;
}
