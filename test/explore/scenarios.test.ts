// The scenarios under correct kernels and wrong ones, and what an exploration says of itself.

import { describe, expect, test } from "vitest";
import { exploreScenario } from "../../src/explore/explore.ts";
import { carryOut, isAsExpected, type Job } from "../../src/explore/job.ts";
import { plan } from "../../src/explore/plan.ts";
import { scenarioNamed } from "../../src/explore/scenarios.ts";
import { subjectOf } from "../../src/explore/job.ts";

const JOB: Job = {
  name: "exit-while-lazy",
  policy: "unrefcounted",
  protocol: "linux-5.13",
  mutation: "none",
  memory: "tso",
};

describe("an exploration", () => {
  test("finds the dangling active_mm of unrefcounted in the bare scenario", async () => {
    const { violations, complete } = await carryOut(JOB, {});
    expect(violations.map(({ invariant }) => invariant)).toEqual(["I5"]);
    expect(violations[0]!.message).toMatch(/CPU 1 passes a to switch_mm_irqs_off, freed by CPU 0/);
    expect(complete).toBe(false);
  });

  test("gives the same result twice", async () => {
    expect(await carryOut(JOB, {})).toEqual(await carryOut(JOB, {}));
  });

  test("names the Linux function of every step of the kernel", async () => {
    const { violations } = await carryOut(JOB, {});
    const { schedule, explanation } = violations[0]!;
    for (const step of schedule) {
      if (step.does === "step") expect(step.functions.length, step.operation).toBeGreaterThan(0);
    }
    expect(schedule.some(({ functions }) => functions.includes("load_new_mm_cr3"))).toBe(true);
    expect(explanation).toMatch(/^CPU 0/);
  });

  test("is complete only if nothing was cut", async () => {
    const clean: Job = { ...JOB, name: "discard-against-unlazy", policy: "refcounted" };
    const whole = await carryOut(clean, {});
    expect([whole.complete, whole.cutBy]).toEqual([true, null]);
    const few = await carryOut(clean, { maxExecutions: 10 });
    expect([few.complete, few.cutBy]).toEqual([false, "executions"]);
    const short = await carryOut(clean, { maxSteps: 20 });
    expect([short.complete, short.cutBy]).toEqual([false, "steps"]);
    expect(isAsExpected(few)).toBe(false);
  });

  test("covers the same under a bound on preemptions, without reduction", async () => {
    const clean: Job = { ...JOB, name: "exit-unmapped-while-lazy", policy: "refcounted" };
    const bounded = await carryOut(clean, { preemptionBound: 1 });
    const all = await carryOut(clean, { preemptionBound: 2 });
    expect([bounded.complete, all.complete]).toEqual([true, true]);
    expect(all.executions).toBeGreaterThan(bounded.executions);
  });

  test("ends when it is told to, and says so", async () => {
    const stop = AbortSignal.abort();
    const job: Job = { ...JOB, name: "two-flushers", policy: "refcounted" };
    const explored = await exploreScenario(scenarioNamed(job.name), subjectOf(job), {
      signal: stop,
    });
    expect([explored.complete, explored.cutBy]).toEqual([false, "interrupt"]);
    expect(explored.executions).toBeGreaterThan(0);
  });
});

describe("a plan", () => {
  test("without a selection has every scenario and every known mistake", () => {
    const jobs = plan({});
    expect(jobs.filter(({ mutation }) => mutation === "none").length).toBeGreaterThan(10);
    expect(jobs.some(({ mutation }) => mutation === "ranged-flush-over-gap")).toBe(true);
  });

  test("of a mutation alone is the scenario that shows it", () => {
    expect(plan({ mutation: "ranged-flush-over-gap" }).map(({ name }) => name)).toEqual([
      "two-flushers",
    ]);
  });
});
