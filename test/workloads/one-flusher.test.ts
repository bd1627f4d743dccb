// munmap, madvise and mprotect: one thread flushes, the others are interrupted.

import { describe, expect, test } from "vitest";
import type { WorkloadName } from "../../src/workloads/workloads.ts";
import { meanOf, measure, measuredPart, playWorkload } from "./runs.ts";

const FLUSHES_PER_ROUND: readonly (readonly [WorkloadName, number])[] = [
  ["munmap", 1],
  ["madvise", 1],
  ["mprotect", 2],
  ["vmalloc", 1],
];

describe.each(FLUSHES_PER_ROUND)("%s", (name, flushes) => {
  test("interrupts every other core once for each flush", async () => {
    for (const cores of [2, 6]) {
      const rounds = 5;
      const measured = await measure(name, { cores, rounds });
      const ipis = (cores - 1) * rounds * flushes;
      expect(measured).toMatchObject({ ipis, ipisToLazy: 0, contextSwitches: 0 });
      expect(measured.responderCycles).toHaveLength(ipis);
      expect(measured.initiatorCycles).toHaveLength(rounds * flushes);
      const ranged = cores * rounds * flushes; // the flusher flushes, too
      expect(measured.flushes).toEqual({ full: 0, ranged, skipped: 0 });
    }
  });

  test("costs the initiator more on more cores", async () => {
    const means = [];
    for (const cores of [2, 8, 28]) {
      means.push(meanOf((await measure(name, { cores })).initiatorCycles));
    }
    expect(means).toEqual([...means].sort((a, b) => a - b));
    expect(means[2]!).toBeGreaterThan(2 * means[0]!);
  });

  test("flushes everything above the ceiling of 33 pages", async () => {
    const at = async (pages: number, flushCeiling = 33) =>
      (await measure(name, { pages, rounds: 3, flushCeiling })).flushes;
    const all = 4 * 3 * flushes;
    expect(await at(33)).toEqual({ full: 0, ranged: all, skipped: 0 });
    expect(await at(34)).toEqual({ full: all, ranged: 0, skipped: 0 });
    expect(await at(34, 34)).toEqual({ full: 0, ranged: all, skipped: 0 });
  });

  test("costs a responder one INVLPG more for each page", async () => {
    const at = async (pages: number) => {
      const { responderCycles } = await measure(name, { pages, cores: 2, rounds: 8 });
      return Math.min(...responderCycles);
    };
    const { invlpg } = playWorkload(name, { cores: 2 }).kernel.machine.description.instruction;
    expect((await at(30)) - (await at(10))).toBe(20 * invlpg);
  });
});

test("after a full flush the others walk for their working set again", async () => {
  const walks = async (pages: number) => (await measure("mprotect", { pages })).refillWalks;
  expect(await walks(34)).toBeGreaterThan((await walks(33)) + 100);
});

test("on one core there is nobody to interrupt", async () => {
  const measured = await measure("munmap", { cores: 1 });
  expect(measured).toMatchObject({ ipis: 0, initiatorCycles: [], responderCycles: [] });
  expect(measured.flushes.ranged).toBe(4);
});

test("all threads are in user mode when the measured part begins", () => {
  for (const cores of [2, 16]) {
    const outcome = playWorkload("munmap", { cores });
    expect(measuredPart(outcome).filter(({ kind }) => kind === "switched")).toEqual([]);
  }
});
