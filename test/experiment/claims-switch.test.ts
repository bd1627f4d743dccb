// What lazy-TLB policies, lazy masks and PCID are known by, at a size that takes no time: direction
// and size of docs/claims.md. Each band says where it comes from.

import { describe, expect, test } from "vitest";
import type { Configuration } from "../../src/experiment/configuration.ts";
import type { Measurement } from "../../src/experiment/result.ts";
import { lazyPolicies } from "../../src/kernel/lazy/policies.ts";
import { hazardPointer } from "../../src/kernel/lazy/hazard-pointer.ts";
import type { KernelCode } from "../../src/kernel/operation/operation.ts";
import { type ProtocolName, protocols } from "../../src/kernel/shootdown/protocols.ts";
import { presets } from "../../src/presets/presets.ts";
import type { WorkloadName } from "../../src/workloads/workloads.ts";
import { measure, measuredPart, playWorkload, switchesPerSecond } from "../workloads/runs.ts";

const rate = async (name: WorkloadName, chosen: Partial<Configuration>): Promise<number> =>
  switchesPerSecond(await measure(name, chosen));

const cyclesPerOperation = ({ elapsedCycles, operations }: Measurement): number =>
  elapsedCycles / operations;

/** Cycles of switch_mm and enter_lazy_tlb, for each switch between two tasks. */
function changeCycles(name: WorkloadName, protocol: ProtocolName, options = {}): number {
  const begins = new Map<number, number>();
  let [cycles, switches] = [0, 0];
  const scene = { rounds: 8, pages: 1, protocol: protocols[protocol], ...options };
  for (const { kind, at } of measuredPart(playWorkload(name, scene))) {
    if (kind === "changeBegin") begins.set(at.cpu, at.cycle);
    if (kind === "changeEnd") cycles += at.cycle - (begins.get(at.cpu) ?? at.cycle);
    if (kind === "switched") switches++;
  }
  return cycles / switches;
}

describe("the lazy reference count on 16 sockets", () => {
  const { oneHop, twoHops } = presets["skylake-sp"].line.handover;
  const on = (cores: number, more: Partial<Configuration>): Partial<Configuration> => ({
    cores,
    coresPerLlc: cores / 16,
    ...more,
  });

  test("lets one switch through for each transfer of its line, whatever the CPUs", async () => {
    const [few, many] = [await rate("pingpong", on(32, {})), await rate("pingpong", on(64, {}))];
    // A switch is one operation on the count: between the two ways that the line can come.
    for (const rateNow of [few, many]) {
      expect(rateNow).toBeGreaterThan(1e9 / twoHops.value);
      expect(rateNow).toBeLessThan(1e9 / oneHop.value);
    }
    expect(many / few).toBeLessThan(1.25); // twice the CPUs
  });

  test.each([
    ["pingpong", "shoot-lazies", 118e6],
    ["two-threads", "refcounted", 177e6],
  ] as const)(
    "is not in the way of %s under %s, which grows with CPUs",
    async (name, lazyTlb, published) => {
      const few = await rate(name, on(32, { lazyTlb }));
      const many = await rate(name, on(64, { lazyTlb }));
      expect(many / few).toBeCloseTo(2, 1);
      // At 192 CPUs within a factor of two of what was measured: kernel work is 38 % to 78 % of
      // measured (docs/modelling.md), and POWER8's CPUs are threads of a core.
      expect((3 * many) / published).toBeGreaterThan(0.5);
      expect((3 * many) / published).toBeLessThan(2);
    },
  );
});

