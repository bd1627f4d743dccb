// Workloads on memory of 2 MiB pages cost less.

import { expect, test } from "vitest";
import { linux618 } from "../../src/kernel/shootdown/linux-6.18.ts";
import type { WorkloadName } from "../../src/workloads/workloads.ts";
import { eventsOf } from "../kernel/scene.ts";
import { meanOf, measure, playWorkload } from "./runs.ts";

/** 2 MiB of memory in pages of each size. */
const SAME_MEMORY = [
  { pageSize: "4K", pages: 512 },
  { pageSize: "2M", pages: 1 },
] as const;

test.each(["munmap", "madvise", "mprotect"] as const)(
  "%s of 2 MiB is a ranged flush of one page, and nobody walks for the rest again",
  async (name) => {
    const [small, large] = await Promise.all(
      SAME_MEMORY.map((memory) => measure(name, { cores: 4, rounds: 5, ...memory })),
    );
    expect(small!.flushes.ranged).toBe(0);
    expect(large!.flushes).toMatchObject({ full: 0, ranged: small!.flushes.full });
    expect(large!.ipis).toBe(small!.ipis);
    expect(large!.refillWalks).toBeLessThan(small!.refillWalks / 100);
  },
);

test("an INVLPGB steps by 2 MiB: 40 pages take five instructions of eight", async () => {
  const kernel = { invlpgb: true, globalAsidCpus: 0, flushCeiling: 64 };
  const options = { cores: 4, pages: 40, rounds: 3, protocol: linux618, cpu: "milan" } as const;
  const outcome = playWorkload("munmap", { ...options, kernel, pageSize: "2M" });
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  const { pageLimit } = outcome.kernel.machine.broadcasts;
  const ofPages = eventsOf(outcome, "broadcastBegun").filter(({ what }) => what.extent === "pages");
  const perFlush = Math.ceil(40 / pageLimit);
  expect(ofPages.length).toBeGreaterThan(0);
  expect(ofPages.length % perFlush).toBe(0);
});

test("a flush of large pages costs each CPU as much as one of as many small pages", async () => {
  const responder = async (name: WorkloadName, pageSize: "4K" | "2M") =>
    meanOf((await measure(name, { pageSize, pages: 8, cores: 2, rounds: 4 })).responderCycles);
  expect(await responder("madvise", "2M")).toBeCloseTo(await responder("madvise", "4K"), -2);
});
