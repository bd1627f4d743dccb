// A page of 1 GiB under exploration: it is taken away whole, whatever part of it others use.

import { expect, test } from "vitest";
import { pageNumber, pageRange } from "../../src/base/address.ts";
import { exploreScenario } from "../../src/explore/explore.ts";
import type { Scenario } from "../../src/explore/scenario.ts";
import { onePage } from "../../src/explore/stage.ts";
import { leafEntry } from "../../src/kernel/entry.ts";
import { flushRange } from "../../src/kernel/flush.ts";
import { lazyPolicies } from "../../src/kernel/lazy/policies.ts";
import { exchangeEntry, type Kernel, note } from "../../src/kernel/operation.ts";
import { protocols } from "../../src/kernel/shootdown/protocols.ts";
import { ACCESSED, DIRTY, pagesPer } from "../../src/machine/page-table.ts";

const RIGHTS = { writable: true, executable: false };
const GIGANTIC = pagesPer("1G");
/** The pages of scenarios are somewhere in the middle of it. */
const range = pageRange(pageNumber(0), GIGANTIC);

/** A CPU write-protects the page and flushes `flushed`; another reads 4 KiB of it. */
const scenario = (flushed: typeof range): Scenario => ({
  name: "gigantic-page",
  summary: "a CPU protects a page of 1 GiB that another reads",
  cpus: 2,
  prepare(stage) {
    expect(onePage().end).toBeLessThan(range.end);
    const mm = stage.mm("a", 0);
    mm.areas.add({ ...range, ...RIGHTS, pageSize: "1G" });
    const frame = stage.kernel.frames.allocateLarge("1G");
    mm.tables.setEntry(range.start, leafEntry(frame, RIGHTS, "1G") | ACCESSED | DIRTY, "1G");
    for (const cpu of stage.cpus) stage.switchTo(stage.task(cpu, `thread${cpu.id}`, mm));
    const readOnly = leafEntry(frame, { ...RIGHTS, writable: false }, "1G") | ACCESSED | DIRTY;
    const protect = function* (): Kernel {
      const [cpu] = stage.cpus;
      yield* exchangeEntry(mm, range.start, readOnly, "1G");
      yield* flushRange(cpu!, { mm, range: flushed, freedTables: false, pageSize: "1G" });
      yield* note({ kind: "revoked", mm, range });
    };
    return [protect, () => stage.touch("read", { index: 1 })];
  },
});

const explore = (name: keyof typeof protocols, flushed = range) =>
  exploreScenario(
    scenario(flushed),
    { policy: lazyPolicies.refcounted, protocol: protocols[name], memory: "tso" },
    { seconds: 20 },
  );

test.each(["linux-4.15", "linux-5.13", "linux-6.18"] as const)(
  "under %s no CPU uses any part of it after its flush",
  async (name) => {
    const { violations, cutBy, executions } = await explore(name);
    expect([violations, cutBy]).toEqual([[], null]);
    expect(executions).toBeGreaterThan(1);
  },
);

test("a flush of what is beside it leaves it in use", async () => {
  const { violations } = await explore("linux-5.13", pageRange(range.end, GIGANTIC));
  expect(violations.map(({ invariant }) => invariant)).toEqual(["I1"]);
});
