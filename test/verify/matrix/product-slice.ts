// The whole product of kernels and workloads, at small size: every protocol with every lazy policy
// and every feature that flushes look at, in every workload. One file for each kind of workload,
// so that they run beside each other.

import { describe, expect, test } from "vitest";
import { judge } from "../../../src/verify/matrix/judge.ts";
import { kernelFamilies } from "../../../src/verify/matrix/product.ts";
import { PROTOCOL_NAMES, type ProtocolName } from "../../../src/kernel/shootdown/protocols.ts";
import { WORKLOAD_NAMES, type WorkloadName } from "../../../src/workloads/workloads.ts";

type Kind = "mappings" | "processes" | "switches" | "server";

/** A workload that stands nowhere here is of `mappings`: none is left out. */
const ELSEWHERE: Readonly<Record<Exclude<Kind, "mappings">, readonly WorkloadName[]>> = {
  processes: ["fork-exit", "exit", "kthread", "unplug"],
  switches: ["pingpong", "two-mms", "shared-mms", "two-threads", "overcommit"],
  server: ["server"],
};

const workloadsOf = (kind: Kind): readonly WorkloadName[] => {
  if (kind !== "mappings") return ELSEWHERE[kind];
  const others = Object.values(ELSEWHERE).flat();
  return WORKLOAD_NAMES.filter((name) => !others.includes(name));
};

const families = kernelFamilies();

const familiesUnder = (protocol: ProtocolName) =>
  families.filter(([first]) => first!.protocol === protocol);

export function describeProduct(kind: Kind): void {
  describe.each(workloadsOf(kind))("%s", (workload) => {
    test.each(PROTOCOL_NAMES)("under %s: every kernel has its expected verdict", async (name) => {
      const under = familiesUnder(name);
      const failures: string[] = [];
      let passed = 0;
      for (const family of under) {
        const judgement = await judge(family, workload, 1);
        failures.push(...judgement.failures);
        passed += judgement.passed;
      }
      expect(failures).toEqual([]);
      expect(passed).toBe(under.flat().length);
      expect(passed).toBeGreaterThan(1);
    });
  });
}
