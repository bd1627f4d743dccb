// What goes with ABIS, and why the rest does not.

import { describe, expect, test } from "vitest";
import { completeConfiguration } from "../../src/experiment/axes.ts";
import type { Configuration } from "../../src/experiment/configuration.ts";
import { conflictIn } from "../../src/experiment/constraints.ts";
import { LAZY_POLICY_NAMES } from "../../src/kernel/lazy/policies.ts";

const conflictOf = (chosen: Partial<Configuration>) => conflictIn(completeConfiguration(chosen));

describe("abis", () => {
  test("goes with the policies that linux-4.8 goes with", () => {
    const fitting = (protocol: Configuration["protocol"]): readonly string[] =>
      LAZY_POLICY_NAMES.filter((lazyTlb) => conflictOf({ protocol, lazyTlb }) === undefined);
    expect(fitting("abis")).toEqual(["refcounted", "unrefcounted", "eager", "pre-4.15"]);
    expect(fitting("abis")).toEqual(fitting("linux-4.8"));
  });

  const refused: readonly (readonly [Partial<Configuration>, keyof Configuration, RegExp])[] = [
    [{ pcid: false }, "pcid", /what abis puts into the TLB survives MOV CR3 by bit 63 alone/],
    [{ pti: true }, "protocol", /abis knows no page-table isolation/],
    [{ lazyTlb: "null-prev" }, "protocol", /abis must be told what it leaves/],
    [{ lazyTlb: "shoot-lazies" }, "protocol", /abis needs active_mm as it was/],
    [{ cpu: "milan", invlpgb: true }, "protocol", /abis knows no INVLPGB/],
  ];
  test.each(refused)("does not go with %o", (chosen, against, reason) => {
    const conflict = conflictOf({ protocol: "abis", ...chosen });
    expect(conflict?.against).toBe(against);
    expect(conflict?.reason).toMatch(reason);
  });
});
