// The scenarios under correct kernels and wrong ones, and what an exploration says of itself.

import { BUILT_IN } from "../../../src/catalogue/catalogue.ts";
import { describe, expect, test } from "vitest";
import { exploreScenario } from "../../../src/explore/search/explorer.ts";
import { type ExploreJob, mutationJobs, subjectOf } from "../../../src/explore/explore-job.ts";
import {
  expectedOf,
  exploreJob,
  isAsExpected,
  type ScenarioResult,
} from "../../../src/explore/scenario-result.ts";
import { planJobs, type Selection } from "../../../src/explore/explore-plan.ts";
import { scenarioNamed, SCENARIOS } from "../../../src/explore/scenarios/scenarios.ts";

/** A second and more under each policy: for `shootdown explore`, and the night. */
const LARGE = new Set([
  "discards-of-one-page",
  "discards-in-two-tables",
  "reclaim-against-protect",
  "discard-against-switch-in",
  "discard-against-unlazy",
  "discard-of-own-page",
  "copy-on-write-against-reader",
]);

const JOB: ExploreJob = {
  name: "exit-while-lazy",
  policy: "unrefcounted",
  protocol: "linux-5.13",
  mutation: "none",
  memory: "tso",
};

const explored = new Map<string, Promise<ScenarioResult>>();

/** The whole exploration of a job, which several tests look at. */
function explore({
  name,
  policy,
  protocol,
  mutation,
  memory,
}: ExploreJob): Promise<ScenarioResult> {
  const job: ExploreJob = { name, policy, protocol, mutation, memory };
  const key = Object.values(job).join(" ");
  const result = explored.get(key) ?? exploreJob(job, {});
  explored.set(key, result);
  return result;
}

describe("an exploration", () => {
  test("finds the dangling active_mm of unrefcounted in the bare scenario", async () => {
    const { violations, complete } = await explore(JOB);
    expect(violations.map(({ invariant }) => invariant)).toEqual(["I5"]);
    expect(violations[0]!.message).toMatch(/CPU 1 passes a to switch_mm_irqs_off, freed by CPU 0/);
    expect(complete).toBe(false);
  });

  test("gives the same result twice", async () => {
    expect(await exploreJob(JOB, {})).toEqual(await explore(JOB));
  });

  test("names the Linux function of every step of the kernel", async () => {
    const { violations } = await explore(JOB);
    const { schedule, explanation } = violations[0]!;
    for (const step of schedule) {
      if (step.does === "step") expect(step.functions.length, step.operation).toBeGreaterThan(0);
    }
    expect(schedule.some(({ functions }) => functions.includes("load_new_mm_cr3"))).toBe(true);
    expect(explanation).toMatch(/^CPU 0/);
  });

  test("is complete only if nothing was cut", async () => {
    const clean: ExploreJob = { ...JOB, name: "discard-against-unlazy", policy: "refcounted" };
    const whole = await explore(clean);
    expect([whole.complete, whole.cutBy]).toEqual([true, null]);
    const few = await exploreJob(clean, { maxExecutions: 10 });
    expect([few.complete, few.cutBy]).toEqual([false, "executions"]);
    const short = await exploreJob(clean, { maxSteps: 20 });
    expect([short.complete, short.cutBy]).toEqual([false, "steps"]);
    expect(isAsExpected(few)).toBe(false);
  });

  test("covers the same under a bound on preemptions, without reduction", async () => {
    const clean: ExploreJob = { ...JOB, name: "exit-unmapped-while-lazy", policy: "refcounted" };
    const bounded = await exploreJob(clean, { preemptionBound: 1 });
    const all = await exploreJob(clean, { preemptionBound: 2 });
    expect([bounded.complete, all.complete]).toEqual([true, true]);
    expect(all.executions).toBeGreaterThan(bounded.executions);
  });

  test("ends before its first execution when it is told to by then, and says so", async () => {
    const stop = AbortSignal.abort();
    const job: ExploreJob = { ...JOB, name: "two-flushers", policy: "refcounted" };
    const explored = await exploreScenario(scenarioNamed(job.name), subjectOf(job), {
      signal: stop,
    });
    expect([explored.complete, explored.cutBy]).toEqual([false, "interrupt"]);
    expect(explored.executions).toBe(0);
  });
});

describe("a mutation", () => {
  for (const job of mutationJobs()) {
    const { mutation, name, memory } = job;
    test(`${mutation} is found in ${name}`, async () => {
      expect((await explore(job)).violations).toHaveLength(1);
      // These have more than ten thousand orders: for the night.
      if (["discard-of-own-page", "discards-of-one-page"].includes(name)) return;
      // All orders under TSO hold those under SC, and others explore the small ones under TSO.
      const under = LARGE.has(name) ? memory : "tso";
      const correct = await explore({ ...job, mutation: "none", memory: under });
      expect([correct.violations, correct.complete]).toEqual([[], true]);
    });
    if (memory === "sc") continue;
    test(`${mutation} needs a store buffer: it is not found under sc`, async () => {
      const underSc = await explore({ ...job, memory: "sc" });
      expect([underSc.violations, underSc.complete]).toEqual([[], true]);
    });
  }

  test("who finds a page discarded by another is right under linux-4.15", async () => {
    const name = "discards-in-two-tables";
    const kernel = { policy: "refcounted", protocol: "linux-4.15", memory: "sc" } as const;
    const job = { ...JOB, ...kernel, name };
    const { violations, complete } = await explore(job);
    expect([violations, complete]).toEqual([[], true]);
  });

  test("two CVEs, the barrier of 4.20 and that of batched calls are those that need it", () => {
    const needing = mutationJobs().filter(({ memory }) => memory === "tso");
    expect(needing.map(({ mutation }) => mutation)).toEqual([
      "no-barrier-before-generation",
      "unlazy-without-barrier",
      "flush-before-cpumask",
      "batched-call-ends-without-barrier",
    ]);
  });
});

