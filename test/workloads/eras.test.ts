// The protocols before linux-5.13 under every lazy-TLB policy that goes with them: the verdicts are
// the expected ones in every workload.

import { describe, expect, test } from "vitest";
import { completeConfiguration } from "../../src/experiment/axes.ts";
import { conflictIn } from "../../src/experiment/constraints.ts";
import { LAZY_POLICY_NAMES, lazyPolicies } from "../../src/kernel/lazy/policies.ts";
import { protocols } from "../../src/kernel/shootdown/protocols.ts";
import { WORKLOAD_NAMES } from "../../src/workloads/workloads.ts";
import { playWorkload } from "./runs.ts";

const ERAS = ["linux-4.8", "linux-4.15", "linux-4.20"] as const;

const combinations = ERAS.flatMap((protocol) =>
  [true, false].flatMap((pcid) =>
    LAZY_POLICY_NAMES.map((lazyTlb) => ({ protocol, pcid, lazyTlb })),
  ),
).filter((chosen) => conflictIn(completeConfiguration(chosen)) === undefined);

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
