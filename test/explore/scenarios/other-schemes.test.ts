// The protocols that are not Linux's, in all orders of small scenarios.

import { describe, expect, test } from "vitest";
import { type ExploreJob } from "../../../src/explore/explore-job.ts";
import { exploreJob, isAsExpected } from "../../../src/explore/scenario-result.ts";

const SCHEMES = ["always-full", "broadcast", "didi", "freebsd", "rar"] as const;
const SCENARIOS = ["flush-from-outside", "exit-unmapped-while-lazy", "reclaim-against-reader"];

const jobOf = (name: string, protocol: ExploreJob["protocol"]): ExploreJob => ({
  name,
  policy: "refcounted",
  protocol,
  mutation: "none",
  memory: "tso",
});

describe.each(SCHEMES)("%s", (protocol) => {
  test.each(SCENARIOS)("%s has no violation", async (name) => {
    const { violations, complete } = await exploreJob(jobOf(name, protocol), {});
    expect([violations, complete]).toEqual([[], true]);
  });
});

test("freebsd frees a table between the acknowledgement and the invalidation", async () => {
  const result = await exploreJob(jobOf("exit-while-lazy", "freebsd"), {});
  expect(result.violations.map(({ invariant }) => invariant)).toEqual(["I2"]);
  expect(isAsExpected(result)).toBe(true);
});
