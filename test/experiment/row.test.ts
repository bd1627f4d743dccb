import { describe, expect, test } from "vitest";
import { completeConfiguration } from "../../src/experiment/axes.ts";
import { rowOf } from "../../src/experiment/row.ts";
import { measurementWith, violation } from "./samples.ts";

const cell = { configuration: completeConfiguration({ cores: 4 }), workload: "munmap" };

describe("a row", () => {
  test("of one seed carries its counts and no interval", () => {
    expect(rowOf(cell, [measurementWith()])).toEqual({
      configuration: cell.configuration,
      workload: "munmap",
      cores: 4,
      seeds: 1,
      shootdowns: 3,
      initiatorCycles: { mean: 2000, p50: 2000, p99: 2980, max: 3000 },
      responderCycles: { mean: 500, p50: 500, p99: 598, max: 600 },
      stolenCyclesPerCore: 200,
      ipis: 4,
      ipisToLazy: 1,
      flushes: { full: 1, ranged: 2, skipped: 3 },
      refillWalks: 10,
      refillCycles: 500,
      contextSwitches: 50,
      switchesPerSecond: 50_000,
      operations: 20,
      operationsPerSecond: 20_000,
      refcountOps: 100,
      verdict: "ok",
      expected: "ok",
      violations: [],
    });
  });

  test("pools the samples of all seeds, adds counts and averages rates", () => {
    const row = rowOf(cell, [
      measurementWith({ initiatorCycles: [100], elapsedSeconds: 0.001 }),
      measurementWith({ initiatorCycles: [300], elapsedSeconds: 0.002 }),
    ]);
    expect(row).toMatchObject({ seeds: 2, shootdowns: 2, ipis: 8, stolenCyclesPerCore: 200 });
    expect(row.initiatorCycles.mean).toBe(200);
    expect(row.switchesPerSecond).toBe(37_500);
    expect(row.confidence?.initiatorMean).toEqual({ low: -1070.6, high: 1470.6 });
  });

  test("is a violation when one seed has one, and keeps the same one once", () => {
    const bad = measurementWith({ violations: [violation, { ...violation, cycle: 9000 }] });
    const row = rowOf(cell, [measurementWith(), bad, bad]);
    expect(row.verdict).toBe("violation");
    expect(row.violations).toEqual([violation]);
  });

  test("of a run in which no time passed has no rate", () => {
    expect(rowOf(cell, [measurementWith({ elapsedSeconds: 0 })]).switchesPerSecond).toBe(0);
  });

  test("expects what the policy is known for", () => {
    const configuration = completeConfiguration({ lazyTlb: "unrefcounted" });
    expect(rowOf({ ...cell, configuration }, [measurementWith()]).expected).toBe("violation");
  });
});
