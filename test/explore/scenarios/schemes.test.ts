// The protocols that are not plain Linux, in all orders of small scenarios: what a scheme leaves
// out or puts off is safe. Linux itself is in scenarios.test.ts, and what breaks in breaks.test.ts.

import { describe, expect, test } from "vitest";
import type { ExploreJob } from "../../../src/explore/explore-job.ts";
import { exploreJob, isAsExpected } from "../../../src/explore/scenario-result.ts";
import { scenarioNamed } from "../../../src/explore/scenarios/scenarios.ts";
import type { Subject } from "../../../src/explore/execution/scenario-system.ts";
import { exploreScenario } from "../../../src/explore/search/explorer.ts";
import { lazyPolicies } from "../../../src/kernel/lazy/policies.ts";
import type { ProtocolName } from "../../../src/kernel/shootdown/protocols.ts";
import { toy } from "../../kernel/shootdown/toy.ts";

/** Scenarios that are about a page, which a scheme may leave in use for too long. */
const PAGES = [
  "discard-against-unlazy",
  "copy-on-write-against-reader",
  "isolated-reader",
  "reclaim-against-reader",
  "protect-against-call",
];
/** Flushes of which a scheme's own bookkeeping may lose a CPU. */
const CPUS = ["flush-from-outside", "exit-unmapped-while-lazy", "reclaim-against-reader"];

/** Scheme by scenario: each pair is explored to the end, and is clean. */
const CLEAN: Readonly<Partial<Record<ProtocolName, readonly string[]>>> = {
  "early-ack": [...PAGES, "kthread-against-exit"],
  "fewer-lines": PAGES,
  "in-context-flush": PAGES,
  "copy-without-flush": PAGES,
  "batched-syscalls": PAGES,
  "eurosys-20": PAGES,
  "always-full": CPUS,
  broadcast: CPUS,
  didi: CPUS,
  freebsd: CPUS,
  rar: CPUS,
};

const jobOf = (
  name: string,
  protocol: ProtocolName,
  mutation: ExploreJob["mutation"] = "none",
): ExploreJob => ({
  name,
  policy: "refcounted",
  protocol,
  mutation,
  memory: "tso",
});

describe.each(Object.keys(CLEAN) as ProtocolName[])("%s", (protocol) => {
  test.each(CLEAN[protocol]!)("%s has no violation in any order", async (name) => {
    const { violations, complete } = await exploreJob(jobOf(name, protocol), {});
    expect([violations, complete]).toEqual([[], true]);
  });
});

test("early acknowledgement of freed tables leaves them in reach of a CPU (I2)", async () => {
  const job = jobOf("kthread-against-exit", "early-ack", "early-ack-of-freed-tables");
  const { violations } = await exploreJob(job, {});
  expect(violations.map(({ invariant }) => invariant)).toEqual(["I2"]);
});

test("freebsd frees a table between the acknowledgement and the invalidation", async () => {
  const result = await exploreJob(jobOf("exit-while-lazy", "freebsd"), {});
  expect(result.violations.map(({ invariant }) => invariant)).toEqual(["I2"]);
  expect(isAsExpected(result)).toBe(true);
});

describe("a toy protocol of one file", () => {
  const explore = async (forgets: boolean) => {
    const protocol = toy(forgets);
    const subject: Subject = { policy: lazyPolicies.refcounted, protocol, memory: "tso" };
    const scenario = scenarioNamed("discard-against-unlazy");
    const { complete, violations } = await exploreScenario(scenario, subject, {});
    return { complete, found: violations.map(({ invariant }) => invariant) };
  };

  test("is clean in every order", async () => {
    expect(await explore(false)).toEqual({ complete: true, found: [] });
  });

  test("that forgets the others is caught", async () => {
    expect((await explore(true)).found).toEqual(["I1"]);
  });
});
