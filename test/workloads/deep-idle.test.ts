// Idle CPUs in C6, which lose their TLBs and have left their mm.

import { expect, test } from "vitest";
import { eventsOf } from "../kernel/scene.ts";
import { measure, playWorkload } from "./runs.ts";

test("where tables are freed, lazy CPUs in C1 are interrupted, those in C6 are not", async () => {
  const flushed = async (idle: "mwait" | "c6") => {
    const { ipis, ipisToLazy, flushes } = await measure("unplug", { idle });
    return { ipis, ipisToLazy, left: flushes.skipped };
  };
  expect(await flushed("mwait")).toEqual({ ipis: 2, ipisToLazy: 2, left: 2 });
  expect(await flushed("c6")).toEqual({ ipis: 0, ipisToLazy: 0, left: 0 });
});

test("what comes back from C6 walks for its pages again", async () => {
  const walksAt = async (idle: "mwait" | "c6") =>
    (await measure("server", { cores: 4, rounds: 10, idle })).refillWalks;
  expect(await walksAt("c6")).toBeGreaterThan(1.5 * (await walksAt("mwait")));
});

test("every CPU is on init_mm while it is in C6", () => {
  const outcome = playWorkload("pingpong", { cores: 4, idle: "c6" });
  const { initMm } = outcome.kernel;
  expect(eventsOf(outcome, "cr3Written").length).toBeGreaterThan(0);
  for (const { current, idle, tlb } of outcome.kernel.cpus) {
    if (current === idle) expect([tlb.loadedMm.value, tlb.cr3Mm]).toEqual([initMm, initMm]);
  }
});
