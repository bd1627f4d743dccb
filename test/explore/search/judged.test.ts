// The reduction hides nothing from the checkers: what they say of some order of all steps, all of
// them watching, they say of one of the orders that are explored.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ExploreJob, subjectOf } from "../../../src/explore/explore-job.ts";
import { scenarioNamed } from "../../../src/explore/scenarios/scenarios.ts";
import { type Deed, FREE_DEEDS, scenarioOf } from "../judged-programs.ts";
import { outcomesOf } from "../outcomes.ts";

const KERNEL = {
  policy: "refcounted",
  protocol: "linux-6.18",
  mutation: "none",
  memory: "sc",
} as const;

/** All orders of these are few enough to be tried; some fail. */
const SCENARIOS: readonly (readonly [job: ExploreJob, outcomes: number])[] = [
  [{ ...KERNEL, name: "exit-unmapped-while-lazy", policy: "null-prev" }, 2],
  [{ ...KERNEL, name: "exit-unmapped-while-lazy", policy: "unrefcounted" }, 2],
  [{ ...KERNEL, name: "kthread-leaves-dying" }, 1],
  [
    {
      ...KERNEL,
      name: "kthread-against-exit",
      protocol: "linux-4.20",
      mutation: "freed-tables-under-lazy-cpus",
    },
    2,
  ],
];

/** Each has an order that fails, which no order of the others stands for. */
const ORDERS: readonly (readonly [what: string, program: Deed[][], isMapped: boolean])[] = [
  [
    "an entry that comes back as it was, and a flush that returns",
    [["clearEntry", "putBack"], ["flush"]],
    true,
  ],
  ["a flush that returns, and who relies on the same page", [["flush"], ["replace", "rely"]], true],
  [
    "a flush that returns, and the generation of another's flush",
    [
      ["raiseGeneration", "signal"],
      ["clearEntry", "beginFlush", "endFlush", "wait"],
    ],
    true,
  ],
  [
    "a flush that returns, and a claim of which the CPU leaves what it is about",
    [
      ["claim", "leaveKeeping"],
      ["replace", "raiseGeneration", "beginFlush", "wait", "endFlush"],
      ["signal"],
    ],
    true,
  ],
  [
    "an entry that appears, and a CPU that leaves the root and keeps what it has cached",
    [
      ["leaveKeeping", "signal", "waitBack", "enterKeeping", "use"],
      ["putBack", "wait", "replace", "rely", "signalBack"],
    ],
    false,
  ],
  [
    "an entry that is made clean, and another CPU's first write, which makes it dirty",
    [["clean", "rely"], ["write"], ["invalidate", "write"]],
    true,
  ],
  [
    "an entry that changes, and a vCPU that is entered with a flush",
    [["preemptOther", "askHostOnly", "replace", "rely"], ["use"]],
    true,
  ],
];

describe("the checkers say the same with the reduction and without", () => {
  test.each(SCENARIOS)("of $name under $policy, $mutation", (job, count) => {
    const [scenario, subject] = [scenarioNamed(job.name), subjectOf(job)];
    const all = outcomesOf(scenario, subject, "none");
    const reduced = outcomesOf(scenario, subject, "source");
    expect([...reduced.outcomes].toSorted()).toEqual([...all.outcomes].toSorted());
    expect(all.outcomes.size).toBe(count);
    expect(reduced.executions).toBeLessThan(all.executions);
  });

  test.each(ORDERS)("of %s", (_what, program, isMapped) => {
    const subject = subjectOf({ ...KERNEL, name: "judged", protocol: "linux-5.13" });
    const all = outcomesOf(scenarioOf(program, { isMapped }), subject, "none");
    const reduced = outcomesOf(scenarioOf(program, { isMapped }), subject, "source");
    expect([...reduced.outcomes].toSorted()).toEqual([...all.outcomes].toSorted());
    expect(all.outcomes.size).toBeGreaterThan(1);
  });

  test("of programs of any kind", () => {
    const deeds = fc.constantFrom(...FREE_DEEDS);
    const code = fc.array(deeds, { minLength: 1, maxLength: 2 });
    const subject = subjectOf({ ...KERNEL, name: "judged", protocol: "linux-5.13" });
    let failing = 0;
    const judge = (first: Deed[], second: Deed[]): void => {
      const program = [first, second];
      const all = outcomesOf(scenarioOf(program), subject, "none", 2000);
      if (!all.complete) return;
      const reduced = outcomesOf(scenarioOf(program), subject, "source");
      expect([...reduced.outcomes].toSorted()).toEqual([...all.outcomes].toSorted());
      if (all.outcomes.size > 1) failing++;
    };
    judge(["flush"], ["replace"]); // what is cached is compared with the tables when it returns
    judge(["flush"], ["clearBit"]); // a flush that begins judges who is in mm_cpumask
    fc.assert(fc.property(code, code, judge), { seed: 20181014, numRuns: 60 });
    expect(failing).toBeGreaterThan(10);
  }, 120_000);
});
