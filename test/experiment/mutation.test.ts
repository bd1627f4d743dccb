// Mutations in experiments: each is caught by a run, by an exploration or in a scene by hand;
// and runs without checkers.

import { describe, expect, test } from "vitest";
import { completeConfiguration } from "../../src/experiment/axes.ts";
import type { Configuration } from "../../src/experiment/configuration.ts";
import { isKnownToShow } from "../../src/experiment/row.ts";
import { MUTATIONS } from "../../src/catalogue/mutations.ts";
import { runExperiment } from "../../src/experiment/run-experiment.ts";
import { simulate } from "../../src/experiment/simulate.ts";
import { LAZY_POLICY_NAMES, lazyPolicies } from "../../src/kernel/lazy/policies.ts";
import { MUTATION_NAMES, type MutationName } from "../../src/kernel/operation/mutation.ts";

/** A run that shows the mutation, and what is found first. */
type Shown = readonly [
  mutation: MutationName,
  workload: string,
  chosen: Partial<Configuration>,
  invariant: string,
];

const SHOWN: readonly Shown[] = [
  ["refcount-dropped-before-switch", "munmap", {}, "I6"],
  ["prev-mm-kept", "munmap", {}, "I6"],
  ["user-pcid-flush-forgotten", "munmap", { pti: true }, "I3"],
  ["cpumask-after-cr3", "munmap", { protocol: "linux-4.8" }, "I7"],
  ["lazy-leaves-cpumask", "munmap", { protocol: "linux-4.15" }, "I7"],
  ["generation-zero-is-old", "reclaim", { protocol: "linux-6.18" }, "I1"],
  ["freed-tables-false", "pingpong", { protocol: "linux-6.18" }, "I2"],
  ["freed-tables-under-lazy-cpus", "pingpong", { protocol: "linux-4.20" }, "I2"],
  ["unplug-keeps-lazy-mm", "unplug", {}, "I2"],
  ["abis-clear-is-uncached", "madvise", { protocol: "abis" }, "I1"],
];

/** test/kernel/process/hotplug.test.ts and test/kernel/lazy/mistakes.test.ts. */
const BY_HAND: readonly MutationName[] = ["unplug-switches-offline", "exec-active-mm-unprotected"];

describe("a mutation", () => {
  const borrowing = LAZY_POLICY_NAMES.filter((name) => lazyPolicies[name].expected === "ok");
  test.each(borrowing.filter((name) => name !== "pre-4.15"))(
    "freed-tables-false is caught under %s if CPUs borrow, and expected then",
    async (lazyTlb) => {
      const chosen = { cores: 2, rounds: 3, lazyTlb, protocol: "linux-6.18" } as const;
      const mutation = "freed-tables-false";
      const configuration = completeConfiguration({ ...chosen, mutation });
      const { violations } = await simulate({ configuration, workload: "pingpong", seed: 1 });
      expect(violations.length > 0).toBe(lazyTlb !== "eager");
      expect(isKnownToShow(configuration, "pingpong")).toBe(lazyTlb !== "eager");
    },
  );

  test.each(SHOWN)("%s is caught in %s", async (mutation, workload, chosen, invariant) => {
    const { rows } = await runExperiment(
      { name: "mistake", workloads: [workload] },
      { axes: { cores: 2, rounds: 2, ...chosen, mutation: ["none", mutation] }, workers: 1 },
    );
    expect(rows.map(({ verdict, expected }) => [verdict, expected])).toEqual([
      ["ok", "ok"],
      ["violation", "violation"],
    ]);
    const [, wrong] = rows;
    expect(wrong!.configuration.mutation).toBe(mutation);
    const [first] = wrong!.violations;
    expect(first!.invariant).toBe(invariant);
    expect(first!.replay).toContain(` --mutation ${mutation} --seed 1`);
  });

  test("is caught somewhere, whichever it is", () => {
    const explored = MUTATIONS.flatMap(({ name, scenario }) => (scenario ? [name] : []));
    const caught = new Set([...SHOWN.map(([mutation]) => mutation), ...explored, ...BY_HAND]);
    expect(MUTATION_NAMES.filter((name) => !caught.has(name))).toEqual([]);
    const promised = MUTATIONS.flatMap(({ name, shows }) => (shows ? [name] : []));
    expect(SHOWN.map(([mutation]) => mutation).sort()).toEqual(promised.sort());
    expect(MUTATIONS.map(({ name }) => name).sort()).toEqual([...MUTATION_NAMES].sort());
  });

  test("is not promised where it needs a rare order, one core or another protocol", () => {
    const promised = (chosen: Partial<Configuration>): boolean =>
      isKnownToShow(completeConfiguration(chosen), "munmap");
    expect(promised({ mutation: "ranged-flush-over-gap", cores: 28 })).toBe(false);
    expect(promised({ mutation: "prev-mm-kept", cores: 1 })).toBe(false);
    expect(promised({ mutation: "cpumask-after-cr3" })).toBe(false);
    expect(promised({ mutation: "cpumask-after-cr3", protocol: "linux-4.8" })).toBe(true);
    expect(promised({ mutation: "unplug-keeps-lazy-mm" })).toBe(false);
  });
});

describe("what lazy CPUs make a mistake", () => {
  test.each([
    ["freed-tables-false", "pingpong", "linux-6.18"],
    ["freed-tables-under-lazy-cpus", "pingpong", "linux-4.20"],
    ["unplug-keeps-lazy-mm", "unplug", "linux-5.13"],
  ] as const)(
    "is none in C6, where idle CPUs have left the mm: %s",
    async (mutation, workload, protocol) => {
      const { rows } = await runExperiment(workload, {
        axes: {
          cores: 2,
          rounds: 2,
          idle: ["mwait", "c6"],
          lazyTlb: "refcounted",
          protocol,
          mutation,
        },
        workers: 1,
      });
      expect(rows.map(({ verdict, expected }) => [verdict, expected])).toEqual([
        ["violation", "violation"],
        ["ok", "ok"],
      ]);
    },
  );
});

describe("a run without checkers", () => {
  const run = (checks: boolean, workload: string, chosen: Partial<Configuration> = {}) =>
    simulate({
      configuration: completeConfiguration({ cores: 4, rounds: 4, ...chosen }),
      workload,
      seed: 3,
      checks,
    });

  test.each(["munmap", "fork-exit", "reclaim", "server"])(
    "of %s takes the same cycles",
    async (name) => {
      for (const chosen of [{}, { pti: true }, { protocol: "linux-6.18" }] as const) {
        const watched = await run(true, name, chosen);
        expect(watched.elapsedCycles).toBeGreaterThan(0);
        expect(await run(false, name, chosen)).toEqual(watched);
      }
    },
  );

  test("has no verdict, and fails nobody", async () => {
    const axes = { cores: 2, rounds: 1, lazyTlb: ["refcounted", "unrefcounted"] } as const;
    const { rows } = await runExperiment("munmap", { axes, workers: 1, checks: false });
    expect(rows.map(({ verdict }) => verdict)).toEqual(["unchecked", "unchecked"]);
    expect(rows.flatMap(({ violations }) => violations)).toEqual([]);
  });
});
