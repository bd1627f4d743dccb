// The protocols that are not Linux's, in all orders of small scenarios.

import { describe, expect, test } from "vitest";
import { carryOut, isAsExpected, type Job } from "../../../src/explore/explore-job.ts";

const SCHEMES = ["always-full", "broadcast", "didi", "freebsd", "rar"] as const;
const SCENARIOS = ["flush-from-outside", "exit-unmapped-while-lazy", "reclaim-against-reader"];

const jobOf = (name: string, protocol: Job["protocol"]): Job => ({
  name,
  policy: "refcounted",
  protocol,
  mutation: "none",
  memory: "tso",
});

describe.each(SCHEMES)("%s", (protocol) => {
  test.each(SCENARIOS)("%s has no violation", async (name) => {
    const { violations, complete } = await carryOut(jobOf(name, protocol), {});
    expect([violations, complete]).toEqual([[], true]);
  });
});

test("freebsd frees a table between the acknowledgement and the invalidation", async () => {
  const result = await carryOut(jobOf("exit-while-lazy", "freebsd"), {});
  expect(result.violations.map(({ invariant }) => invariant)).toEqual(["I2"]);
  expect(isAsExpected(result)).toBe(true);
});
