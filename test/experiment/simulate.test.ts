// One run from a configuration to a measurement.

import { expect, test } from "vitest";
import { completeConfiguration } from "../../src/experiment/axes.ts";
import type { Configuration } from "../../src/experiment/configuration.ts";
import { bootKernel, simulate } from "../../src/experiment/simulate.ts";
import { readTrace } from "../../src/trace/read-trace.ts";
import { SAMPLE_TRACES } from "../../src/trace/samples.ts";

const configurationWith = (chosen: Partial<Configuration> = {}): Configuration =>
  completeConfiguration({ cores: 3, rounds: 3, ...chosen });

const run = (workload: string, chosen: Partial<Configuration> = {}, seed = 5) =>
  simulate({ configuration: configurationWith(chosen), workload, seed });

test("a kernel boots as configured, every CPU idle on init_mm", () => {
  const kernel = bootKernel(configurationWith({ lazyTlb: "eager", pcid: false, flushCeiling: 7 }));
  expect(kernel.cpus).toHaveLength(3);
  expect(kernel.lazyPolicy.name).toBe("eager");
  expect(kernel.options).toMatchObject({
    pcid: false,
    invlpgb: false,
    flushCeiling: 7,
    idle: "mwait",
  });
  expect(kernel.options).toMatchObject({ pti: false, invpcid: true });
  for (const cpu of kernel.cpus) {
    expect(kernel.machine.root(cpu.id)).toBe(kernel.initMm.root);
    expect(cpu.current).toBe(cpu.idle);
  }
});

test("topology that is given replaces the preset's", () => {
  const { topology } = bootKernel(configurationWith({ coresPerLlc: 1, llcsPerSocket: 2 })).machine
    .description;
  expect(topology).toMatchObject({ coreCount: 3, coresPerLlc: 1, llcsPerSocket: 2 });
});

test("a violation comes with its operations in words and a command that repeats it", async () => {
  const { violations } = await run("fork-exit", { lazyTlb: "unrefcounted" });
  const [first] = violations;
  expect(first!.invariant).toBe("I5");
  expect(first!.operations[0]!.last).toHaveLength(16);
  for (const line of first!.operations[0]!.last) expect(line).toMatch(/^\d+: \S/);
  expect(first!.replay).toMatch(/^shootdown run fork-exit .*--set lazyTlb=unrefcounted --seed 5$/);
});

test("the command repeats the violation at the same cycle", async () => {
  const once = await run("server", { lazyTlb: "unrefcounted" });
  const again = await run("server", { lazyTlb: "unrefcounted" });
  expect(once.violations.length).toBeGreaterThan(0);
  expect(again).toEqual(once);
});

test("a machine that others have used is as a new one", async () => {
  const first = await run("munmap", { cpu: "rome", flushCeiling: 1, rounds: 7 });
  for (const workload of ["fork-exit", "server"]) await run(workload, { cpu: "rome", pages: 64 });
  await run("munmap", { cpu: "rome", lazyTlb: "unrefcounted" });
  expect(await run("munmap", { cpu: "rome", flushCeiling: 1, rounds: 7 })).toEqual(first);
});

test("two runs at the same time do not share a machine", async () => {
  const alone = await run("server", { lazyTlb: "eager" });
  const [one, other] = await Promise.all([
    run("server", { lazyTlb: "eager" }),
    run("fork-exit", { lazyTlb: "eager" }),
  ]);
  expect(one).toEqual(alone);
  expect(other).toEqual(await run("fork-exit", { lazyTlb: "eager" }));
});

test("violations are found outside the measured part, too", async () => {
  const { violations } = await run("munmap", { lazyTlb: "unrefcounted" });
  expect(violations.map(({ invariant }) => invariant)).toContain("I5");
});

test("a shootdown costs the initiator more than a responder, in the same run", async () => {
  const { initiatorCycles, responderCycles } = await run("munmap");
  expect(Math.min(...initiatorCycles)).toBeGreaterThan(Math.max(...responderCycles));
});

test("a replay takes as long as the recording up to its last action", async () => {
  const trace = SAMPLE_TRACES["messaging-threads"]!;
  const { events, meta } = await readTrace(trace);
  const last = events.findLast(({ kind }) => kind === "switch")!;
  const recordedSeconds = last.cycle / (meta.tscMhz * 1e6);
  const configuration = configurationWith({ cores: 2 });
  const measured = await simulate({ configuration, workload: "trace", seed: 1, trace });
  expect(measured.elapsedSeconds).toBeGreaterThan(0.999 * recordedSeconds);
  expect(measured.elapsedSeconds).toBeLessThan(1.01 * recordedSeconds);
});

test("a faster CPU replays in the same time", async () => {
  const trace = SAMPLE_TRACES["messaging-threads"]!;
  const seconds = async (cpu: Configuration["cpu"]) => {
    const configuration = configurationWith({ cores: 2, cpu });
    return (await simulate({ configuration, workload: "trace", seed: 1, trace })).elapsedSeconds;
  };
  expect((await seconds("rome")) / (await seconds("skylake-sp"))).toBeCloseTo(1, 1);
});

test("page-table isolation makes a flush cost more, or the whole user PCID", async () => {
  const at = async (chosen: Partial<Configuration>) => {
    const { initiatorCycles, refillWalks } = await run("munmap", chosen);
    return { cycles: Math.min(...initiatorCycles), walks: refillWalks };
  };
  const [without, isolated, deferred] = [
    await at({}),
    await at({ pti: true }),
    await at({ pti: true, invpcid: false }),
  ];
  expect(isolated.cycles).toBeGreaterThan(without.cycles);
  expect(isolated.walks).toBe(without.walks);
  expect(deferred.cycles).toBeLessThan(isolated.cycles);
  expect(deferred.walks).toBeGreaterThan(isolated.walks);
});
