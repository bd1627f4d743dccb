// A public report of many interrupts for one free() of 4 GiB: a gather takes some 9 700 pages, and
// each that is full is a shootdown (https://github.com/bitcharmer/tlb_shootdowns).

import { expect, test } from "vitest";
import { completeConfiguration } from "../../src/experiment/axes.ts";
import { simulate } from "../../src/experiment/simulate.ts";

// 1 048 576 pages make 109, which takes a minute; 20 000 are in full-gather.test.ts.
test.each([
  [8, 1],
  [10_000, 2],
  [65_536, 7],
])("one munmap of %i pages interrupts the other thread's CPU %i times", async (pages, times) => {
  const configuration = completeConfiguration({
    cpu: "haswell-ep",
    protocol: "linux-4.15",
    lazyTlb: "refcounted",
    pcid: false,
    idle: "poll",
    cores: 2,
    rounds: 1,
    pages,
  });
  const run = { configuration, workload: "munmap", seed: 1, checks: false };
  const { initiatorCycles, ipis } = await simulate(run);
  expect([initiatorCycles.length, ipis]).toEqual([times, times]);
});
