// Every workload, small, under the protocols that are not Linux's, and each lazy policy that goes
// with them: the verdicts are the expected ones. What is refused would break.

import { describe, expect, test } from "vitest";
import { completeConfiguration } from "../../src/experiment/axes.ts";
import { conflictIn, knowsPcid } from "../../src/experiment/constraints.ts";
import { LAZY_POLICY_NAMES, lazyPolicies } from "../../src/kernel/lazy/policies.ts";
import { protocols } from "../../src/kernel/shootdown/protocols.ts";
import { WORKLOAD_NAMES } from "../../src/workloads/workloads.ts";
import type { Outcome } from "../kernel/scene.ts";
import { playWorkload } from "./runs.ts";

const SCHEMES = ["always-full", "broadcast", "didi", "freebsd", "rar"] as const;

const all = SCHEMES.flatMap((protocol) =>
  LAZY_POLICY_NAMES.map((lazyTlb) => ({ protocol, lazyTlb, pcid: knowsPcid(protocol) })),
);
const canBe = (chosen: (typeof all)[number]): boolean =>
  conflictIn(completeConfiguration(chosen)) === undefined;
const isRight = (chosen: (typeof all)[number]): boolean =>
  canBe(chosen) && lazyPolicies[chosen.lazyTlb].expected === "ok";

function playUnder(name: (typeof WORKLOAD_NAMES)[number], chosen: (typeof all)[number]): Outcome {
  const { lazyTlb, pcid } = chosen;
  const [policy, protocol] = [lazyPolicies[lazyTlb], protocols[chosen.protocol]];
  return playWorkload(name, { cores: 3, rounds: 2, policy, protocol, pcid });
}

const invariantsOf = ({ violations }: Outcome): string[] => [
  ...new Set(violations.map(({ invariant }) => invariant)),
];

describe.each(WORKLOAD_NAMES)("%s", (name) => {
  test.each(all.filter(isRight))("under $protocol, $lazyTlb has no violation", (chosen) => {
    const outcome = playUnder(name, chosen);
    expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  });
});

const refused = all.filter((chosen) => !canBe(chosen) && chosen.lazyTlb !== "pre-4.15");

test.each(refused)("$protocol, $lazyTlb is refused: a root is freed in a CR3", (chosen) => {
  expect(invariantsOf(playUnder("munmap", chosen))).toContain("I4");
});
