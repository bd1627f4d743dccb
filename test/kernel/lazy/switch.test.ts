// context_switch's four cases under every lazy-TLB policy: who counts, who borrows, who loads CR3.

import { createTask } from "../../../src/kernel/process/fork.ts";
import { describe, expect, test } from "vitest";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import { lazyPolicies, type LazyPolicyName } from "../../../src/kernel/lazy/policies.ts";
import {
  disableInterrupts,
  enableInterrupts,
  type KernelCode,
} from "../../../src/kernel/operation/operation.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import type { Task } from "../../../src/kernel/state/task.ts";
import { type Lab, play, type Script } from "../lab.ts";

/** What one switch did, finish_task_switch included. */
interface Step {
  /** mm_count of the process that is lazily used, after the switch and after its finish. */
  readonly count: readonly [number, number];
  /** Locked operations on reference counters, in the switch and in its finish. */
  readonly operations: readonly [number, number];
  readonly prevMm: string | null;
  readonly lazyMm: string | null;
  /** prev->active_mm and next->active_mm. */
  readonly active: readonly [string | null, string | null];
  readonly cr3Writes: number;
}

type Case = "idle to A" | "A to K" | "K to L" | "L to A" | "A to B";

/** One CPU: from idle to a user task of A, through kernel threads K and L back to A, then to B. */
function switchAround(name: LazyPolicyName): Record<Case, Step> {
  const steps: Partial<Record<Case, Step>> = {};
  const script: Script = function* (cpu, lab) {
    const a = lab.mm("A");
    const task = (name: string, mm: Mm | null): Task => {
      const program = function* (): KernelCode {};
      const made = createTask({ name, program, cpu }, null, mm === null);
      made.mm = made.activeMm = mm;
      return made;
    };
    const [userA, userB] = [task("A", a), task("B", lab.mm("B"))];
    const [k, l] = [task("K", null), task("L", null)];
    steps["idle to A"] = yield* step(cpu, lab, a, [cpu.idle, userA]);
    steps["A to K"] = yield* step(cpu, lab, a, [userA, k]);
    steps["K to L"] = yield* step(cpu, lab, a, [k, l]);
    steps["L to A"] = yield* step(cpu, lab, a, [l, userA]);
    steps["A to B"] = yield* step(cpu, lab, a, [userA, userB]);
  };
  const { violations } = play({ policy: lazyPolicies[name], cores: 1 }, script);
  expect(violations).toEqual([]);
  return steps as Record<Case, Step>;
}

function* step(cpu: Cpu, lab: Lab, mm: Mm, [prev, next]: readonly [Task, Task]): KernelCode<Step> {
  const { lazyPolicy } = cpu.kernel;
  const [start, writes] = [lab.count("refcountOperation"), lab.count("cr3Written")];
  yield* disableInterrupts();
  if (next.mm === null) {
    if (prev.mm === null) yield* lazyPolicy.kernelToKernel(cpu, prev, next);
    else yield* lazyPolicy.userToKernel(cpu, prev, next);
  } else if (prev.mm === null) yield* lazyPolicy.kernelToUser(cpu, prev, next);
  else yield* lazyPolicy.userToUser(cpu, prev, next);
  yield* enableInterrupts();
  const [count, switched] = [mm.mmCount.value, lab.count("refcountOperation")];
  const owed = cpu.runQueue.prevMm;
  cpu.runQueue.prevMm = null;
  yield* lazyPolicy.finishSwitch(cpu, owed);
  return {
    count: [count, mm.mmCount.value],
    operations: [switched - start, lab.count("refcountOperation") - switched],
    prevMm: owed?.name ?? null,
    lazyMm: cpu.runQueue.lazyMm.value?.name ?? null,
    active: [prev.activeMm?.name ?? null, next.activeMm?.name ?? null],
    cr3Writes: lab.count("cr3Written") - writes,
  };
}

describe("refcounted", () => {
  const steps = switchAround("refcounted");

  test("user to kernel grabs mm_count, by one locked operation", () => {
    expect(steps["A to K"]).toMatchObject({ count: [2, 2], operations: [1, 0], prevMm: null });
    expect(steps["A to K"].active).toEqual(["A", "A"]);
  });

  test("kernel to kernel hands the reference on without a locked operation", () => {
    expect(steps["K to L"]).toMatchObject({ count: [2, 2], operations: [0, 0], prevMm: null });
    expect(steps["K to L"].active).toEqual([null, "A"]);
  });

  test("kernel to user leaves the drop to finish_task_switch", () => {
    expect(steps["L to A"]).toMatchObject({ count: [2, 1], operations: [0, 1], prevMm: "A" });
    expect(steps["L to A"].active).toEqual([null, "A"]);
    expect(steps["idle to A"]).toMatchObject({ operations: [0, 1], prevMm: "init_mm" });
  });

  test("user to user touches no counter", () => {
    expect(steps["A to B"]).toMatchObject({ count: [1, 1], operations: [0, 0], prevMm: null });
  });
});

describe.each([
  "unrefcounted",
  "null-prev",
  "fewer-parameters",
  "shoot-lazies",
  "exit-unlazy",
] as const)("%s", (name) => {
  test("touches no counter in any of the cases", () => {
    for (const step of Object.values(switchAround(name))) {
      expect(step).toMatchObject({ count: [1, 1], operations: [0, 0], lazyMm: null });
    }
  });
});

describe("the kernel thread that is switched away from", () => {
  test("keeps a stale active_mm under unrefcounted, where the clearing is compiled out", () => {
    const { active, prevMm } = switchAround("unrefcounted")["L to A"];
    expect([active, prevMm]).toEqual([["A", "A"], null]);
  });

  test.each(["refcounted", "shoot-lazies", "exit-unlazy", "hazard-pointer"] as const)(
    "borrows nothing any more under %s",
    (name) => {
      expect(switchAround(name)["L to A"].active).toEqual([null, "A"]);
    },
  );

  test.each(["null-prev", "fewer-parameters"] as const)(
    "never had an active_mm under %s",
    (name) => {
      const steps = switchAround(name);
      expect(steps["A to K"].active[1]).toBe(null);
      expect(steps["L to A"].active[0]).toBe(null);
    },
  );
});

describe("hazard-pointer", () => {
  const steps = switchAround("hazard-pointer");

  test("names the borrowed mm in rq->lazy_mm from user to kernel until kernel to user", () => {
    const lazyMms = (["A to K", "K to L", "L to A", "A to B"] as const).map(
      (name) => steps[name].lazyMm,
    );
    expect(lazyMms).toEqual(["A", "A", null, null]);
  });

  test("touches no counter while the mm has users", () => {
    for (const { operations } of Object.values(steps)) expect(operations).toEqual([0, 0]);
  });
});

describe("CR3", () => {
  test("is written on every change between user and kernel under eager", () => {
    const steps = switchAround("eager");
    expect(Object.values(steps).map(({ cr3Writes }) => cr3Writes)).toEqual([1, 1, 0, 1, 1]);
    expect(steps["A to K"].active[1]).toBe("init_mm");
    expect(Object.values(steps).map(({ operations }) => operations)).toEqual(
      Array.from({ length: 5 }, () => [0, 0]),
    );
  });

  const lazyOnes = Object.keys(lazyPolicies).filter((name) => name !== "eager") as LazyPolicyName[];

  test.each(lazyOnes)("is written only when the user address space changes under %s", (name) => {
    const steps = Object.values(switchAround(name));
    expect(steps.map(({ cr3Writes }) => cr3Writes)).toEqual([1, 0, 0, 0, 1]);
  });
});
