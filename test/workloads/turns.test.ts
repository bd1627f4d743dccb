// two-mms, shared-mms and two-threads, which take turns on each CPU, and writeback.

import { describe, expect, test } from "vitest";
import type { WorkloadName } from "../../src/workloads/workloads.ts";
import { eventsOf } from "../kernel/scene.ts";
import { measure, measuredPart, playWorkload, switchesPerSecond } from "./runs.ts";

const eachCpu = (...names: string[]): string[] =>
  [0, 1, 2].flatMap((cpu) => names.map((name) => name.replace("#", String(cpu))));

describe("taking turns", () => {
  const WHO_SHARES: readonly (readonly [WorkloadName, readonly string[]])[] = [
    ["two-mms", eachCpu("task#.0", "task#.1")],
    ["shared-mms", ["process0", "process1"]],
    ["two-threads", []],
  ];

  test.each(WHO_SHARES)("%s has the address spaces that it says", (name, own) => {
    const outcome = playWorkload(name, { cores: 3, rounds: 8 });
    const made = eventsOf(outcome, "mmCreated").map(({ mm }) => mm.name);
    expect(made.filter((mm) => mm !== "init" && mm !== "test").sort()).toEqual(own);
  });

  test.each(WHO_SHARES)("%s switches between a CPU's two tasks, never through idle", (name) => {
    const switches = measuredPart(playWorkload(name, { cores: 3, rounds: 8 })).flatMap((event) =>
      event.kind === "switched" ? [event] : [],
    );
    expect(switches.length).toBeGreaterThan(3 * 8);
    for (const { from, to, at } of switches) {
      expect([from.name, to.name].sort()).toEqual([`task${at.cpu}.0`, `task${at.cpu}.1`]);
    }
  });

  test.each(WHO_SHARES)("%s counts no start-up: few rounds have the rate of many", async (name) => {
    const at = async (rounds: number): Promise<number> =>
      switchesPerSecond(await measure(name, { cores: 8, rounds, pages: 1 }));
    expect((await at(4)) / (await at(40))).toBeCloseTo(1, 1);
  });
});

describe("writeback", () => {
  test("syncs each page by itself, and the next write to it faults", () => {
    const [cores, rounds, pages] = [3, 4, 5];
    const outcome = playWorkload("writeback", { cores, rounds, pages });
    const flushes = measuredPart(outcome).flatMap((event) =>
      event.kind === "flushBegin" ? [event.range.end - event.range.start] : [],
    );
    expect(flushes).toEqual(Array(cores * rounds * pages).fill(1));
    expect(eventsOf(outcome, "operationDone")).toHaveLength(cores * rounds * pages);
  });
});
