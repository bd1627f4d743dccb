// What holds of every workload: references, repeatability, one measured part.

import { describe, expect, test } from "vitest";
import { LAZY_POLICY_NAMES, lazyPolicies } from "../../src/kernel/lazy/policies.ts";
import { WORKLOAD_NAMES } from "../../src/workloads/workloads.ts";
import { measuredPart, measure, playAgain } from "./runs.ts";

describe.each(WORKLOAD_NAMES)("%s", (name) => {
  test.each(LAZY_POLICY_NAMES)(
    "under %s leaves nothing behind, unless it is wrong",
    async (policy) => {
      const lazyPolicy = lazyPolicies[policy];
      const outcome = await playAgain(name, { cores: 4, rounds: 2, policy: lazyPolicy });
      expect(outcome.ended).toBe("stopped");
      const invariants = [...new Set(outcome.violations.map(({ invariant }) => invariant))];
      expect(invariants).toEqual(lazyPolicy.expected === "ok" ? [] : ["I5"]);
      // Only init is left, and what CPUs that came to rest still hold lazily.
      const inUse = [...outcome.kernel.liveMms].filter(({ mmUsers }) => mmUsers.value > 0);
      expect(inUse.map((mm) => mm.name)).toEqual(["init"]);
    },
  );

  test("measures the same twice, and something else by another seed", async () => {
    const small = { rounds: 2 };
    const first = await measure(name, small, 1);
    expect(await measure(name, small, 1)).toEqual(first);
    expect(await measure(name, small, 2)).not.toEqual(first);
  });

  test("has one measured part, in which something happens", async () => {
    for (const cores of [1, 5]) {
      const outcome = await playAgain(name, { cores });
      const kinds = outcome.events.map(({ kind }) => kind);
      expect(kinds.filter((kind) => kind === "measureBegin")).toHaveLength(1);
      expect(kinds.filter((kind) => kind === "measureEnd")).toHaveLength(1);
      expect(measuredPart(outcome).length).toBeGreaterThan(8);
      expect(outcome.violations).toEqual([]);
    }
  });
});
