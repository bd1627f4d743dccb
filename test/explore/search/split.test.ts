// An exploration in parts: whoever explores them, and whoever answers first, the same comes out.

import { describe, expect, test } from "vitest";
import { ScenarioSystem } from "../../../src/explore/execution/scenario-system.ts";
import { type ExploreBounds, limitsOf } from "../../../src/explore/search/bounds.ts";
import { Explorer } from "../../../src/explore/search/explorer.ts";
import { type ExploreJob, subjectOf } from "../../../src/explore/explore-job.ts";
import { explorePart, type Part } from "../../../src/explore/search/part.ts";
import type { Shares } from "../../../src/explore/search/pass.ts";
import { scenarioNamed } from "../../../src/explore/scenarios/scenarios.ts";

const JOB: ExploreJob = {
  name: "two-flushers",
  policy: "refcounted",
  protocol: "linux-4.20",
  mutation: "none",
  memory: "tso",
};
const WRONG: ExploreJob = {
  ...JOB,
  name: "discard-against-unlazy",
  mutation: "unlazy-without-barrier",
};
const SMALL: Shares = { first: 20, each: 10 };
const WHOLE: Shares = { first: Infinity, each: Infinity };

interface Told {
  readonly executions: number;
  readonly parts: number;
  readonly complete: boolean;
  readonly cutBy: string | null;
  readonly foundAfter: number | null;
  readonly violations: readonly { readonly schedule: readonly unknown[] }[];
}

/** `threads` explore at once, and of those under way the `answers`-th answers next. */
function explored(
  job: ExploreJob,
  bounds: ExploreBounds,
  shares: Shares,
  { threads = 1, answers = 0 } = {},
): Told {
  const [scenario, subject] = [scenarioNamed(job.name), subjectOf(job)];
  const explorations = Array.from({ length: threads }, () => new ScenarioSystem(scenario, subject));
  const explorer = new Explorer(bounds, shares);
  const underWay: { part: Part; exploration: ScenarioSystem }[] = [];
  let parts = 0;
  for (;;) {
    while (explorations.length > 0) {
      const part = explorer.next();
      if (part === undefined) break;
      underWay.push({ part, exploration: explorations.pop()! });
    }
    const [now] = underWay.splice(Math.min(answers, underWay.length - 1), 1);
    if (now === undefined) break;
    const { locations } = now.exploration.executor;
    explorer.accept(now.part, explorePart(now.exploration, locations, now.part, limitsOf(bounds)));
    explorations.push(now.exploration);
    parts++;
  }
  return { ...explorer.result(scenario, subject), parts };
}

const lengthOf = ({ violations }: Told): number => violations[0]!.schedule.length;

describe("an exploration in parts", () => {
  test("covers what it covers in one piece, in as many executions", () => {
    const whole = explored(JOB, {}, WHOLE);
    const split = explored(JOB, {}, SMALL);
    expect([whole.complete, split.complete]).toEqual([true, true]);
    expect(split.parts).toBeGreaterThan(30);
    expect(split.executions / whole.executions).toBeLessThan(1.1);
  });

  describe.each([JOB, WRONG])("of $name under mutation $mutation", (job) => {
    const { parts: _one, ...alone } = explored(job, {}, SMALL);

    test.each([
      [3, 2],
      [7, 6],
    ])("is the same with %i threads, of which number %i answers first", (threads, answers) => {
      const { parts: _many, ...together } = explored(job, {}, SMALL, { threads, answers });
      expect(together).toEqual(alone);
      expect(alone.violations).toHaveLength(job === WRONG ? 1 : 0);
    });
  });

  test("looks further for a schedule that needs fewer steps than the first that fails", () => {
    const wrong = { name: "two-flushers", mutation: "ranged-flush-over-gap" } as const;
    const job: ExploreJob = { ...JOB, ...wrong, protocol: "linux-6.18", memory: "sc" };
    const first = explored(job, { maxExecutions: 1 }, WHOLE);
    const best = explored(job, {}, WHOLE);
    expect([first.foundAfter, best.foundAfter]).toEqual([1, 1]);
    expect(best.executions).toBeGreaterThan(first.executions);
    expect(lengthOf(best)).toBeLessThan(lengthOf(first));
  });

  test("makes exactly as many executions as it may", () => {
    for (const maxExecutions of [1, 20, 33, 100]) {
      const few = explored(JOB, { maxExecutions }, SMALL, { threads: 3, answers: 2 });
      expect(few).toMatchObject({
        executions: maxExecutions,
        complete: false,
        cutBy: "executions",
      });
    }
  });

  test("is complete where the bound is not hit, with and without reduction", () => {
    const job: ExploreJob = { ...JOB, name: "exit-unmapped-while-lazy", protocol: "linux-6.18" };
    for (const bound of [{ preemptionBound: 1 }, { maxExecutions: 100_000 }]) {
      const { executions } = explored(job, bound, WHOLE);
      const split = explored(job, bound, { first: 5, each: 5 }, { threads: 2, answers: 1 });
      expect(split).toMatchObject({ executions, complete: true, cutBy: null });
    }
  });
});
