// Calls of an idle CPU that polls, in every order: by store only since 5.13, no call is lost.

import { expect, test } from "vitest";
import { exploreScenario } from "../../../src/explore/search/explorer.ts";
import type { Scenario } from "../../../src/explore/scenarios/scenario.ts";
import type { Stage } from "../../../src/explore/scenarios/stage.ts";
import { callMany, waitForCalls } from "../../../src/kernel/cpu/smp.ts";
import { wakeUp } from "../../../src/kernel/cpu/schedule.ts";
import { lazyPolicies } from "../../../src/kernel/lazy/policies.ts";
import type { KernelCode } from "../../../src/kernel/operation/operation.ts";
import { protocols } from "../../../src/kernel/shootdown/protocols.ts";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import type { Task } from "../../../src/kernel/state/task.ts";

/** A running task of a CPU, which may wake others. */
function runTask(stage: Stage, cpu: Cpu, mm: Mm): void {
  stage.switchTo(stage.task(cpu, `thread${cpu.id}`, mm));
}

/** CPU 0 calls CPU 1, which idles; CPU 2 calls it too, or wakes a task on it. */
const scenario = (meanwhile: "call" | "wake"): Scenario => ({
  name: "call-idle",
  summary: "an idle CPU is called while a third calls it too, or wakes a task there",
  cpus: 3,
  prepare(stage) {
    const [cpu0, cpu1, cpu2] = stage.cpus;
    const mm = stage.mm("a", 0);
    runTask(stage, cpu0, mm);
    runTask(stage, cpu2, mm);
    const sleeper: Task = stage.task(cpu1, "sleeper", mm);
    const callOne = function* (cpu: Cpu): KernelCode {
      let hasRun = false;
      const called = yield* callMany(cpu, [1], function* () {
        hasRun = true;
      });
      yield* waitForCalls(called);
      expect(hasRun, "a call that is over has run").toBe(true);
    };
    const other = (cpu: Cpu): KernelCode =>
      meanwhile === "call" ? callOne(cpu) : wakeUp(cpu, sleeper);
    return [callOne, undefined, other];
  },
});

test.each(["linux-4.8", "linux-4.15", "linux-5.13", "linux-6.18"] as const)(
  "an idle CPU misses no call (%s)",
  async (name) => {
    for (const meanwhile of ["call", "wake"] as const) {
      const code = { policy: lazyPolicies.refcounted, protocol: protocols[name] };
      const result = await exploreScenario(
        scenario(meanwhile),
        { ...code, memory: "tso" },
        { seconds: 20 },
      );
      expect([result.violations, result.cutBy]).toEqual([[], null]);
      expect(result.executions).toBeGreaterThan(1);
    }
  },
);
