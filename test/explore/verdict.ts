// What an exploration of a scenario comes to, in one line. It ends with the first violation, where
// an Explorer goes on in search of a shorter schedule.

import { isShared, type LocationKey } from "../../src/explore/execution/locations.ts";
import { ScenarioSystem, type Subject } from "../../src/explore/execution/scenario-system.ts";
import type { Scenario } from "../../src/explore/scenarios/scenario.ts";
import { Search } from "../../src/explore/search/search.ts";
import { type LazyPolicyName, lazyPolicies } from "../../src/kernel/lazy/policies.ts";
import { type ProtocolName, protocols } from "../../src/kernel/shootdown/protocols.ts";

/** What differs from linux-6.18 with `refcounted` under TSO. */
interface Kernel extends Partial<Omit<Subject, "policy" | "protocol">> {
  readonly policy?: LazyPolicyName | Subject["policy"];
  readonly protocol?: ProtocolName | Subject["protocol"];
}

const LIMITS = { reduction: "source", maxSteps: 1000, preemptionBound: Infinity } as const;
const MOST_EXECUTIONS = 20_000;

/** What is found first; "clean" when all orders were covered and nothing was. */
export async function verdict(scenario: Scenario, kernel: Kernel = {}): Promise<string> {
  const { policy = "refcounted", protocol = "linux-6.18", memory = "tso", ...more } = kernel;
  const system = new ScenarioSystem(scenario, {
    policy: typeof policy === "string" ? lazyPolicies[policy] : policy,
    protocol: typeof protocol === "string" ? protocols[protocol] : protocol,
    memory,
    ...more,
  });
  const { locations } = system.executor;
  for (let shared: readonly LocationKey[] = []; ;) {
    let found: string | undefined;
    const listener = {
      failed(): void {
        const [{ invariant, message }] = system.violations as [(typeof system.violations)[0]];
        found ??= `${invariant}: ${message}`;
      },
      ended: (): boolean => found === undefined,
    };
    locations.begin(shared);
    const search = new Search(system, LIMITS, listener);
    search.run(MOST_EXECUTIONS);
    if (found !== undefined) return found;
    const { executions, redundant, wasCut } = search.covered;
    if (wasCut || executions + redundant >= MOST_EXECUTIONS) return "cut";
    if (!locations.grew) return "clean";
    const news = locations.owners.filter(([, readers, writers]) => isShared(readers, writers));
    shared = [...new Set([...shared, ...news.map(([key]) => key)])];
  }
}
