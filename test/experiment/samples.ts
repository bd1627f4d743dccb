// Measurements, rows and runs to test with: a plain one plus one change.

import { completeConfiguration } from "../../src/experiment/axes.ts";
import type { Configuration, Run } from "../../src/experiment/configuration.ts";
import type { Measurement, Row, ViolationReport } from "../../src/experiment/result.ts";
import { rowOf } from "../../src/experiment/row.ts";

export const violation: ViolationReport = {
  invariant: "I5",
  message: "switch_mm was given an mm that is freed",
  cycle: 4000,
  cpus: [0, 1],
  mm: "mm 3",
  operations: [
    { cpu: 0, last: ["mmdrop mm 3", "free mm 3"] },
    { cpu: 1, last: ["switch_mm mm 3 -> mm 5"] },
  ],
  seed: 1,
  replay: "shootdown run munmap --seed 1",
};

export function measurementWith(change: Partial<Measurement> = {}): Measurement {
  return {
    initiatorCycles: [1000, 2000, 3000],
    responderCycles: [400, 600],
    stolenCycles: 800,
    ipis: 4,
    ipisToLazy: 1,
    flushes: { full: 1, ranged: 2, skipped: 3 },
    refillWalks: 10,
    refillCycles: 500,
    contextSwitches: 50,
    operations: 20,
    refcountOps: 100,
    elapsedCycles: 1_000_000,
    elapsedSeconds: 0.001,
    violations: [],
    ...change,
  };
}

export interface RowChange {
  readonly configuration?: Partial<Configuration>;
  readonly workload?: string;
  readonly measurement?: Partial<Measurement>;
}

export function rowWith({ configuration = {}, workload = "munmap", measurement }: RowChange): Row {
  return rowOf({ configuration: completeConfiguration(configuration), workload }, [
    measurementWith(measurement),
  ]);
}

/** Measures without a machine: a result that depends on every part of the run. */
export function fakeMeasure({ configuration, seed }: Run): Measurement {
  const { cores, rounds, lazyTlb } = configuration;
  const violations = lazyTlb === "unrefcounted" ? [violation] : [];
  const initiatorCycles = Array.from({ length: rounds }, (_, index) => cores * 100 + seed + index);
  return measurementWith({ initiatorCycles, violations });
}
