// The contracts of kernel functions under the other executor: each way to call one wrongly, in the
// preparation of a scenario, is told as under the clock.

import { expect, test } from "vitest";
import { ScenarioSystem } from "../../../src/explore/execution/scenario-system.ts";
import type { Scenario } from "../../../src/explore/scenarios/scenario.ts";
import { lazyPolicies } from "../../../src/kernel/lazy/policies.ts";
import { linux513 } from "../../../src/kernel/shootdown/linux-5.13.ts";
import { type BrokenCall, brokenCallsOf } from "../../kernel/contract/broken-call.ts";
import { type Contract, givenOf } from "../../kernel/contract/contract.ts";
import { CONTRACTS } from "../../kernel/contract/rows.ts";

const policy = lazyPolicies.refcounted;

/** What is told of a call by CPU 0, and what is to be told. */
function toldOf(
  { protocol = linux513, pti }: Contract,
  { code, report }: BrokenCall,
): { readonly told: unknown; readonly expected: string } {
  let expected = "";
  const scenario: Scenario = {
    name: "broken",
    summary: "a call against its contract",
    cpus: 2,
    kernel: { pti: pti === true },
    prepare(stage) {
      const [cpu, other] = stage.cpus;
      const mm = stage.mm("mm", 2);
      stage.switchTo(stage.task(cpu, "thread", mm));
      const given = givenOf(cpu, other, mm);
      expected = report(given);
      stage.run(cpu, code(given));
      return [];
    },
  };
  let told: unknown;
  try {
    told = new ScenarioSystem(scenario, { policy, protocol, memory: "tso" });
  } catch (error) {
    told = error;
  }
  return { told, expected };
}

test.each(CONTRACTS)("%s tells of each way to call it wrongly", (_name, contract) => {
  for (const call of brokenCallsOf(contract)) {
    const { told, expected } = toldOf(contract, call);
    expect(told).toEqual(new Error(`the preparation breaks ${expected}`));
  }
});