test("at a busy server's 300 k switches a second nobody notices the reference count", async () => {
  const scene = { cores: 4, coresPerLlc: 2, rounds: 20 };
  const cycles = async (lazyTlb: Configuration["lazyTlb"]): Promise<number> => {
    const { elapsedCycles, contextSwitches } = await measure("pingpong", { ...scene, lazyTlb });
    return (elapsedCycles * scene.cores) / contextSwitches;
  };
  const ofOneSwitch = (await cycles("refcounted")) - (await cycles("exit-unlazy"));
  expect(ofOneSwitch).toBeGreaterThan(0);
  // 300 k switches a second; published: the processors' time unchanged, so less than a percent.
  const { frequency, topology } = presets["skylake-sp"];
  const ofAll = 2 * topology.coresPerLlc.value * frequency.value * 1e9;
  expect((ofOneSwitch * 300e3) / ofAll).toBeLessThan(0.01);
});

test("where processes come and go shoot-lazies interrupts no more than refcounted", async () => {
  for (const [name, cores] of [
    ["fork-exit", 6],
    ["exit", 6],
    ["kthread", 4],
  ] as const) {
    const ipis = async (lazyTlb: Configuration["lazyTlb"]): Promise<number> =>
      (await measure(name, { cores, rounds: 5, lazyTlb })).ipis;
    // Published are 314 in a whole kernel build: the flush of exit_mmap has moved the lazy CPUs.
    expect(await ipis("shoot-lazies")).toBe(await ipis("refcounted"));
  }
});

describe("to leave for init_mm and come back, in place of being lazy,", () => {
  const { writeCr3NoFlush } = presets["skylake-sp"].instruction;

  test.each([true, false])("costs a ping-pong some percent, pcid %s", async (pcid) => {
    const cycles = async (lazyTlb: Configuration["lazyTlb"]): Promise<number> =>
      cyclesPerOperation(await measure("pingpong", { cores: 2, rounds: 30, pcid, lazyTlb }));
    const [lazy, eager] = [await cycles("shoot-lazies"), await cycles("eager")];
    // At least one write of CR3 that keeps the TLB (one of the two overlaps with the other CPU), at
    // most the 600 cycles that were estimated for both. Published, on POWER: 7.5 %.
    expect(eager - lazy).toBeGreaterThan(writeCr3NoFlush.value);
    expect(eager - lazy).toBeLessThan(600);
    expect(eager / lazy).toBeLessThan(1.1);
  });

  test("takes two writes of CR3 and more, and less than the 600 cycles estimated", () => {
    for (const pcid of [true, false]) {
      const cycles = (policy: "eager" | "refcounted"): number =>
        2 * changeCycles("pingpong", "linux-5.13", { policy: lazyPolicies[policy], pcid });
      const lost = cycles("eager") - cycles("refcounted");
      expect(lost).toBeGreaterThan(2 * writeCr3NoFlush.value);
      expect(lost).toBeLessThan(600);
    }
  });
});

describe("hazard pointers", () => {
  /** Loads of lazy_mm in the scans of a run, the most in one. */
  function mostLoads(protocol: ProtocolName, cores: number): number {
    let most = 0;
    const policy = {
      ...hazardPointer,
      *afterExitMmap(...[cpu, mm]: Parameters<typeof hazardPointer.afterExitMmap>): KernelCode {
        const lazyMms = new Set<unknown>(cpu.kernel.cpus.map(({ runQueue }) => runQueue.lazyMm));
        let loads = 0;
        const scan = hazardPointer.afterExitMmap(cpu, mm);
        for (let step = scan.next(); step.done !== true;) {
          const operation = step.value;
          if (operation.kind === "load" && lazyMms.has(operation.cell)) loads++;
          step = scan.next(yield operation);
        }
        most = Math.max(most, loads);
      },
    };
    playWorkload("exit", { cores, rounds: 2, policy, protocol: protocols[protocol] });
    return most;
  }

  test("are looked at once for each CPU in the mask when a process ends", () => {
    // linux-6.18 leaves the bits of all who have run the mm; the first CPU is the parent's.
    for (const cores of [4, 12]) expect(mostLoads("linux-6.18", cores)).toBe(cores - 1);
    // Before, the flush of exit_mmap has taken everybody out.
    for (const cores of [4, 12]) expect(mostLoads("linux-5.13", cores)).toBe(0);
  });
});

