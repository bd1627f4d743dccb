// Samples to distributions, and the uncertainty of a mean over seeds.

import { mean, quantileSorted, sampleStandardDeviation } from "simple-statistics";
import type { ConfidenceInterval, Distribution } from "./result.ts";

/** Two-sided 95 % quantiles of Student's t for 1 to 30 degrees of freedom (NIST e-Handbook,
 *  1.3.6.7.2). Beyond 30 the last one is used, which errs towards a wider interval. */
const STUDENT_T_95 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145,
  2.131, 2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048,
  2.045, 2.042,
];

/** At most three decimals: what is printed is what was measured, without binary noise. */
export function rounded(value: number): number {
  return Number.isInteger(value) ? value : Math.round(value * 1000) / 1000;
}

/** All zero where there are no samples. */
export function distributionOf(samples: readonly number[]): Distribution {
  if (samples.length === 0) return { mean: 0, p50: 0, p99: 0, max: 0 };
  const sorted = samples.toSorted((a, b) => a - b);
  return {
    mean: rounded(mean(sorted)),
    p50: rounded(quantileSorted(sorted, 0.5)),
    p99: rounded(quantileSorted(sorted, 0.99)),
    max: rounded(sorted.at(-1)!),
  };
}

/** The 95 % interval of the mean, by Student's t; undefined for fewer than two values. */
export function intervalOf(values: readonly number[]): ConfidenceInterval | undefined {
  if (values.length < 2) return undefined;
  const t = STUDENT_T_95[Math.min(values.length - 1, STUDENT_T_95.length) - 1]!;
  const half = (t * sampleStandardDeviation([...values])) / Math.sqrt(values.length);
  const center = mean([...values]);
  return { low: rounded(center - half), high: rounded(center + half) };
}
