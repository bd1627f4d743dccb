// Every workload, small, under each shootdown protocol and each policy that is right: the checkers
// have nothing to say.

import { describe, expect, test } from "vitest";
import { lazyPolicies, LAZY_POLICY_NAMES } from "../../src/kernel/lazy/policies.ts";
import { linux618 } from "../../src/kernel/shootdown/linux-6.18.ts";
import { WORKLOAD_NAMES } from "../../src/workloads/workloads.ts";
import { playWorkload } from "./runs.ts";

const RIGHT = LAZY_POLICY_NAMES.filter((name) => lazyPolicies[name].expected === "ok");

describe.each([true, false])("linux-6.18 with pcid %s", (pcid) => {
  describe.each(WORKLOAD_NAMES)("%s", (workload) => {
    test.each(RIGHT)("under %s has no violation", (name) => {
      const policy = lazyPolicies[name];
      const options = { cores: 4, rounds: 2, policy, protocol: linux618, pcid };
      const { ended, violations } = playWorkload(workload, options);
      expect([ended, violations]).toEqual(["stopped", []]);
    });
  });
});
