// What ABIS saves of its base's interrupts beside what was published.

import { describe, expect, test } from "vitest";
import type { Configuration } from "../../src/experiment/configuration.ts";
import type { Measurement } from "../../src/experiment/result.ts";
import type { WorkloadName } from "../../src/workloads/workloads.ts";
import { measure } from "./runs.ts";

type Pair = readonly [base: Measurement, abis: Measurement];

async function besideBase(workload: WorkloadName, chosen: Partial<Configuration>): Promise<Pair> {
  const shared = { lazyTlb: "refcounted", rounds: 8, ...chosen } as const;
  return [
    await measure(workload, { ...shared, protocol: "linux-4.8" }),
    await measure(workload, { ...shared, protocol: "abis" }),
  ];
}

const shareOf = (pair: Pair, value: (one: Measurement) => number): number =>
  value(pair[1]) / value(pair[0]);
const ipisOf = ({ ipis }: Measurement): number => ipis;
const shootdownsOf = ({ initiatorCycles }: Measurement): number => initiatorCycles.length;
const rateOf = ({ operations, elapsedSeconds }: Measurement): number => operations / elapsedSeconds;

describe("published: up to 98 % fewer shootdowns", () => {
  test.each(["munmap", "madvise", "server"] as const)("%s: none is left", async (workload) => {
    const pair = await besideBase(workload, { cores: 8, rounds: 16 });
    expect(ipisOf(pair[0])).toBeGreaterThan(100);
    expect(ipisOf(pair[1])).toBe(0);
  });

  test("tlb-flush2: one is left where the end of a mapping frees a page table", async () => {
    const [cores, rounds, pages] = [8, 4, 64];
    const pair = await besideBase("tlb-flush2", { cores, rounds, pages });
    expect(shootdownsOf(pair[1])).toBeLessThanOrEqual(cores * rounds);
    expect(shootdownsOf(pair[1])).toBeGreaterThan(0);
    expect(shareOf(pair, shootdownsOf)).toBeLessThan(0.02);
  });

  test("mprotect and reclaim: all are left, for the pages have been walked to", async () => {
    for (const workload of ["mprotect", "reclaim"] as const) {
      const pair = await besideBase(workload, { cores: 8 });
      expect(shareOf(pair, ipisOf)).toBe(1);
    }
  });
});

describe("published: up to 12 % more from applications of many threads", () => {
  test("server: of that order", async () => {
    const gain = shareOf(await besideBase("server", { cores: 28 }), rateOf);
    expect(gain).toBeGreaterThan(1);
    expect(gain).toBeLessThan(1.12);
  });

  test("munmap: each fault costs more, so that among few CPUs many pages are a loss", async () => {
    const loss = shareOf(await besideBase("munmap", { cores: 2, pages: 32 }), rateOf);
    const gain = shareOf(await besideBase("munmap", { cores: 28, pages: 1 }), rateOf);
    expect(loss).toBeLessThan(1);
    expect(gain).toBeGreaterThan(2);
  });
});
