// Kernels that break an invariant in some order of steps, as the scenarios declare it: what a run,
// which is one order, cannot see.

import { BUILT_IN } from "../catalogue/catalogue.ts";
import { isMeant } from "./scenarios/breaks.ts";
import { SCENARIOS } from "./scenarios/scenarios.ts";

export interface KnownBreak {
  readonly scenario: string;
  /** Whether every lazy policy breaks with the protocol there. */
  readonly ofProtocol: boolean;
}

/**
 * The scenario that shows how the package's kernel breaks; undefined: nobody knows of one. One that
 * shows it with every policy comes before others.
 */
export function knownBreakOf(policyName: string, protocolName: string): KnownBreak | undefined {
  const policy = BUILT_IN.policies.get(policyName);
  const protocol = BUILT_IN.protocols.get(protocolName);
  if (policy === undefined || protocol === undefined) return undefined;
  const known = SCENARIOS.flatMap(({ name, breaks = [] }) =>
    breaks
      .filter((one) => isMeant(one, policy, protocol))
      .map((one) => ({ scenario: name, ofProtocol: one.policies === undefined })),
  );
  return known.find(({ ofProtocol }) => ofProtocol) ?? known[0];
}
