// The protocols of papers in every workload, small, with the lazy policies that are right: the
// checkers have nothing to say.

import { describe, expect, test } from "vitest";
import {
  lazyPolicies,
  LAZY_POLICY_NAMES,
  type LazyPolicyName,
} from "../../src/kernel/lazy/policies.ts";
import { type ProtocolName, protocols } from "../../src/kernel/shootdown/protocols.ts";
import { WORKLOAD_NAMES } from "../../src/workloads/workloads.ts";
import { playWorkload } from "./runs.ts";

const RIGHT = LAZY_POLICY_NAMES.filter(
  (name) => lazyPolicies[name].expected === "ok" && name !== "pre-4.15",
);

/** With every policy the protocols that do most; the techniques of eurosys-20 alone with one. */
const COMBINATIONS: readonly (readonly [ProtocolName, readonly LazyPolicyName[]])[] = [
  ["early-ack", ["refcounted"]],
  ["fewer-lines", ["refcounted"]],
  ["batched-syscalls", ["refcounted"]],
  ["copy-without-flush", ["refcounted"]],
  ["eurosys-20", RIGHT],
  ["latr", RIGHT],
];

describe.each(COMBINATIONS)("%s", (name, policies) => {
  describe.each(WORKLOAD_NAMES)("%s", (workload) => {
    test.each(policies)("under %s has no violation", (policy) => {
      const scene = { cores: 3, rounds: 2, protocol: protocols[name] };
      const outcome = playWorkload(workload, { ...scene, policy: lazyPolicies[policy] });
      expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
    });
  });
});

describe.each(WORKLOAD_NAMES)("with page-table isolation, %s", (workload) => {
  test.each(["in-context-flush", "eurosys-20", "latr"] as const)("under %s", (name) => {
    const kernel = { pti: true, invpcid: true };
    const outcome = playWorkload(workload, { cores: 3, protocol: protocols[name], kernel });
    expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  });
});
