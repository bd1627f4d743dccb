// Every rule that refuses a combination is right: what would break does, and what would go unused
// changes nothing.

import { describe, expect, test } from "vitest";
import type { Configuration } from "../../src/experiment/configuration.ts";
import { combinationOf, filled, RULES, type Rule } from "../../src/experiment/constraints.ts";
import { readExperiment } from "../../src/experiment/experiment.ts";
import { expand } from "../../src/experiment/matrix.ts";
import { atSmallSize, canRun, everyKernel } from "../../src/verify/matrix/product.ts";
import type { Measurement } from "../../src/experiment/result.ts";
import { parseSetting } from "./read.ts";
import { simulate } from "../../src/experiment/simulate.ts";
import { exploreJob } from "../../src/explore/scenario-result.ts";
import type { WorkloadName } from "../../src/workloads/workloads.ts";

/** Of all kernels on all CPUs, what one rule alone refuses, by that rule. */
const refused = new Map<Rule, Configuration[]>(RULES.map((rule) => [rule, []]));
for (const kernel of everyKernel()) {
  for (const chosen of [{}, { idle: "c6" }, { invpcid: true }] as const) {
    const configuration = atSmallSize({ ...kernel, ...chosen });
    const [rule, ...others] = RULES.filter((one) => one.refuses(combinationOf(configuration)));
    if (rule !== undefined && others.length === 0) refused.get(rule)!.push(configuration);
  }
}

const nameOf = ({ why }: Rule): string => why;
const rulesOf = (kind: Rule["kind"]) =>
  RULES.filter((rule) => rule.kind === kind).map((rule) => [nameOf(rule), rule] as const);

/** What a rule refuses, once for whatever tells the kernels apart. */
function eachOnce(rule: Rule): readonly Configuration[] {
  const found = new Map<string, Configuration>();
  for (const configuration of refused.get(rule)!) {
    const { protocol, lazyTlb, pcid, pti, invlpgb } = configuration;
    // A feature that is not used is not used whatever the policy.
    const policy = rule.kind === "unused" ? "any" : lazyTlb;
    const key = [protocol, policy, pcid, pti, invlpgb].join(" ");
    if (!found.has(key)) found.set(key, configuration);
  }
  return [...found.values()];
}

const measured = new Map<string, Promise<Measurement>>();

/** Measures each run once. */
function measure(configuration: Configuration, workload: WorkloadName): Promise<Measurement> {
  const key = `${workload} ${JSON.stringify(configuration)}`;
  const run = measured.get(key) ?? simulate({ configuration, workload, seed: 1 });
  measured.set(key, run);
  return run;
}

const explored = new Map<string, Promise<boolean>>();

/** Whether a guest's kernel breaks in some order, which the machine's features do not change. */
function breaksInSomeOrder({ protocol, lazyTlb: policy }: Configuration): Promise<boolean> {
  const key = `${protocol} ${policy}`;
  const job = { name: "exit-while-vcpu-preempted", protocol, policy } as const;
  const found =
    explored.get(key) ??
    exploreJob({ ...job, mutation: "none", memory: "sc" }, {}).then(
      ({ violations }) => violations.length > 0,
    );
  explored.set(key, found);
  return found;
}

const isGuest = (configuration: Configuration): boolean =>
  combinationOf(configuration).traits.host !== "none";

/** A violation in a workload; in a guest, where no workload preempts a vCPU just then, in some
 *  order of a scenario. */
async function isShownToBreak(configuration: Configuration): Promise<boolean> {
  if (isGuest(configuration)) return breaksInSomeOrder(configuration);
  return (await measure(configuration, "munmap")).violations.length > 0;
}

describe("what is refused since it would break, does:", () => {
  test.each(rulesOf("breaks"))("%s", async (_, rule) => {
    const configurations = eachOnce(rule);
    expect(configurations.length).toBeGreaterThan(0);
    for (const configuration of configurations) {
      expect([configuration, await isShownToBreak(configuration)]).toEqual([configuration, true]);
    }
  });
});

/** The configuration without what it would not use. */
function withoutUnused(configuration: Configuration, { axis }: Rule): Configuration {
  return {
    ...configuration,
    [axis]: false,
  };
}

describe("what is refused since it would go unused, changes nothing:", () => {
  test.each(rulesOf("unused"))("%s", async (_, rule) => {
    const configurations = eachOnce(rule);
    expect(configurations.length).toBeGreaterThan(0);
    for (const configuration of configurations) {
      const plain = withoutUnused(configuration, rule);
      expect(canRun(plain)).toBe(true);
      for (const workload of ["munmap", "vmalloc", "kthread"] as const) {
        // One after the other, on one machine.
        const [with_, without] = [
          await measure(configuration, workload),
          await measure(plain, workload),
        ];
        expect(with_).toEqual(without);
      }
    }
  });
});

test("in-context-flush is linux-5.13 where there is no isolation, and no user PCID", async () => {
  for (const chosen of [{ pti: false }, { pti: true, pcid: false }]) {
    const [plain, inContext] = (["linux-5.13", "in-context-flush"] as const).map((protocol) =>
      measure(atSmallSize({ protocol, ...chosen }), "madvise"),
    );
    expect(await inContext).toEqual(await plain);
  }
});

describe("a refusal", () => {
  const every = [...refused].filter(([, configurations]) => configurations.length > 0);

  test("is there for every rule that small machines can break", () => {
    const unbroken = RULES.filter((rule) => refused.get(rule)!.length === 0);
    expect(unbroken.map(({ axis, against }) => [axis, against])).toEqual([
      ["x2apic", "cores"],
      ["pages", "pageSize"],
      ["pages", "cores"],
    ]);
  });

  test.each(every.map(([rule, [first]]) => [nameOf(rule), rule, first!] as const))(
    "on the command line names what was asked for, and the reason: %s",
    (_, rule, configuration) => {
      const settings = Object.entries(configuration).map(([axis, value]) =>
        parseSetting(`${axis}=${value}`),
      );
      const reason = filled(rule, (axis) => String(configuration[axis]));
      expect(reason).not.toMatch(/[{}]|undefined/);
      const value = configuration[rule.axis];
      const found = `--set ${rule.axis}=${value}: ${JSON.stringify(value)}: ${reason}; `;
      const experiment = readExperiment({ workloads: ["munmap"] }, "x");
      expect(() => expand(experiment, settings)).toThrow(`${found}leave it out or choose another`);
    },
  );
});
