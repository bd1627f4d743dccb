// Runs vectors on an engine and counts. A vector is left out only where its own record says that
// no oracle could run it, and that is counted with the reason.

import type { BootEngine } from "../../base/architecture.ts";
import { compareResult, type Difference } from "./compare.ts";
import type { Unrecorded } from "./parse.ts";
import { runCase } from "./run.ts";
import type { Vector } from "./vector.ts";

/** The first difference of a vector that failed. */
export interface VectorFailure extends Difference {
  readonly id: string;
}

export interface Verification {
  readonly cases: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Of the first vectors that failed. */
  readonly failures: readonly VectorFailure[];
  readonly skippedReasons: Readonly<Record<string, number>>;
}

export interface VerifyOptions {
  /** How many failures to keep; all are counted. */
  readonly failuresKept?: number;
}

const FAILURES_KEPT = 20;

export async function verifyVectors(
  boot: BootEngine,
  vectors: AsyncIterable<Vector | Unrecorded> | Iterable<Vector | Unrecorded>,
  { failuresKept = FAILURES_KEPT }: VerifyOptions = {},
): Promise<Verification> {
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  const failures: VectorFailure[] = [];
  const skippedReasons: Record<string, number> = {};
  for await (const vector of vectors) {
    if ("skipReason" in vector) {
      skipped += 1;
      skippedReasons[vector.skipReason] = (skippedReasons[vector.skipReason] ?? 0) + 1;
      continue;
    }
    const [difference] = compareResult(vector, runCase(boot, vector));
    if (difference === undefined) {
      passed += 1;
      continue;
    }
    failed += 1;
    if (failures.length < failuresKept) failures.push({ id: vector.id, ...difference });
  }
  const cases = passed + failed + skipped;
  return { cases, passed, failed, skipped, failures, skippedReasons };
}
