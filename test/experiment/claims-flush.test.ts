// What shootdown protocols are known by, at a size that takes no time: direction and size of
// docs/claims.md. Each band says where it comes from.

import { describe, expect, test } from "vitest";
import { builtIn } from "../../src/experiment/builtin.ts";
import { claims } from "../../src/experiment/claims.ts";
import { completeConfiguration } from "../../src/experiment/axes.ts";
import { readExperiment } from "../../src/experiment/experiment.ts";
import { expand } from "../../src/experiment/matrix.ts";
import type { Measurement } from "../../src/experiment/result.ts";
import { simulate } from "../../src/experiment/simulate.ts";
import type { ProtocolName } from "../../src/kernel/shootdown/protocols.ts";
import { presets } from "../../src/presets/presets.ts";
import { SAMPLE_TRACES } from "../../src/trace/samples.ts";
import { meanOf, measure, measuredPart, playWorkload } from "../workloads/runs.ts";

test.each(claims.map(({ name }) => name))("%s is built in, and leaves nothing out", (name) => {
  const { plans, notes } = expand(readExperiment(builtIn(name), name), []);
  expect(plans.length).toBeGreaterThan(4);
  expect(notes).toEqual([]);
});

const cyclesPerOperation = ({ elapsedCycles, operations }: Measurement): number =>
  elapsedCycles / operations;

const total = (cycles: readonly number[]): number => cycles.reduce((sum, one) => sum + one, 0);

/** Within a factor of two either way: kernel work and interrupts are estimates. */
function expectFactorOfTwo(measured: number, published: number): void {
  expect(measured / published).toBeGreaterThan(0.5);
  expect(measured / published).toBeLessThan(2);
}

describe("flushing while the interrupts are on their way, Linux 5.13 for 4.20", () => {
  const { frequency, instruction } = presets["haswell-ep"];
  /** The Haswell's frequency was not told: from nominal to turbo. */
  const [nominalGhz, turboGhz] = [frequency.value, 3.6];

  const round = async (protocol: ProtocolName, cores: number): Promise<number> => {
    const scene = { cpu: "haswell-ep", cores, pages: 1, rounds: 100, protocol } as const;
    return cyclesPerOperation(await measure("madvise", scene));
  };

  test("saves two and four threads the local flush, and one alone nothing", async () => {
    expect(await round("linux-5.13", 1)).toBe(await round("linux-4.20", 1));
    for (const [cores, savedNs] of [
      [2, 1436 - 1225],
      [4, 1571 - 1421],
    ] as const) {
      const saved = (await round("linux-4.20", cores)) - (await round("linux-5.13", cores));
      // What overlaps is at least the INVLPG; before 5.13 the line of is_lazy comes on top, for
      // each target. Both together are at most what was measured.
      expect(saved).toBeGreaterThan(instruction.invlpg.value);
      expect(saved).toBeLessThan(savedNs * turboGhz);
    }
  });

  test("leaves a second thread to cost what was published, within a factor of two", async () => {
    for (const [protocol, addedNs] of [
      ["linux-4.20", 775],
      ["linux-5.13", 562],
    ] as const) {
      const added = (await round(protocol, 2)) - (await round(protocol, 1));
      expectFactorOfTwo(added, (addedNs * (nominalGhz + turboGhz)) / 2);
    }
  });

  test("gains some percent where every thread has what it wrote synced", async () => {
    const gain = async (cores: number): Promise<number> => {
      const at = async (protocol: ProtocolName): Promise<number> => {
        const scene = { cpu: "haswell-ep", cores, pages: 4, rounds: 30, protocol } as const;
        return cyclesPerOperation(await measure("writeback", scene));
      };
      return (await at("linux-4.20")) / (await at("linux-5.13")) - 1;
    };
    expect(await gain(1)).toBe(0);
    // Published: 5.4 % with 2 threads, 6.3 with 4. Without a file system the flush is a larger part
    // of a write: at most twice that.
    for (const cores of [2, 4]) {
      expect(await gain(cores)).toBeGreaterThan(0);
      expect(await gain(cores)).toBeLessThan(2 * 0.063);
    }
  });
});

describe("LATR's two machines", () => {
  const on = { cpu: "haswell-ep", coresPerLlc: 8, cores: 16, pages: 1 } as const;
  const toUs = (cycles: number): number => cycles / (presets["haswell-ep"].frequency.value * 1000);

  test.each([
    ["16 cores in 2 sockets", { coresPerLlc: 8, cores: 16 }, 6],
    ["120 cores in 8 sockets", { coresPerLlc: 15, cores: 120 }, 80],
  ])(
    "%s: a shootdown takes as long as published, within a factor of two",
    async (_name, where, us) => {
      const { initiatorCycles } = await measure("munmap", { ...on, ...where, rounds: 2 });
      expectFactorOfTwo(toUs(meanOf(initiatorCycles)), us);
    },
  );

  test("one interrupt to another socket takes no longer than the longest published", async () => {
    const { initiatorCycles } = await measure("munmap", { ...on, coresPerLlc: 1, cores: 2 });
    expectFactorOfTwo(toUs(meanOf(initiatorCycles)), 2.7);
  });

  test("where everybody unmaps gain by it, less than by a flush for nothing", async () => {
    const at = async (protocol: ProtocolName): Promise<number> =>
      1 / cyclesPerOperation(await measure("tlb-flush2", { ...on, rounds: 5, protocol }));
    const [linux, latr, bound] = [await at("linux-5.13"), await at("latr"), await at("broadcast")];
    // Published of Apache, a process of many threads that do more than unmap: 59.9 %.
    expect(latr / linux - 1).toBeGreaterThan(0.599 / 2);
    expect(latr).toBeLessThan(bound);
  });

  test("a sweep of all rings at each change of mm takes what was published", async () => {
    const at = async (protocol: ProtocolName): Promise<number> =>
      cyclesPerOperation(await measure("two-mms", { ...on, rounds: 10, protocol }));
    const ofAllCores = (await at("latr")) - (await at("linux-5.13"));
    expectFactorOfTwo(toUs(ofAllCores * on.cores) * 1000, 158.0);
  });
});

