// A page of 2 MiB under exploration: it is taken away whole, whatever part of it others use.

import { describe, expect, test } from "vitest";
import { pageNumber, pageRange } from "../../src/base/address.ts";
import { exploreScenario } from "../../src/explore/explore.ts";
import type { Scenario } from "../../src/explore/scenario.ts";
import { onePage } from "../../src/explore/stage.ts";
import { leafEntry } from "../../src/kernel/entry.ts";
import { flushRange } from "../../src/kernel/flush.ts";
import { lazyPolicies } from "../../src/kernel/lazy/policies.ts";
import { exchangeEntry, type Kernel, note } from "../../src/kernel/operation.ts";
import { protocols } from "../../src/kernel/shootdown/protocols.ts";
import { ACCESSED, DIRTY } from "../../src/machine/page-table.ts";

const RIGHTS = { writable: true, executable: false };
const range = pageRange(pageNumber(onePage().start - 511), 512);

/** A CPU write-protects the page and flushes `flushed`; another reads its last 4 KiB. */
const scenario = (flushed: typeof range): Scenario => ({
  name: "huge-page",
  summary: "a CPU protects a page of 2 MiB that another reads",
  cpus: 2,
  prepare(stage) {
    const mm = stage.mm("a", 0);
    mm.areas.add({ ...range, ...RIGHTS, pageSize: "2M" });
    const frame = stage.kernel.frames.allocateLarge();
    mm.tables.setEntry(range.start, leafEntry(frame, RIGHTS, "2M") | ACCESSED | DIRTY, "2M");
    for (const cpu of stage.cpus) stage.switchTo(stage.task(cpu, `thread${cpu.id}`, mm));
    const readOnly = leafEntry(frame, { ...RIGHTS, writable: false }, "2M") | ACCESSED | DIRTY;
    const protect = function* (): Kernel {
      const [cpu] = stage.cpus;
      yield* exchangeEntry(mm, range.start, readOnly, "2M");
      yield* flushRange(cpu!, { mm, range: flushed, freedTables: false, pageSize: "2M" });
      yield* note({ kind: "revoked", mm, range });
    };
    return [protect, () => stage.touch("read")];
  },
});

const explore = (name: keyof typeof protocols, flushed = range) =>
  exploreScenario(
    scenario(flushed),
    { policy: lazyPolicies.refcounted, protocol: protocols[name], memory: "tso" },
    { seconds: 20 },
  );

describe.each(["linux-4.15", "linux-5.13", "linux-6.18"] as const)("under %s", (name) => {
  test("no CPU uses any part of it after its flush", async () => {
    const { violations, cutBy, executions } = await explore(name);
    expect([violations, cutBy]).toEqual([[], null]);
    expect(executions).toBeGreaterThan(1);
  });
});

test("a flush of what is beside it leaves it in use", async () => {
  const { violations } = await explore("linux-5.13", pageRange(range.end, 512));
  expect(violations.map(({ invariant }) => invariant)).toEqual(["I1"]);
});
