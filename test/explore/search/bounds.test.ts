// What bounds, jobs and selections of the library can have wrong: none of it passes for an
// exploration.

import { describe, expect, test } from "vitest";
import { explore, type ExploreOptions } from "../../../src/explore/explore.ts";
import type { ExploreJob } from "../../../src/explore/explore-job.ts";
import type { Selection } from "../../../src/explore/explore-plan.ts";
import { exploreJob } from "../../../src/explore/scenario-result.ts";
import type { Scenario } from "../../../src/explore/scenarios/scenario.ts";
import { Pass, SHARES } from "../../../src/explore/search/pass.ts";
import { fence, type KernelCode, workUntil } from "../../../src/kernel/operation/operation.ts";
import { scratch } from "../../scratch.ts";
import type { PartResult } from "../../../src/explore/search/part.ts";

const { file } = scratch("bounds");

const JOB: ExploreJob = {
  name: "exit-while-lazy",
  policy: "unrefcounted",
  protocol: "linux-6.18",
  mutation: "none",
  memory: "tso",
};
const SELECTION = { scenarios: [JOB.name], policy: "unrefcounted", protocol: "linux-6.18" };

const WRONG: [options: object, message: string | RegExp][] = [
  [{ preemptionBound: -1 }, "preemptionBound: -1: a whole number, 0 or more"],
  [{ preemptionBound: NaN }, "preemptionBound: NaN: a whole number, 0 or more"],
  [{ maxExecutions: 0 }, "maxExecutions: 0: a whole number, 1 or more"],
  [{ maxSteps: 2.5 }, "maxSteps: 2.5: a whole number, 1 or more"],
  [{ seconds: -1 }, "seconds: -1: a number above 0"],
  [{ reduction: "sauce" }, 'reduction: "sauce": did you mean source? one of none, source'],
  [{ maxStep: 5 }, /^options: "maxStep": did you mean maxSteps\?/],
];

describe("a bound that is none is bad input", () => {
  test.each(WRONG)("%j, of explore and of exploreJob", async (options, message) => {
    await expect(explore(SELECTION, options)).rejects.toThrow(message);
    await expect(exploreJob(JOB, options)).rejects.toThrow(message);
  });

  test.each([0, NaN, -2, 1.5])("%d worker threads", async (workers) => {
    await expect(explore(SELECTION, { workers })).rejects.toThrow(/^workers: .*: a whole number/);
  });
});

test("a reduction and a bound on preemptions do not go together, and say so", async () => {
  const both: ExploreOptions = { preemptionBound: 1, reduction: "source" };
  await expect(explore(SELECTION, both)).rejects.toThrow(
    'reduction: "source": leaves orders out under a bound on preemptions; give one of the two',
  );
  const { scenarios } = await explore(
    { scenarios: ["last-lazy-user-leaves"], policy: "refcounted", memory: "sc" },
    { preemptionBound: 1, reduction: "none" },
  );
  expect(scenarios).toMatchObject([{ complete: true, preemptionBound: 1 }]);
});

test.each([
  [{ mutation: "no-such-mistake" }, /^mutation: "no-such-mistake": /],
  [{ name: "exit-while-lasy" }, /^SCENARIO: "exit-while-lasy": did you mean exit-while-lazy\?/],
  [{ policy: "refcount" }, /^lazy policy: "refcount": did you mean refcounted\?/],
  [{ protocol: "linux" }, /^protocol: "linux": /],
  [{ memory: "weak" }, /^job.memory: "weak": /],
  [{ polycy: "eager" }, /^job: "polycy": did you mean policy\?/],
])("a job of %j is bad input", async (wrong, message) => {
  await expect(exploreJob({ ...JOB, ...wrong } as ExploreJob, {})).rejects.toThrow(message);
});

const SCENARIO: Scenario = { name: "mine", summary: "nothing", cpus: 1, prepare: () => [] };

test.each([
  [{ everyPolcy: true }, /^scenarios: mine: "everyPolcy": did you mean everyPolicy\?/],
  [{ ticks: 1 }, /^scenarios: mine.ticks: 1: true or false/],
  [{ breaks: 5 }, /^scenarios: mine.breaks: 5: a list of/],
  [{ breaks: [{ reasons: "x" }] }, /^scenarios: mine.breaks: "reasons": did you mean reason\?/],
  [{ breaks: [{ reason: "x", policies: "eager" }] }, /^scenarios: mine.breaks.policies: "eager":/],
  [{ protocols: "linux-6.18" }, /^scenarios: mine.protocols: "linux-6.18": a list of names/],
  [{ protocols: ["linux"] }, /^scenarios: mine.protocols: "linux": /],
  [{ kernel: 5 }, /^scenarios: mine.kernel: 5: an object of kernel options/],
  [{ prepare: async () => [] }, /^mine.prepare: "\[object Promise\]": return a list/],
])("a scenario with %j is bad input", async (wrong, message) => {
  const scenario = { ...SCENARIO, ...wrong } as unknown as Scenario;
  await expect(explore({ scenarios: [scenario] })).rejects.toThrow(message);
});

test.each([
  [{ scenarios: "mine" }, 'scenarios: "mine": give a list'],
  [{ scenarios: [null] }, "scenarios: null: an object with name and prepare"],
  [{ mutations: "none" }, /^selection: "mutations": did you mean mutation\?/],
])("a selection of %j is bad input", async (wrong, message) => {
  await expect(explore(wrong as Selection)).rejects.toThrow(message);
});

test.each([
  ['the operation "no": there is none of that name', { kind: "no" }],
  ["[object Number]: write yield* where it calls kernel code", 42],
  ["[object Promise]: write yield* where it calls kernel code", Promise.resolve()],
  ["[object Generator]: write yield* where it calls kernel code", fence()],
])("a script that yields no operation is told: %s", async (message, yielded) => {
  const script = function* (): KernelCode {
    yield yielded as never;
  };
  const scenario = { ...SCENARIO, prepare: () => [script] };
  await expect(explore({ scenarios: [scenario] })).rejects.toThrow(`has yielded ${message}`);
});

test("a script that loops over what no other CPU notices is told", async () => {
  const script = function* (): KernelCode {
    for (;;) yield* workUntil(0);
  };
  const scenario = { ...SCENARIO, prepare: () => [script] };
  await expect(explore({ scenarios: [scenario] })).rejects.toThrow(
    "100000 operations in a row that no other CPU could notice: is it a loop?",
  );
});

test("a getter of a file's scenario that throws is told in one line", async () => {
  const text = 'export const s = { get name() { throw new Error("no name"); }, prepare() {} };\n';
  await expect(explore({ scenarios: [file("getter.mjs", text)] })).rejects.toThrow(
    /getter.mjs: "a scenario": its code fails: no name/,
  );
});

test("a pass in which no execution ended is not complete", () => {
  const pass = new Pass([], Infinity, SHARES);
  const nothing: PartResult = {
    executions: 0,
    redundant: 0,
    depth: 0,
    wasCut: false,
    asked: [],
    left: [],
    failing: [],
    foundAfter: null,
    owners: [],
  };
  pass.accept(pass.next()!, nothing);
  expect([pass.isOver, pass.isComplete]).toEqual([true, false]);
});
