// Where an exploration ends although not everything was covered, or covers less. Each bound has a
// name, and where it ends an exploration, that is said.

import { BadInput, readName, refuseUnknownKeys } from "../../base/bad-input.ts";
import type { Limits } from "./search.ts";

export interface ExploreBounds extends Partial<Limits> {
  readonly maxExecutions?: number;
  /** Seconds of host time. */
  readonly seconds?: number;
}

/** What to do where a reduction and a bound on preemptions are given. */
export const ONE_OF_TWO = "leaves orders out under a bound on preemptions; give one of the two";

const REDUCTIONS: readonly Limits["reduction"][] = ["none", "source"];

const NAMES = Object.keys({
  maxExecutions: true,
  seconds: true,
  maxSteps: true,
  preemptionBound: true,
  reduction: true,
} satisfies Record<keyof ExploreBounds, true>);

/** Bad input where a bound is none, or two do not go together. */
export function checkBounds(bounds: ExploreBounds): void {
  refuseUnknownKeys(bounds, NAMES, "options");
  const { maxExecutions, maxSteps, preemptionBound, seconds, reduction } = bounds;
  checkCount(maxExecutions, 1, "maxExecutions");
  checkCount(maxSteps, 1, "maxSteps");
  checkCount(preemptionBound, 0, "preemptionBound");
  if (seconds !== undefined && !(typeof seconds === "number" && seconds > 0)) {
    throw new BadInput("seconds", seconds, "a number above 0");
  }
  if (reduction === undefined) return;
  readName("reduction", reduction, REDUCTIONS);
  if (reduction !== "none" && preemptionBound !== undefined) {
    throw new BadInput("reduction", reduction, ONE_OF_TWO);
  }
}

/** Bad input where a number that was given is no whole one, or below `least`. */
export function checkCount(value: unknown, least: number, path: string): void {
  if (value === undefined || (Number.isInteger(value) && (value as number) >= least)) return;
  throw new BadInput(path, value, `a whole number, ${least} or more`);
}

/** The same for every thread that explores a part. */
export function limitsOf({ reduction, maxSteps, preemptionBound }: ExploreBounds): Limits {
  return {
    reduction: reduction ?? (preemptionBound === undefined ? "source" : "none"),
    maxSteps: maxSteps ?? 1000,
    preemptionBound: preemptionBound ?? Infinity,
  };
}
