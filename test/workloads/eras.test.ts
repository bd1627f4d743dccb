// The protocols before linux-5.13 under every lazy-TLB policy that goes with them: the verdicts are
// the expected ones in every workload.

import { describe, expect, test } from "vitest";
import { completeConfiguration } from "../../src/experiment/axes.ts";
import { conflictIn, knowsPcid } from "../../src/experiment/constraints.ts";
import { LAZY_POLICY_NAMES, lazyPolicies } from "../../src/kernel/lazy/policies.ts";
import { protocols } from "../../src/kernel/shootdown/protocols.ts";
import { WORKLOAD_NAMES } from "../../src/workloads/workloads.ts";
import { playWorkload } from "./runs.ts";

const ERAS = ["linux-4.8", "linux-4.15", "linux-4.20"] as const;

const all = ERAS.flatMap((protocol) =>
  [true, false].flatMap((pcid) =>
    LAZY_POLICY_NAMES.map((lazyTlb) => ({ protocol, pcid, lazyTlb })),
  ),
).filter(({ protocol, pcid }) => !pcid || knowsPcid(protocol));
const canBe = (chosen: (typeof all)[number]): boolean =>
  conflictIn(completeConfiguration(chosen)) === undefined;
const combinations = all.filter(canBe);
/** pre-4.15 would do no harm with later protocols: it is not what they were run with. */
const refused = all.filter((chosen) => !canBe(chosen) && chosen.lazyTlb !== "pre-4.15");

describe.each(WORKLOAD_NAMES)("%s", (name) => {
  test.each(combinations)("under $protocol, $lazyTlb, pcid $pcid", (chosen) => {
    const { lazyTlb, pcid } = chosen;
    const [policy, protocol] = [lazyPolicies[lazyTlb], protocols[chosen.protocol]];
    const outcome = playWorkload(name, { cores: 3, rounds: 2, policy, protocol, pcid });
    expect(outcome.ended).toBe("stopped");
    const invariants = [...new Set(outcome.violations.map(({ invariant }) => invariant))];
    expect(invariants).toEqual(policy.expected === "ok" ? [] : ["I5"]);
  });
});

test.each(refused)("$protocol, $lazyTlb, pcid $pcid is refused since it would break", (chosen) => {
  const { lazyTlb, pcid } = chosen;
  const [policy, protocol] = [lazyPolicies[lazyTlb], protocols[chosen.protocol]];
  const { violations } = playWorkload("kthread", { cores: 3, policy, protocol, pcid });
  expect(violations.map(({ invariant }) => invariant)).toContain("I5");
});
