// Runs vectors on an engine and counts. A vector is left out only where its own record says that
// no oracle could run it, and that is counted with the reason.

import type { BootEngine } from "../../base/architecture.ts";
import { compareResult, type Difference } from "./compare.ts";
import type { Unrecorded } from "./parse.ts";
import { runCase } from "./run-vector.ts";
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
  /** Called for each failure that is kept. */
  readonly onFailure?: (failure: VectorFailure, vector: Vector) => void;
}

/** How many failures are kept unless it is said. */
export const FAILURES_KEPT = 10;

export async function verifyVectors(
  boot: BootEngine,
  vectors: AsyncIterable<Vector | Unrecorded> | Iterable<Vector | Unrecorded>,
  { failuresKept = FAILURES_KEPT, onFailure }: VerifyOptions = {},
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
    if (failures.length >= failuresKept) continue;
    const failure = { id: vector.id, ...difference };
    failures.push(failure);
    onFailure?.(failure, vector);
  }
  const cases = passed + failed + skipped;
  return { cases, passed, failed, skipped, failures, skippedReasons };
}
