// What is brought in by a call of the library, as itself and not by a file.

import { describe, expect, test } from "vitest";
import { runExperiment } from "../../src/experiment/run-experiment.ts";
import { explore } from "../../src/explore/explore.ts";
import { lazyPolicies } from "../../src/kernel/lazy/policies.ts";
import { protocols } from "../../src/kernel/shootdown/protocols.ts";
import { presets } from "../../src/presets/presets.ts";
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

  test("knows nothing of it in the next call", async () => {
    const axes = { ...SMALL, protocol: "mine" } as const;
    await expect(runExperiment("munmap", { axes })).rejects.toThrow(/"mine": .*one of linux-4.8/);
  });
});

test("explore takes a protocol, a policy and a scenario as they are", async () => {
  const { scenarios } = await explore({ scenarios: ["two-flushers"], protocol, policy });
  expect(scenarios).toMatchObject([
    { name: "two-flushers", protocol: "mine", policy: "my-policy", complete: true, violations: [] },
  ]);
});
