// I6 from both sides: what becomes of rq->prev_mm.

import { expect, test } from "vitest";
import type { LazyPolicy } from "../../src/kernel/state/lazy-policy.ts";
import { lazyPolicies } from "../../src/kernel/lazy/policies.ts";
import { protocols } from "../../src/kernel/shootdown/protocols.ts";
import { play } from "../kernel/scene.ts";
import { childAfterChild } from "./scenes.ts";

const { refcounted } = lazyPolicies;

test("a reference that finish_task_switch leaves where it was is reported at that switch", () => {
  const { violations } = play({ mutation: "prev-mm-kept" }, childAfterChild);
  expect(violations[0]).toMatchObject({ invariant: "I6" });
  expect(violations[0]!.message).toMatch(
    /^CPU \d takes (\w+) out of rq->prev_mm and leaves \1 there$/,
  );
  // It is dropped again at the next switch: found by the counters too, and later.
  const late = violations.find(({ invariant }) => invariant !== "I6");
  expect(late!.cycle).toBeGreaterThan(violations[0]!.cycle);
});

test("a reference that context_switch gives to nobody is reported at once", () => {
  const forgets: LazyPolicy = {
    ...refcounted,
    *kernelToUser(cpu, prev, next) {
      yield* refcounted.kernelToUser(cpu, prev, next);
      cpu.runQueue.prevMm = null;
    },
  };
  const { violations } = play({ policy: forgets }, childAfterChild);
  expect(violations[0]).toMatchObject({ invariant: "I6" });
  expect(violations[0]!.message).toMatch(/ends lazy use by .* and leaves nothing in rq->prev_mm$/);
  // The counters tell of the leak only at the end of the run.
  expect(violations.at(-1)).toMatchObject({ invariant: "I9" });
});

test("an mm that somebody puts there from outside is reported at the next switch", () => {
  const plants: LazyPolicy = {
    ...refcounted,
    *userToKernel(cpu, prev, next) {
      yield* refcounted.userToKernel(cpu, prev, next);
      cpu.runQueue.prevMm = prev.mm;
    },
  };
  const { violations } = play({ policy: plants }, childAfterChild);
  expect(violations[0]!.message).toMatch(/ends no lazy use, but \w+ is in rq->prev_mm$/);
});

test("a kernel thread that follows another is counted anew until linux-5.4, and not since", () => {
  const kept: LazyPolicy = {
    ...refcounted,
    *kernelToKernel(cpu, prev, next) {
      yield* refcounted.kernelToKernel(cpu, prev, next);
      cpu.runQueue.prevMm = null;
    },
  };
  const found = (name: "linux-4.20" | "linux-5.13"): string[] =>
    play({ policy: kept, protocol: protocols[name] }, childAfterChild).violations.map(
      ({ invariant }) => invariant,
    );
  expect([found("linux-4.20")[0], found("linux-5.13")]).toEqual(["I6", []]);
});

test("policies that count none leave there what they like, and take it once", () => {
  for (const name of ["shoot-lazies", "exit-unlazy", "hazard-pointer", "eager"] as const) {
    expect(play({ policy: lazyPolicies[name] }, childAfterChild).violations).toEqual([]);
  }
});
