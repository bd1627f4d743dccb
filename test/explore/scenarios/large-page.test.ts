// A large page under exploration: it is taken away whole, whatever part of it others use.

import { describe, expect, test } from "vitest";
import { type PageRange, pageRange, pagesIn } from "../../../src/base/address.ts";
import { exploreScenario } from "../../../src/explore/search/explorer.ts";
import type { Scenario } from "../../../src/explore/scenarios/scenario.ts";
import { onePage } from "../../../src/explore/scenarios/stage.ts";
import { leafAt, leafEntry } from "../../../src/kernel/state/leaf-entry.ts";
import { flushRange } from "../../../src/kernel/memory/flush.ts";
import { lazyPolicies } from "../../../src/kernel/lazy/policies.ts";
import { exchangeEntry, type KernelCode, note } from "../../../src/kernel/operation/operation.ts";
import { protocols } from "../../../src/kernel/shootdown/protocols.ts";
import { ACCESSED, DIRTY } from "../../../src/machine/page-table.ts";

const RIGHTS = { writable: true, executable: false };

type Size = "2M" | "1G";

/** The page of a size that scenarios' memory begins in. */
const pageOf = (size: Size): PageRange => leafAt(onePage().start, size);
const besideIt = (size: Size): PageRange => pageRange(pageOf(size).end, pagesIn(pageOf(size)));

/** A CPU write-protects the page and flushes `flushed`; another reads 4 KiB of it. */
const scenario = (size: Size, flushed: PageRange): Scenario => ({
  name: "large-page",
  summary: "a CPU protects a large page that another reads",
  cpus: 2,
  prepare(stage) {
    const range = pageOf(size);
    const mm = stage.mm("a", 0);
    mm.areas.add({ ...range, ...RIGHTS, pageSize: size });
    const frame = stage.kernel.frames.allocateLarge(size);
    mm.tables.setEntry(range.start, leafEntry(frame, RIGHTS, size) | ACCESSED | DIRTY, size);
    for (const cpu of stage.cpus) stage.switchTo(stage.task(cpu, `thread${cpu.id}`, mm));
    const readOnly = leafEntry(frame, { ...RIGHTS, writable: false }, size) | ACCESSED | DIRTY;
    const protect = function* (): KernelCode {
      const [cpu] = stage.cpus;
      yield* exchangeEntry(mm, range.start, readOnly, size);
      yield* flushRange(cpu!, { mm, range: flushed, freedTables: false, pageSize: size });
      yield* note({ kind: "revoked", mm, range });
    };
    return [protect, () => stage.touch("read")];
  },
});

const explore = (name: keyof typeof protocols, size: Size, flushed = pageOf(size)) =>
  exploreScenario(
    scenario(size, flushed),
    { policy: lazyPolicies.refcounted, protocol: protocols[name], memory: "tso" },
    { seconds: 20 },
  );

describe.each(["2M", "1G"] as const)("of a page of %s", (size) => {
  test.each(["linux-4.15", "linux-5.13", "linux-6.18"] as const)(
    "under %s no CPU uses any part after its flush",
    async (name) => {
      const { violations, cutBy, executions } = await explore(name, size);
      expect([violations, cutBy]).toEqual([[], null]);
      expect(executions).toBeGreaterThan(1);
    },
  );

  test("parts stay in use after a flush of what is beside it", async () => {
    const { violations } = await explore("linux-5.13", size, besideIt(size));
    expect(violations.map(({ invariant }) => invariant)).toEqual(["I1"]);
  });
});
