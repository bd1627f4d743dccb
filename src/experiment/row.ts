// The measurements of one configuration and workload, one per seed, to one row.
// Counts are totals over the seeds; cycles pool the samples of all seeds; rates are means.

import { mean, sum } from "simple-statistics";
import type { Verdict } from "../base/verdict.ts";
import { BUILT_IN, type Catalogue, entryIn } from "../catalogue/catalogue.ts";
import { blamedOn } from "../catalogue/code-file.ts";
import type { Configuration } from "./configuration.ts";
import type { RowPlan } from "./matrix.ts";
import type { Measurement, Row, ViolationReport } from "./result.ts";
import { distributionOf, intervalOf, rounded } from "./statistics.ts";

/** Different violations that a row keeps; the same one of another seed is not kept twice. */
const VIOLATIONS_KEPT = 16;

export function rowOf(
  plan: RowPlan,
  measurements: readonly Measurement[],
  catalogue: Catalogue = BUILT_IN,
): Row {
  const { configuration, workload } = plan;
  const { cores } = configuration;
  const total = (count: (one: Measurement) => number): number =>
    rounded(sum(measurements.map(count)));
  const initiatorCycles = measurements.flatMap((one) => one.initiatorCycles);
  const responderCycles = measurements.flatMap((one) => one.responderCycles);
  const confidence = confidenceOf(measurements);
  return {
    configuration,
    workload,
    cores,
    seeds: measurements.length,
    shootdowns: initiatorCycles.length,
    initiatorCycles: distributionOf(initiatorCycles),
    responderCycles: distributionOf(responderCycles),
    stolenCyclesPerCore: rounded(total((one) => one.stolenCycles) / cores / measurements.length),
    ipis: total((one) => one.ipis),
    ipisToLazy: total((one) => one.ipisToLazy),
    flushes: {
      full: total((one) => one.flushes.full),
      ranged: total((one) => one.flushes.ranged),
      skipped: total((one) => one.flushes.skipped),
    },
    refillWalks: total((one) => one.refillWalks),
    refillCycles: total((one) => one.refillCycles),
    contextSwitches: total((one) => one.contextSwitches),
    switchesPerSecond: rounded(mean(measurements.map(switchesPerSecond))),
    operations: total((one) => one.operations),
    operationsPerSecond: rounded(mean(measurements.map(operationsPerSecond))),
    refcountOps: total((one) => one.refcountOps),
    verdict: plan.checks === false ? "unchecked" : verdictOf(measurements),
    expected: expectedVerdict(configuration, workload, catalogue),
    violations: distinctViolations(measurements),
    ...(confidence === undefined ? {} : { confidence }),
  };
}

function verdictOf(measurements: readonly Measurement[]): Verdict {
  return measurements.some((one) => one.violations.length > 0) ? "violation" : "ok";
}

/**
 * What the policy under test is known to do, and the mutation in this workload; a verdict that
 * differs fails the check.
 */
export function expectedVerdict(
  configuration: Configuration,
  workload: string,
  catalogue: Catalogue = BUILT_IN,
): Verdict {
  if (isKnownToShow(configuration, workload, catalogue)) return "violation";
  return entryIn(catalogue, "policies", configuration.lazyTlb).expected;
}

/** Whether the mutation that `configuration` asks for is known to show in `workload`. */
export function isKnownToShow(
  configuration: Configuration,
  workload: string,
  catalogue: Catalogue = BUILT_IN,
): boolean {
  const { mutation = "none", cores } = configuration;
  if (mutation === "none" || cores < 2) return false;
  const { shows } = entryIn(catalogue, "mutations", mutation);
  try {
    return shows?.(configuration, workload) ?? false;
  } catch (error) {
    throw blamedOn(catalogue.files, `${mutation}.shows`, error);
  }
}

/** Whether the row is what was asked for: where nothing was checked, nothing can fail. */
export const isAsExpected = ({ verdict, expected }: Row): boolean =>
  verdict === "unchecked" || verdict === expected;

const switchesPerSecond = (one: Measurement): number => perSecond(one.contextSwitches, one);

const operationsPerSecond = (one: Measurement): number => perSecond(one.operations, one);

const perSecond = (count: number, { elapsedSeconds }: Measurement): number =>
  elapsedSeconds > 0 ? count / elapsedSeconds : 0;

function confidenceOf(measurements: readonly Measurement[]): Row["confidence"] {
  const means = measurements
    .filter((one) => one.initiatorCycles.length > 0)
    .map((one) => mean([...one.initiatorCycles]));
  const switches = intervalOf(measurements.map(switchesPerSecond));
  if (switches === undefined) return undefined;
  return { initiatorMean: intervalOf(means) ?? { low: 0, high: 0 }, switchesPerSecond: switches };
}

function distinctViolations(measurements: readonly Measurement[]): readonly ViolationReport[] {
  const kept = new Map<string, ViolationReport>();
  for (const violation of measurements.flatMap((one) => one.violations)) {
    const key = `${violation.invariant} ${violation.message}`;
    if (!kept.has(key) && kept.size < VIOLATIONS_KEPT) kept.set(key, violation);
  }
  return [...kept.values()];
}
