// The protocol of one file under the clock; in every order, test/explore/scenarios/schemes.test.ts.

import { describe, expect, test } from "vitest";
import { playWorkload } from "../../workloads/runs.ts";
import { toy } from "./toy.ts";

describe("a toy protocol of one file", () => {
  test.each(["munmap", "madvise", "mprotect", "fork-exit", "server"] as const)(
    "is right in the workload %s",
    (workload) => {
      const scene = { cores: 3, rounds: 2, protocol: toy(false), pcid: false };
      const { ended, violations } = playWorkload(workload, scene);
      expect([ended, violations]).toEqual(["stopped", []]);
    },
  );

  test("that forgets the others is caught", () => {
    const { violations } = playWorkload("madvise", { protocol: toy(true), pcid: false });
    expect(violations).not.toEqual([]);
  });
});