test("INVLPGB for interrupts gains tlb-flush2 what it did, and flushes take a tenth", async () => {
  const scene = { cpu: "milan", protocol: "linux-6.18", cores: 16, rounds: 1 } as const;
  const [interrupts, broadcasts] = await Promise.all(
    [false, true].map((invlpgb) => measure("tlb-flush2", { ...scene, invlpgb, pages: 128 })),
  );
  /** Of all CPUs' time: initiators, and those who are interrupted. */
  const share = (one: Measurement): number =>
    (total(one.initiatorCycles) + one.stolenCycles) / (one.elapsedCycles * scene.cores);
  // Published of 36 threads: 40 % to 4 %. Interrupts cost by the target, a broadcast does not.
  const less = share(interrupts!) / share(broadcasts!);
  expect(less).toBeGreaterThan(((40 / 4) * scene.cores) / 36);
  expect(less).toBeLessThan(2 * (40 / 4));
  // Of a kernel without lru_add_drain, which is not modelled: 731 k to 1157 k loops a second.
  const gain = cyclesPerOperation(interrupts!) / cyclesPerOperation(broadcasts!) - 1;
  expectFactorOfTwo(gain, 1157 / 731 - 1);
});

test("DiDi wastes an order of magnitude less from a handful of cores on", async () => {
  const wasted = async (protocol: ProtocolName, cores: number): Promise<number> => {
    const { initiatorCycles, stolenCycles } = await measure("munmap", { cores, protocol });
    return total(initiatorCycles) + stolenCycles;
  };
  const factor = async (cores: number): Promise<number> =>
    (await wasted("linux-5.13", cores)) / (await wasted("didi", cores));
  expect(await factor(2)).toBeGreaterThan(3);
  expect(await factor(8)).toBeGreaterThan(10);
});

test("on eight sockets mprotect takes tens of times as long as on one CPU", async () => {
  const at = async (cores: number): Promise<number> => {
    const scene = { cores, coresPerLlc: Math.ceil(cores / 8), pages: 1, rounds: 2 };
    return cyclesPerOperation(await measure("mprotect", scene));
  };
  const slowdown = (await at(128)) / (await at(1));
  expect(slowdown).toBeGreaterThan(10);
  expect(slowdown).toBeLessThan(80); // published: up to 40
});

describe("the local flush, page by page", () => {
  const cycles = (pages: number, pti: boolean): number => {
    const kernel = { pti, invpcid: true };
    const outcome = playWorkload("madvise", { cores: 1, rounds: 1, pages, kernel });
    const moments = measuredPart(outcome).filter(
      ({ kind }) => kind === "flushBegin" || kind === "flushReturn",
    );
    return moments[1]!.at.cycle - moments[0]!.at.cycle;
  };

  // Hansen 2017, a Skylake desktop: 1 page and 33, by INVLPG and with INVPCID for the user PCID.
  test.each([
    [false, 692, 7069],
    [true, 1094, 18_481],
  ])(
    "costs what was measured for each page, with isolation %s, and less at all",
    (pti, one, many) => {
      const perPage = (cycles(33, pti) - cycles(1, pti)) / 32;
      // Two measurements of the same two instructions are 15 % to 30 % apart (docs/presets.md).
      expect(perPage / ((many - one) / 32)).toBeGreaterThan(0.75);
      expect(perPage / ((many - one) / 32)).toBeLessThan(1.25);
      expect(cycles(1, pti)).toBeLessThan(one);
    },
  );
});

describe("Linux 4.15 for 4.8", () => {
  const replayed = (protocol: ProtocolName, pcid: boolean): Promise<Measurement> => {
    const configuration = completeConfiguration({ cores: 2, protocol, pcid });
    const trace = SAMPLE_TRACES["lazy-dontneed"]!;
    return simulate({ configuration, workload: "lazy-dontneed", trace, seed: 1, checks: false });
  };

  test("spares who moves between CPUs an interrupt each time, with PCID", async () => {
    const [before, after] = [
      await replayed("linux-4.8", false),
      await replayed("linux-4.15", true),
    ];
    expect(before.ipis).toBeGreaterThan(500);
    expect(before.ipisToLazy).toBe(before.ipis);
    expect(after.ipis).toBe(0);
  });

  test("is no gain for eight threads that discard and unmap: nobody sleeps", async () => {
    const at = (protocol: ProtocolName, pcid: boolean): Promise<Measurement> =>
      measure("tlb-flush2", { cores: 8, pages: 64, rounds: 1, protocol, pcid });
    const [before, after] = [await at("linux-4.8", false), await at("linux-4.15", true)];
    // Published: 1.9 s to 1.1 s. Who waits for mmap_lock does not sleep here, so that 4.8 finds
    // hardly a lazy CPU to call; a flush among others' is a full one since generations; and since
    // 4.13 all threads write the line that counts what is not flushed yet.
    expect(before.ipisToLazy).toBeLessThan(before.ipis / 10);
    expect(before.flushes.ranged).toBeGreaterThan(before.flushes.full);
    expect(after.flushes.full).toBeGreaterThan(after.flushes.ranged);
    expect(cyclesPerOperation(after) / cyclesPerOperation(before)).toBeGreaterThan(0.9);
  });
});
