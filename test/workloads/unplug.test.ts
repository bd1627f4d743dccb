// unplug: CPUs go one by one, and nobody interrupts them any more.

import { expect, test } from "vitest";
import { eventsOf } from "../kernel/scene.ts";
import { playWorkload } from "./runs.ts";

test("takes a CPU offline in each round, the last first, for as long as there are any", () => {
  const { kernel } = playWorkload("unplug", { cores: 4, rounds: 2 });
  expect(kernel.cpus.map(({ isDead }) => isDead.value)).toEqual([false, false, true, true]);
  const all = playWorkload("unplug", { cores: 4, rounds: 8 }).kernel.cpus;
  expect(all.map(({ isDead }) => isDead.value)).toEqual([false, true, true, true]);
});

test("a CPU that goes has walked the tables that are freed next, and is on init_mm by then", () => {
  const outcome = playWorkload("unplug", { cores: 3, rounds: 2 });
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  const lastRead = outcome.events.findIndex(
    (event) => event.kind === "switched" && event.from.name === "last2",
  );
  const freed = outcome.events.findIndex(({ kind }) => kind === "tableFreed");
  expect(lastRead).toBeGreaterThan(0);
  expect(freed).toBeGreaterThan(lastRead);
  const wrong = playWorkload("unplug", { cores: 3, rounds: 2, mutation: "unplug-keeps-lazy-mm" });
  expect(wrong.violations[0]).toMatchObject({ invariant: "I2", cpus: [0, 2] });
});

test("every other CPU stands still for each that goes", () => {
  const outcome = playWorkload("unplug", { cores: 4, rounds: 3 });
  const stoppers = eventsOf(outcome, "switched").filter(({ to }) =>
    to.name.startsWith("migration"),
  );
  const ids = new Set(stoppers.map(({ to }) => `${to.name} ${to.pid}`));
  expect(ids.size).toBe(3 + 2 + 1);
});
