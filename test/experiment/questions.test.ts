// What the experiments that answer a question are to show, each at a size that takes no time: the
// directions of docs/questions.md.

import { describe, expect, test } from "vitest";
import { builtIn } from "../../src/experiment/builtin.ts";
import type { Configuration } from "../../src/experiment/configuration.ts";
import { readExperiment } from "../../src/experiment/experiment.ts";
import { expand } from "../../src/experiment/matrix.ts";
import { questions } from "../../src/experiment/questions.ts";
import type { WorkloadName } from "../../src/workloads/workloads.ts";
import { measure } from "../workloads/runs.ts";

test.each(questions.map(({ name }) => name))("%s is built in, and leaves nothing out", (name) => {
  const { plans, notes } = expand(readExperiment(builtIn(name), name), []);
  expect(plans.length).toBeGreaterThan(15);
  expect(notes).toEqual([]);
});

async function operationsPerSecond(
  workload: WorkloadName,
  chosen: Partial<Configuration>,
): Promise<number> {
  const { operations, elapsedSeconds } = await measure(workload, { rounds: 4, ...chosen });
  return operations / elapsedSeconds;
}

describe("PCID", () => {
  const gain = async (pages: number): Promise<number> => {
    const at = (pcid: boolean) => operationsPerSecond("two-mms", { cores: 1, pages, pcid });
    return (await at(true)) / (await at(false));
  };

  test("pays the more the more is refilled", async () => {
    const gains = [await gain(1), await gain(64), await gain(512)];
    expect(gains[0]).toBeGreaterThan(0.99);
    expect(gains[1]).toBeGreaterThan(1.1);
    expect(gains[2]).toBeGreaterThan(gains[1]!);
  });
});

describe("INVLPGB", () => {
  const gain = async (cores: number): Promise<number> => {
    const machine = { cpu: "milan", protocol: "linux-6.18", cores } as const;
    const at = (invlpgb: boolean) =>
      operationsPerSecond("tlb-flush2", { ...machine, invlpgb, pages: 32, rounds: 1 });
    return (await at(true)) / (await at(false));
  };

  test("changes nothing with one or two threads, and pays from four on", async () => {
    expect(await gain(1)).toBeCloseTo(1, 1);
    expect(await gain(2)).toBeCloseTo(1, 1);
    expect(await gain(4)).toBeGreaterThan(1.1);
    expect(await gain(16)).toBeGreaterThan(1.4);
  });
});

describe("a full flush", () => {
  const gain = async (pages: number): Promise<number> => {
    const at = (flushCeiling: number) =>
      operationsPerSecond("madvise", { cores: 2, pages, flushCeiling });
    return (await at(0)) / (await at(65_536));
  };

  test("is no gain for one page, and one for 33", async () => {
    expect(await gain(1)).toBeLessThan(1.01);
    expect(await gain(33)).toBeGreaterThan(1.04);
  });
});

describe("the end of a process", () => {
  test("interrupts whoever idles on it, under any policy that is lazy", async () => {
    const chosen = { cores: 6, rounds: 3 };
    const ipis = async (lazyTlb: Configuration["lazyTlb"]): Promise<number> =>
      (await measure("exit", { ...chosen, lazyTlb })).ipis;
    for (const policy of ["refcounted", "shoot-lazies", "exit-unlazy", "hazard-pointer"] as const) {
      expect(await ipis(policy)).toBe(3 * 4);
    }
    expect(await ipis("eager")).toBe(0);
  });
});