describe("a mask that a switch leaves alone", () => {
  const machine = { cpu: "milan", cores: 16, pages: 1, rounds: 30 } as const;
  const gain = async (name: WorkloadName): Promise<number> => {
    const before = await rate(name, { ...machine, protocol: "linux-5.13" });
    return (await rate(name, { ...machine, protocol: "linux-6.18" })) / before;
  };

  test("saves nothing where it is private, more than in hackbench where shared", async () => {
    // What differs where nobody else has the mask: two locked operations, and a barrier.
    const differing = 3 * presets.milan.line.locked.value;
    const { elapsedCycles, contextSwitches } = await measure("two-mms", machine);
    const ofOneSwitch = (elapsedCycles * machine.cores) / contextSwitches;
    expect(Math.abs((await gain("two-mms")) - 1)).toBeLessThan(differing / ofOneSwitch);
    expect(await gain("shared-mms")).toBeGreaterThan(4.5 / 4.2);
  });

  test("is less or more than half of switch_mm, by whether it is private or shared", () => {
    const barrier = presets["skylake-sp"].line.locked.value;
    const share = (name: WorkloadName): number => {
      const cycles = (protocol: ProtocolName) => changeCycles(name, protocol, { cores: 16 });
      return 1 - (cycles("linux-6.18") - barrier) / cycles("linux-5.13");
    };
    expect(share("two-mms")).toBeLessThan(0.5);
    expect(share("shared-mms")).toBeGreaterThan(0.5);
  });
});

describe("passing lazy CPUs over, Linux 4.20 for 4.15", () => {
  test("ends the interrupts to lazy CPUs, and only those", async () => {
    const at = (protocol: ProtocolName): Promise<Measurement> =>
      measure("server", { cores: 8, rounds: 12, pcid: false, protocol });
    const [before, after] = [await at("linux-4.15"), await at("linux-4.20")];
    expect(before.ipisToLazy).toBeGreaterThan(before.ipis / 4);
    expect(after.ipisToLazy).toBeLessThan(before.ipisToLazy / 10);
    // The others stay, but for who idles when.
    expect(before.ipis - after.ipis).toBeGreaterThan(0.75 * before.ipisToLazy);
    expect(before.ipis - after.ipis).toBeLessThan(1.25 * before.ipisToLazy);
  });

  test("takes more than half of what a switch through idle costs in switch_mm, with PCID", () => {
    const before = changeCycles("pingpong", "linux-4.15", { cores: 4 });
    expect(changeCycles("pingpong", "linux-4.20", { cores: 4 })).toBeLessThan(before / 2);
  });
});

describe("PCID in a ping-pong of two address spaces", () => {
  const cycles = async (protocol: ProtocolName, pcid: boolean, pages: number): Promise<number> =>
    cyclesPerOperation(await measure("two-mms", { cores: 1, rounds: 20, protocol, pcid, pages }));

  test("is the whole gain of Linux 4.15: without it nothing changed since 4.8", async () => {
    for (const pages of [1, 512]) {
      const before = await cycles("linux-4.8", false, pages);
      expect((await cycles("linux-4.15", false, pages)) / before).toBeCloseTo(1, 2);
      expect(await cycles("linux-4.15", true, pages)).toBeLessThan(before);
    }
  });

  test("saves for each page half to all of what was measured in a guest", async () => {
    const saved = async (pages: number): Promise<number> =>
      (await cycles("linux-4.15", false, pages)) - (await cycles("linux-4.15", true, pages));
    const perPage = ((await saved(512)) - (await saved(1))) / 511;
    // 6.2 - 1.8 us of 512 pages, less 1.33 - 1.22 of none, at 2.3 GHz. A guest walks in two
    // dimensions, which is dearer; a model that saved less than half would miss more than that.
    const published = ((4.4 - 0.11) * 2300) / 511;
    expect(perPage).toBeLessThan(published);
    expect(perPage).toBeGreaterThan(published / 2);
  });
});
