// The protocols that are not Linux's, in all orders of small scenarios.

import { describe, expect, test } from "vitest";
import { carryOut } from "../../src/explore/job.ts";

const SCHEMES = ["always-full", "broadcast", "didi"] as const;
const SCENARIOS = ["flush-from-outside", "exit-while-lazy", "discard-against-unlazy"] as const;

describe.each(SCHEMES)("%s", (protocol) => {
  test.each(SCENARIOS)("%s has no violation", async (name) => {
    const job = { name, policy: "refcounted", protocol, mutation: "none", memory: "tso" } as const;
    const { violations, complete } = await carryOut(job, {});
    expect([violations, complete]).toEqual([[], true]);
  });
});
