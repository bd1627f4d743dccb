// The whole product of kernels and workloads, at small size: every protocol with every lazy policy
// and every feature that flushes look at, in every workload. In parts, which run beside each other.

import { describe, expect, test } from "vitest";
import { judge } from "../../../src/verify/matrix/judge.ts";
import { kernelFamilies } from "../../../src/verify/matrix/product.ts";
import { PROTOCOL_NAMES, type ProtocolName } from "../../../src/kernel/shootdown/protocols.ts";
import { WORKLOAD_NAMES } from "../../../src/workloads/workloads.ts";

const PARTS = 4;

const families = kernelFamilies();

const familiesUnder = (protocol: ProtocolName) =>
  families.filter(([first]) => first!.protocol === protocol);

export function describePart(part: number): void {
  const workloads = WORKLOAD_NAMES.filter((_, index) => index % PARTS === part);

  describe.each(workloads)("%s", (workload) => {
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
