// I2 and I4: page tables and roots that a CPU may still walk when they are freed.

import { describe, expect, test } from "vitest";
import { lazyPolicies } from "../../src/kernel/lazy/policies.ts";
import { eventsOf, play } from "../kernel/scene.ts";
import { exitUnmapped, exitUntouched, unmapUnderLazy } from "./scenes.ts";
import { hidesFreedTables } from "./wrong-kernels.ts";

describe.each([true, false])("with pcid %s", (pcid) => {
  test("a freed table that a lazy CPU's structure cache still reaches is reported", () => {
    const { violations } = play({ pcid, protocol: hidesFreedTables }, unmapUnderLazy);
    const [first] = violations;
    expect(first).toMatchObject({ invariant: "I2", mm: "test", cpus: [0, 1] });
    expect(first!.message).toBe(
      "CPU 0 frees a page-table table of test while lazy CPU 1 has it in a paging-structure cache",
    );
    expect(first!.operations.map(({ cpu }) => cpu)).toEqual([0, 1]);
  });

  test("with the tables announced, the lazy CPU is interrupted and moved to init_mm", () => {
    const outcome = play({ pcid }, unmapUnderLazy);
    expect(outcome.violations).toEqual([]);
    const [freed] = eventsOf(outcome, "tableFreed").filter(({ mm }) => mm.name === "test");
    const root = outcome.kernel.initMm.root;
    const left = eventsOf(outcome, "cr3Written").filter(
      (event) => event.at.cpu === 1 && event.root === root,
    );
    expect(left.some(({ at }) => at.cycle < freed!.at.cycle)).toBe(true);
  });
});

/** Nothing is mapped when the last user goes, so that exit_mmap has nothing to flush. */
describe.each([
  ["an image of which nothing was touched", exitUntouched, "untouched"],
  ["a process that unmapped everything", exitUnmapped, "child"],
])("%s exits without a flush", (_what, scene, mm) => {
  test.each(["null-prev", "fewer-parameters", "unrefcounted"] as const)(
    "under %s its root is freed while CR3 of the lazy CPU points at it",
    (name) => {
      const { violations } = play({ policy: lazyPolicies[name] }, scene);
      expect(violations[0]).toMatchObject({ invariant: "I4", mm, cpus: [1] });
      expect(violations[0]!.message).toBe(
        `CPU 1 frees a page-table root of ${mm} while lazy CPU 1 has it in CR3`,
      );
    },
  );

  test.each(["shoot-lazies", "exit-unlazy", "eager"] as const)(
    "under %s the CPU leaves the root before it is freed",
    (name) => {
      const outcome = play({ policy: lazyPolicies[name] }, scene);
      expect(outcome.violations).toEqual([]);
      expect(eventsOf(outcome, "mmFreed").map((event) => event.mm.name)).toContain(mm);
    },
  );

  test.each(["refcounted", "hazard-pointer"] as const)(
    "under %s the root stays for as long as the lazy CPU idles on it",
    (name) => {
      const { kernel, violations } = play({ policy: lazyPolicies[name] }, scene);
      expect(violations).toEqual([]);
      const kept = [...kernel.liveMms].find((one) => one.name === mm)!;
      expect(kept.mmUsers.value).toBe(0);
      expect(kernel.machine.root(1)).toBe(kept.root);
    },
  );
});
