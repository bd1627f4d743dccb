// What an exploration of a scenario comes to, in one line.

import { exploreScenario } from "../../src/explore/search/explorer.ts";
import type { Subject } from "../../src/explore/execution/scenario-system.ts";
import type { Scenario } from "../../src/explore/scenarios/scenario.ts";
import { type LazyPolicyName, lazyPolicies } from "../../src/kernel/lazy/policies.ts";
import { type ProtocolName, protocols } from "../../src/kernel/shootdown/protocols.ts";

/** What differs from linux-6.18 with `refcounted` under TSO. */
interface Kernel extends Partial<Omit<Subject, "policy" | "protocol">> {
  readonly policy?: LazyPolicyName | Subject["policy"];
  readonly protocol?: ProtocolName | Subject["protocol"];
}

/** What is found first; "clean" when all orders were covered and nothing was. */
export async function verdict(
  scenario: Scenario,
  { policy = "refcounted", protocol = "linux-6.18", memory = "tso", ...more }: Kernel = {},
): Promise<string> {
  const subject: Subject = {
    policy: typeof policy === "string" ? lazyPolicies[policy] : policy,
    protocol: typeof protocol === "string" ? protocols[protocol] : protocol,
    memory,
    ...more,
  };
  const { violations, complete } = await exploreScenario(scenario, subject, { seconds: 30 });
  const [first] = violations;
  if (first !== undefined) return `${first.invariant}: ${first.message}`;
  return complete ? "clean" : "cut";
}
