// What ends an exploration from outside: a signal, also one that came before, and the time.

import { expect, test, vi } from "vitest";
import { explore } from "../../../src/explore/explore.ts";
import { type ExploreJob, subjectOf } from "../../../src/explore/explore-job.ts";
import { exploreJob } from "../../../src/explore/scenario-result.ts";
import { scenarioNamed } from "../../../src/explore/scenarios/scenarios.ts";
import { exploreScenario } from "../../../src/explore/search/explorer.ts";

const JOB: ExploreJob = {
  name: "two-flushers",
  policy: "refcounted",
  protocol: "linux-6.18",
  mutation: "none",
  memory: "tso",
};
const { name, mutation: _mutation, ...kernel } = JOB;
const exploring = (bounds: object) => exploreScenario(scenarioNamed(name), subjectOf(JOB), bounds);

test.each([1, 2])("a signal that came before is heeded, on %d threads", async (workers) => {
  const signal = AbortSignal.abort();
  const { scenarios } = await explore({ scenarios: [name], ...kernel }, { workers, signal });
  expect(scenarios).toEqual([]);
});

test("a signal that came before ends a single job before its first execution", async () => {
  const result = await exploreJob(JOB, { signal: AbortSignal.abort() });
  expect(result).toMatchObject({ executions: 0, complete: false, cutBy: "interrupt" });
});

test("who asks for an end is heard after each execution, not after two thousand", async () => {
  let asked = 0;
  const result = await exploring({ isStopped: () => ++asked >= 3 });
  expect(result).toMatchObject({ complete: false, cutBy: "interrupt" });
  expect(result.executions).toBeLessThanOrEqual(3);
});

test("time that is over is noticed after each execution, not after two thousand", async () => {
  let now = 0;
  const clock = vi.spyOn(performance, "now").mockImplementation(() => (now += 4));
  try {
    const result = await exploring({ seconds: 1 });
    expect(result).toMatchObject({ complete: false, cutBy: "time" });
    expect(result.executions).toBeLessThan(250);
  } finally {
    clock.mockRestore();
  }
});
