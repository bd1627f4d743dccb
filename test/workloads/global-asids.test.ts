// Every workload, small, where each mm that another CPU runs gets a global ASID: the checkers have
// nothing to say of the policies that are right, and of the others what is known.

import { describe, expect, test } from "vitest";
import {
  lazyPolicies,
  LAZY_POLICY_NAMES,
  type LazyPolicyName,
} from "../../src/kernel/lazy/policies.ts";
import { linux618 } from "../../src/kernel/shootdown/linux-6.18.ts";
import { WORKLOAD_NAMES, type WorkloadName } from "../../src/workloads/workloads.ts";
import { eventsOf, type Outcome } from "../kernel/scene.ts";
import { playAgain } from "./runs.ts";

const RIGHT = LAZY_POLICY_NAMES.filter((name) => lazyPolicies[name].expected === "ok");
/** Under these nothing but the interrupt of exit_mmap's flush takes a lazy CPU off a dying root. */
const NEEDS_EXIT_FLUSH: readonly LazyPolicyName[] = ["null-prev", "fewer-parameters"];

describe("linux-6.18 with INVLPGB", () => {
  /** One active CPU is enough for a global ASID, so that every workload comes to have some. */
  const kernel = { invlpgb: true, globalAsidCpus: 0 };
  const options = { cores: 6, rounds: 2, protocol: linux618, cpu: "milan", kernel } as const;
  const playUnder = (workload: WorkloadName, name: LazyPolicyName): Promise<Outcome> =>
    playAgain(workload, { ...options, policy: lazyPolicies[name] });

  describe.each(WORKLOAD_NAMES)("%s", (workload) => {
    test.each(RIGHT.filter((name) => !NEEDS_EXIT_FLUSH.includes(name)))(
      "under %s has no violation",
      async (name) => {
        const outcome = await playUnder(workload, name);
        expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
      },
    );
  });

  test.each(WORKLOAD_NAMES)(
    "%s broadcasts a batch, a kernel range, and an mm that calls others twice, nothing else",
    async (name) => {
      const outcome = await playUnder(name, "refcounted");
      const remote = eventsOf(outcome, "flushReturn").filter((event) => event.remote);
      const batches = eventsOf(outcome, "batchFlushReturn");
      const broadcasts = eventsOf(outcome, "broadcastsDone");
      const mms = remote.map(({ mm }) => mm);
      const isBusy = mms.some((mm, index) => mms.indexOf(mm) < index);
      const kernelRanges = eventsOf(outcome, "kernelFlushReturn");
      const expected = isBusy || batches.length > 0 || kernelRanges.length > 0;
      expect(broadcasts.length > 0).toBe(expected);
    },
  );

  test.each(NEEDS_EXIT_FLUSH)(
    "under %s a root is freed below CPUs that nothing moved",
    async (name) => {
      const { violations } = await playUnder("munmap", name);
      expect([...new Set(violations.map(({ invariant }) => invariant))]).toEqual(["I4"]);
    },
  );
});
