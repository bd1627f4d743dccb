// Public reports of lazy users that are forgotten: a CPU that has left an mm by itself, and one
// that is not where the last user is. docs/public-reports.md has where they are from.

import { describe, expect, test } from "vitest";
import type { Scenario, Script } from "../../../src/explore/scenarios/scenario.ts";
import type { Stage } from "../../../src/explore/scenarios/stage.ts";
import { lazyPolicies } from "../../../src/kernel/lazy/policies.ts";
import { mmget, mmput } from "../../../src/kernel/memory/mm-count.ts";
import { unuseTemporaryMm, useTemporaryMm } from "../../../src/kernel/memory/temporary-mm.ts";
import {
  disableInterrupts,
  enableInterrupts,
  type KernelCode,
} from "../../../src/kernel/operation/operation.ts";
import { exitMm } from "../../../src/kernel/process/exit.ts";
import { kthreadUnuseMm, kthreadUseMm } from "../../../src/kernel/process/kthread.ts";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import type { Task } from "../../../src/kernel/state/task.ts";
import { verdict } from "../verdict.ts";

const POLICIES = ["refcounted", "shoot-lazies", "exit-unlazy", "hazard-pointer"] as const;

function* poke(cpu: Cpu, poking: Mm): KernelCode {
  yield* disableInterrupts();
  const prev = yield* useTemporaryMm(cpu, poking);
  yield* unuseTemporaryMm(cpu, prev);
  yield* enableInterrupts();
}

/** A kernel thread that has borrowed `a` has poked text; `a` dies while it does as `then` says. */
const poked = (then: (stage: Stage, kworker: Task, b: Mm) => Script): Scenario => ({
  name: "mine",
  summary: "a lazy CPU has been in a temporary mm when the mm that it borrowed dies",
  cpus: 2,
  prepare(stage) {
    const [cpu0, cpu1] = stage.cpus;
    const [a, b] = [stage.mm("a"), stage.mm("b")];
    const dying = stage.task(cpu0, "dying", a);
    stage.switchTo(dying);
    stage.leaveLazy(cpu1, a);
    const kworker = stage.task(cpu1, "kworker", null);
    stage.switchTo(kworker);
    stage.run(cpu1, poke(cpu1, stage.mm("poking_mm", 0)));
    return [() => exitMm(dying), then(stage, kworker, b)];
  },
});

describe("a lazy CPU has poked text, and the mm that it borrowed dies", () => {
  const sleeps = poked((stage, kworker) => () => stage.goToSleep(kworker));

  test.each(POLICIES)("while its thread goes to sleep, or borrows another: %s", async (policy) => {
    const borrows = poked(
      (_stage, kworker, b) =>
        function* () {
          yield* kthreadUseMm(kworker, b);
          yield* kthreadUnuseMm(kworker);
        },
    );
    expect(await verdict(sleeps, { policy })).toBe("clean");
    expect(await verdict(borrows, { policy })).toBe("clean");
  });

  test("while its thread goes to sleep, by the active_mm of linux-4.8", async () => {
    for (const policy of ["shoot-lazies", "exit-unlazy", "hazard-pointer"] as const) {
      expect(await verdict(sleeps, { policy, protocol: "linux-4.8" }), policy).toBe("clean");
    }
  });

  test.each(["shoot-lazies", "exit-unlazy"] as const)(
    "and is passed on if nobody tells %s that the CPU has left it",
    async (name) => {
      const policy = { ...lazyPolicies[name], *lazyFlushed() {} };
      expect(await verdict(sleeps, { policy })).toMatch(
        /^I5: CPU 1 passes a to .*, freed by CPU 0/,
      );
    },
  );
});

test.each(["linux-6.18", "linux-4.8"] as const)(
  "under %s a thread that has poked text is back in its own mm",
  async (protocol) => {
    const pokes: Scenario = {
      name: "mine",
      summary: "a thread goes to a temporary mm and back, and reads its page",
      cpus: 1,
      prepare(stage) {
        const [mm, poking] = [stage.mm("mm"), stage.mm("poking_mm", 0)];
        stage.switchTo(stage.task(stage.cpus[0], "thread", mm));
        return [
          function* (cpu) {
            yield* poke(cpu, poking);
            yield* stage.touch("read");
          },
        ];
      },
    };
    expect(await verdict(pokes, { protocol })).toBe("clean");
  },
);

describe("the last user of a borrowed mm is another process", () => {
  const scenario: Scenario = {
    name: "mine",
    summary: "a process drops the last user of an mm while its lazy user switches away",
    cpus: 2,
    prepare(stage) {
      const [cpu0, cpu1] = stage.cpus;
      const [a, b] = [stage.mm("a", 0), stage.mm("b")];
      stage.switchTo(stage.task(cpu0, "holder", b));
      stage.run(cpu0, mmget(a));
      stage.leaveLazy(cpu1, a);
      stage.makeReady(stage.task(cpu1, "next", b, () => stage.touch("read")));
      return [(cpu) => mmput(cpu, a)];
    },
  };

  test.each(POLICIES)("%s keeps it", async (policy) => {
    expect(await verdict(scenario, { policy })).toBe("clean");
  });

  test("unrefcounted does not", async () => {
    expect(await verdict(scenario, { policy: "unrefcounted" })).toMatch(/^I[45]: CPU/);
  });
});