describe("a lazy policy", () => {
  const exploreUnder = (policy: ExploreJob["policy"], name: string): Promise<ScenarioResult> =>
    explore({ name, policy, protocol: "linux-6.18", mutation: "none", memory: "tso" });
  const small = SCENARIOS.filter(({ name }) => !LARGE.has(name));

  for (const policy of ["refcounted", "shoot-lazies", "exit-unlazy", "hazard-pointer"] as const) {
    test(`${policy} is clean in every scenario`, async () => {
      for (const { name } of small) {
        const { violations, complete } = await exploreUnder(policy, name);
        expect([violations, complete], name).toEqual([[], true]);
      }
    });
  }

  test("null-prev loses the root of an mm with nothing mapped, and only there", async () => {
    const bare = await exploreUnder("null-prev", "exit-while-lazy");
    expect([bare.violations, bare.complete]).toEqual([[], true]);
    const unmapped = await exploreUnder("null-prev", "exit-unmapped-while-lazy");
    expect(unmapped.violations.map(({ invariant }) => invariant)).toEqual(["I4"]);
  });

  test("null-prev loses the root in a guest with pages mapped, a counted one is kept", async () => {
    const name = "exit-while-vcpu-preempted";
    const guest = { name, protocol: "kvm-pv-6.18", mutation: "none", memory: "sc" } as const;
    for (const policy of ["null-prev", "fewer-parameters", "unrefcounted"] as const) {
      const { violations } = await explore({ ...guest, policy });
      expect([policy, ...violations.map(({ invariant }) => invariant)]).toEqual([policy, "I4"]);
    }
    for (const policy of ["refcounted", "exit-unlazy", "hazard-pointer", "eager"] as const) {
      const { violations, complete } = await explore({ ...guest, policy });
      expect([policy, violations, complete]).toEqual([policy, [], true]);
    }
  });

  test("none is clean under linux-5.13, which leaves the mask before it writes CR3", async () => {
    const job = { policy: "refcounted", protocol: "linux-5.13", mutation: "none" } as const;
    const found = await explore({ ...job, name: "exit-while-lazy", memory: "sc" });
    expect(found.violations.map(({ invariant }) => invariant)).toEqual(["I2"]);
    expect(found.violations[0]!.explanation).toMatch(
      /CPU 1.* is in (load_new_mm_cr3|cpumask_set_cpu)/,
    );
  });
});

describe("a plan", () => {
  test("without a selection has every scenario and every mutation", async () => {
    const { jobs } = await planJobs({});
    expect(jobs.filter(({ mutation }) => mutation === "none").length).toBeGreaterThan(10);
    expect(jobs.some(({ mutation }) => mutation === "ranged-flush-over-gap")).toBe(true);
  });

  test("has every lazy policy for the end of an mm, on bare metal and in a guest", async () => {
    for (const name of ["exit-while-lazy", "exit-unmapped-while-vcpu-preempted"]) {
      const { jobs } = await planJobs({ scenarios: [name] });
      const kernels = new Set(jobs.map(({ policy, protocol }) => `${policy} ${protocol}`));
      expect(kernels.size).toBe(16);
      expect(kernels).toContain("null-prev kvm-pv-6.18");
    }
    const count = async (selection: Selection): Promise<number> =>
      (await planJobs(selection)).jobs.length;
    expect(await count({ scenarios: ["exit-while-lazy"], protocol: "linux-5.13" })).toBe(8);
    expect(await count({ scenarios: ["two-flushers"] })).toBe(4);
  });

  test("expects a violation of the kernels that are known to fail, and of no others", async () => {
    const scenario = scenarioNamed("exit-while-vcpu-preempted");
    const expected = (
      policy: ExploreJob["policy"],
      protocol: ExploreJob["protocol"],
    ): string | null =>
      expectedOf(
        { ...JOB, name: scenario.name, policy, protocol },
        { scenario, catalogue: BUILT_IN },
      );
    expect(expected("null-prev", "kvm-pv-6.18")).toBe("violation");
    expect(expected("null-prev", "linux-6.18")).toBe("ok");
    expect(expected("unrefcounted", "linux-6.18")).toBe("violation");
  });

  test("of a mutation alone is the scenario that shows it", async () => {
    const { jobs } = await planJobs({ mutation: "ranged-flush-over-gap" });
    expect(jobs.map(({ name }) => name)).toEqual(["two-flushers"]);
  });
});
