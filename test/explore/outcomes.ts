// What the checkers say of every execution of a scenario, with the reduction or without it. Unlike
// an Explorer's, the search goes on behind what fails.

import { isShared, type LocationKey } from "../../src/explore/execution/locations.ts";
import { ScenarioSystem, type Subject } from "../../src/explore/execution/scenario-system.ts";
import type { Scenario } from "../../src/explore/scenarios/scenario.ts";
import { type Limits, Search } from "../../src/explore/search/search.ts";

export interface Outcomes {
  /** For example "I1: CPU 1 uses a translation of page 0xffff (a) ...", or "ok". */
  readonly outcomes: ReadonlySet<string>;
  readonly executions: number;
  /** Every execution was seen. */
  readonly complete: boolean;
}

/** Which step it was differs between orders of the same steps, and so does whether the CPU that is
 *  named has turned lazy by then, which a message says and no invariant asks. */
const classOf = ({ invariant, message }: { invariant: string; message: string }): string =>
  `${invariant}: ${message.replaceAll(/at cycle \d+/g, "at some step").replaceAll("lazy ", "")}`;

/** Gives up after so many executions. */
export function outcomesOf(
  scenario: Scenario,
  subject: Subject,
  reduction: Limits["reduction"],
  mostExecutions = Infinity,
): Outcomes {
  const system = new ScenarioSystem(scenario, subject);
  const { locations } = system.executor;
  const limits = { reduction, maxSteps: 1000, preemptionBound: Infinity };
  for (let shared: readonly LocationKey[] = []; ;) {
    const outcomes = new Set<string>();
    let hasFailed = false;
    const listener = {
      failed(): void {
        hasFailed = true;
        for (const violation of system.violations) outcomes.add(classOf(violation));
      },
      ended(): boolean {
        if (!hasFailed) outcomes.add("ok");
        hasFailed = false;
        return true;
      },
    };
    locations.begin(shared);
    const search = new Search(system, limits, listener);
    search.run(mostExecutions);
    const { executions, redundant } = search.covered;
    const isCovered = executions + redundant < mostExecutions;
    if (!isCovered || !locations.grew) return { outcomes, executions, complete: isCovered };
    const news = locations.owners.filter(([, readers, writers]) => isShared(readers, writers));
    shared = [...new Set([...shared, ...news.map(([key]) => key)])];
  }
}
