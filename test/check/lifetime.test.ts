// I5, I9 and I10: freed address spaces, lost and double references, and waits that never end.

import { expect, test } from "vitest";
import { lazyPolicies } from "../../src/kernel/lazy/policies.ts";
import type { LazyPolicy } from "../../src/kernel/state/lazy-policy.ts";
import { eventsOf, play } from "../kernel/scene.ts";
import * as scenes from "./scenes.ts";
import { dropsTwice, losesDrop, neverAnswers } from "./wrong-kernels.ts";

const { childAfterChild, protectUnderLazy, protectUnderReader } = scenes;

test("a freed mm that core code passes on is reported with CPU, mm and both cycles", () => {
  const outcome = play({ policy: lazyPolicies.unrefcounted }, childAfterChild);
  const [first] = outcome.violations;
  const free = eventsOf(outcome, "mmFreed").find(({ mm }) => mm.name === "first")!;
  expect(first).toMatchObject({ invariant: "I5", mm: "first", cpus: [1] });
  expect(first!.message).toBe(
    `CPU 1 passes first to enter_lazy_tlb, freed by CPU 1 at cycle ${free.at.cycle}`,
  );
  expect(first!.cycle).toBeGreaterThan(free.at.cycle);
  expect(outcome.violations.map(({ message }) => message).join()).toContain("switch_mm_irqs_off");
});

test("a counter of a freed mm that is read is reported", () => {
  const { violations } = play({ policy: dropsTwice }, protectUnderReader);
  const read = violations.find(({ invariant }) => invariant === "I5")!;
  expect(read.message).toMatch(/^CPU \d reads or writes init_mm\.mm_count, freed by CPU \d at/);
});

test("a reference that is never dropped is reported at the end", () => {
  const { violations, ended } = play({ policy: losesDrop }, childAfterChild);
  expect(ended).toBe("stopped");
  expect(violations.every(({ invariant }) => invariant === "I9")).toBe(true);
  expect(violations.map(({ mm }) => mm)).toEqual(expect.arrayContaining(["test", "first"]));
  const first = violations.find(({ mm }) => mm === "first")!;
  expect(first.message).toBe("first ends with mm_count 1, explained are 0");
});

test("a reference that is dropped twice is reported by the drop that has none to give", () => {
  const { violations } = play({ policy: dropsTwice }, protectUnderReader);
  const twice = violations.find(({ invariant }) => invariant === "I9")!;
  expect(twice.message).toMatch(/^CPU \d drops mm_count of \w+ below zero$/);
  expect(twice.cpus).toHaveLength(1);
});

test("a call slot that is never released ends in a deadlock that names who waits on what", () => {
  const { violations, ended } = play({ protocol: neverAnswers }, protectUnderReader);
  expect(ended).toBe("deadlock");
  expect(violations).toHaveLength(1);
  expect(violations[0]).toMatchObject({ invariant: "I10", cpus: [0, 1] });
  expect(violations[0]!.message).toBe(
    "no CPU can go on: CPU 0 (test) on cpu0.csd[1], CPU 1 (reader) on never",
  );
});

test("an idle CPU whose idle task waits in a handler is named, too", () => {
  const { violations } = play({ protocol: neverAnswers }, protectUnderLazy);
  expect(violations[0]!.message).toContain("CPU 1 (swapper/1) on never");
});

/** Nothing but a reference keeps a root alive where nothing was flushed: freed-table.test.ts. */
const UNFLUSHED = new Set<unknown>([scenes.exitUntouched, scenes.exitUnmapped]);
const WITHOUT_LIFETIME = ["null-prev", "fewer-parameters"];

const correct: readonly LazyPolicy[] = Object.values(lazyPolicies).filter(
  ({ expected }) => expected === "ok",
);

test.each(correct)("no checker reports anything of $name in any scene", (policy) => {
  for (const [name, scene] of Object.entries(scenes)) {
    if (UNFLUSHED.has(scene) && WITHOUT_LIFETIME.includes(policy.name)) continue;
    for (const options of [{ pcid: true }, { pcid: false, idle: "halt" }] as const) {
      const { violations, ended } = play({ policy, ...options }, scene);
      expect([name, ended, violations]).toEqual([name, "stopped", []]);
    }
  }
});
