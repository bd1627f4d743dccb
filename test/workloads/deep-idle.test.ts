// Idle CPUs in C6, which lose their TLBs and have left their mm: under every protocol and policy.

import { describe, expect, test } from "vitest";
import { completeConfiguration } from "../../src/experiment/axes.ts";
import { conflictIn } from "../../src/experiment/constraints.ts";
import { LAZY_POLICY_NAMES, lazyPolicies } from "../../src/kernel/lazy/policies.ts";
import { PROTOCOL_NAMES, protocols } from "../../src/kernel/shootdown/protocols.ts";
import type { WorkloadName } from "../../src/workloads/workloads.ts";
import { eventsOf } from "../kernel/scene.ts";
import { measure, playWorkload } from "./runs.ts";

/** In these an mm dies that idle CPUs were lazy on. */
const LIVES: readonly WorkloadName[] = ["fork-exit", "kthread", "unplug"];

const combinations = PROTOCOL_NAMES.flatMap((protocol) =>
  [true, false].flatMap((pcid) =>
    LAZY_POLICY_NAMES.map((lazyTlb) => ({ protocol, pcid, lazyTlb, idle: "c6" as const })),
  ),
).filter((chosen) => conflictIn(completeConfiguration(chosen)) === undefined);

describe.each(LIVES)("%s", (name) => {
  test.each(combinations.filter(({ pcid }) => pcid || name === "kthread"))(
    "under $protocol, $lazyTlb, pcid $pcid",
    ({ protocol, lazyTlb, ...rest }) => {
      const policy = lazyPolicies[lazyTlb];
      const options = { cores: 3, rounds: 2, policy, protocol: protocols[protocol], ...rest };
      const { ended, violations } = playWorkload(name, options);
      const invariants = new Set(violations.map(({ invariant }) => invariant));
      if (policy.expected === "ok") expect([ended, violations]).toEqual(["stopped", []]);
      else expect(invariants).toContain("I5");
    },
  );
});

test("where tables are freed, lazy CPUs in C1 are interrupted, those in C6 are not", async () => {
  const flushed = async (idle: "mwait" | "c6") => {
    const { ipis, ipisToLazy, flushes } = await measure("unplug", { idle });
    return { ipis, ipisToLazy, left: flushes.skipped };
  };
  expect(await flushed("mwait")).toEqual({ ipis: 2, ipisToLazy: 2, left: 2 });
  expect(await flushed("c6")).toEqual({ ipis: 0, ipisToLazy: 0, left: 0 });
});

test("what comes back from C6 walks for its pages again", async () => {
  const walksAt = async (idle: "mwait" | "c6") =>
    (await measure("server", { cores: 4, rounds: 10, idle })).refillWalks;
  expect(await walksAt("c6")).toBeGreaterThan(1.5 * (await walksAt("mwait")));
});

test("every CPU is on init_mm while it is in C6", () => {
  const outcome = playWorkload("pingpong", { cores: 4, idle: "c6" });
  const { initMm } = outcome.kernel;
  expect(eventsOf(outcome, "cr3Written").length).toBeGreaterThan(0);
  for (const { current, idle, tlb } of outcome.kernel.cpus) {
    if (current === idle) expect([tlb.loadedMm.value, tlb.cr3Mm]).toEqual([initMm, initMm]);
  }
});
