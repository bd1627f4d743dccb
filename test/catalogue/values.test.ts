// What is brought in by a call of the library, as itself and not by a file.

import { describe, expect, test } from "vitest";
import { runExperiment } from "../../src/experiment/run-experiment.ts";
import type { KernelCode } from "../../src/kernel/operation/operation.ts";
import type { Cpu } from "../../src/kernel/state/cpu.ts";
import type { Mm } from "../../src/kernel/state/mm.ts";
import { explore } from "../../src/explore/explore.ts";
import { lazyPolicies } from "../../src/kernel/lazy/policies.ts";
import { protocols } from "../../src/kernel/shootdown/protocols.ts";
import { presets } from "../../src/presets/presets.ts";
import type { Program } from "../../src/kernel/state/task.ts";
import type { Scene } from "../../src/workloads/workload.ts";
import { workloads } from "../../src/workloads/workloads.ts";

const protocol = { ...protocols["linux-5.13"], name: "mine" };
const policy = { ...lazyPolicies.refcounted, name: "my-policy" };
const workload = { ...workloads.munmap, name: "my-work" };
const cpu = { ...presets.rome, name: "my-cpu" };
const SMALL = { cores: 2, rounds: 2 };

describe("runExperiment", () => {
  test("runs what a definition brings in, and nothing else", async () => {
    const { rows } = await runExperiment({
      protocols: [protocol],
      policies: [policy],
      cpus: [cpu],
      workloads: [workload],
      axes: SMALL,
    });
    expect(rows.map(({ configuration, workload: name }) => [configuration, name])).toMatchObject([
      [{ protocol: "mine", lazyTlb: "my-policy", cpu: "my-cpu" }, "my-work"],
    ]);
    expect(rows[0]!.verdict).toBe("ok");
  });

  test("takes it on an axis as well, beside names of the package", async () => {
    const axes = { ...SMALL, lazyTlb: "eager", protocol: [protocol, "linux-6.18"] } as const;
    const { rows } = await runExperiment("munmap", { axes });
    expect(rows.map(({ configuration }) => configuration.protocol)).toEqual(["mine", "linux-6.18"]);
  });

  test("gives the same cycles for the same code under another name", async () => {
    const axes = { ...SMALL, lazyTlb: "refcounted", protocol: [protocol, "linux-5.13"] } as const;
    const { rows } = await runExperiment("munmap", { axes });
    const [mine, theirs] = rows;
    expect({ ...mine, configuration: theirs!.configuration }).toEqual(theirs);
  });

  test("takes an instance of a class, whose hooks are its methods", async () => {
    const { name: _name, switchMm: _switchMm, ...rest } = protocols["linux-5.13"];
    class Mine {
      readonly name = "of-a-class";
      switchMm(cpu: Cpu, next: Mm): KernelCode {
        return protocols["linux-5.13"].switchMm(cpu, next);
      }
    }
    const mine = Object.assign(new Mine(), rest);
    const { rows } = await runExperiment({ protocols: [mine], workloads: ["munmap"], axes: SMALL });
    expect(rows.map(({ verdict }) => verdict)).toEqual(["ok"]);
  });

  test("takes things of the package, which have their names", async () => {
    const things = { policies: [lazyPolicies.refcounted], cpus: [presets.rome] };
    const own = { protocols: [protocols["linux-6.18"], protocol], workloads: [workloads.munmap] };
    const { rows } = await runExperiment({ ...things, ...own, axes: SMALL });
    expect(rows.map(({ configuration }) => configuration)).toMatchObject([
      { protocol: "linux-6.18", lazyTlb: "refcounted", cpu: "rome" },
      { protocol: "mine", lazyTlb: "refcounted", cpu: "rome" },
    ]);
  });

  test("takes an instance of a class with private state", async () => {
    class Counting {
      readonly name = "counting";
      readonly summary = "munmap, and how often it was begun";
      #begun = 0;
      program(scene: Scene): Program {
        this.#begun++;
        return workloads.munmap.program(scene);
      }
      get begun(): number {
        return this.#begun;
      }
    }
    const counting = new Counting();
    await runExperiment({ workloads: [counting], axes: { ...SMALL, lazyTlb: "eager" } });
    expect(counting.begun).toBe(1);
  });

  test("refuses a list of nothing, which would run nothing", async () => {
    await expect(runExperiment("munmap", { protocols: [] })).rejects.toThrow(
      "protocols: []: give at least one, or leave it out",
    );
  });

  test("knows nothing of it in the next call", async () => {
    const axes = { ...SMALL, protocol: "mine" } as const;
    await expect(runExperiment("munmap", { axes })).rejects.toThrow(/"mine": .*one of linux-4.8/);
  });
});

test("explore takes a protocol, a policy and a scenario as they are", async () => {
  const { scenarios } = await explore({
    scenarios: ["exit-unmapped-while-lazy"],
    protocol,
    policy,
  });
  expect(scenarios).toMatchObject([
    {
      name: "exit-unmapped-while-lazy",
      protocol: "mine",
      policy: "my-policy",
      complete: true,
      violations: [],
    },
  ]);
});

test("a key that no call knows is refused, with the nearest", async () => {
  const refused = async (call: Promise<unknown>): Promise<string> =>
    call.then(
      () => "taken",
      (error: Error) => error.message,
    );
  const selection: object = { scenarios: ["two-flushers"], protocols: [protocol] };
  expect(await refused(explore(selection))).toMatch(/"protocols": did you mean protocol\?/);
  const bounds: object = { maxExecution: 3 };
  expect(await refused(explore({}, bounds))).toMatch(/did you mean maxExecutions\?/);
  const options: object = { axe: SMALL };
  expect(await refused(runExperiment("munmap", options))).toMatch(/"axe": did you mean axes\?/);
});
