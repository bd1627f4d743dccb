// A page table that MADV_DONTNEED frees while its area is in use, in every order.

import { expect, test } from "vitest";
import { pageNumber, pageRange } from "../../../src/base/address.ts";
import type { MemoryModel } from "../../../src/explore/execution/execution.ts";
import { exploreScenario } from "../../../src/explore/search/explorer.ts";
import type { Scenario } from "../../../src/explore/scenarios/scenario.ts";
import { onePage, type Stage } from "../../../src/explore/scenarios/stage.ts";
import { lazyPolicies } from "../../../src/kernel/lazy/policies.ts";
import { madviseDontNeed } from "../../../src/kernel/memory/madvise.ts";
import type { MutationName } from "../../../src/kernel/operation/mutation.ts";
import { linux618 } from "../../../src/kernel/shootdown/linux-6.18.ts";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import { PRESENT } from "../../../src/machine/page-table.ts";

const PAGE = onePage().start;
const TABLE = pageRange(pageNumber(PAGE - (PAGE % 512)), 512);

/** CPU 0 discards all of a table, of which a page is present; CPU 1 has the mm, too. */
const scenario = (other: (stage: Stage, cpu: Cpu) => void, outcomes: Set<string>): Scenario => ({
  name: "empty-table",
  summary: "a table is emptied and freed while another CPU has its mm",
  cpus: 2,
  prepare(stage) {
    const [cpu0, cpu1] = stage.cpus;
    const a = stage.mm("a", 0);
    a.areas.add({ ...TABLE, writable: true, executable: false });
    stage.switchTo(stage.task(cpu0, "discarder", a));
    stage.switchTo(stage.task(cpu1, "user", a));
    stage.run(cpu1, stage.touch("write", { cpu: cpu1 }));
    other(stage, cpu1);
    return [
      (cpu) => madviseDontNeed(cpu, a, TABLE),
      cpu1.current === cpu1.idle
        ? undefined
        : function* (cpu) {
            const faults = (): number => stage.kernel.machine.counters(cpu.id).faults;
            const before = faults();
            yield* stage.touch("write", { cpu });
            const isPresent = (a.tables.entryAt(PAGE) & PRESENT) !== 0n;
            const hasTable = a.tables.tablesOf(TABLE, "4K").length > 0;
            const left = isPresent ? "page" : hasTable ? "table" : "nothing";
            outcomes.add(`${left} after ${faults() - before} faults`);
          },
    ];
  },
});

async function explore(
  other: (stage: Stage, cpu: Cpu) => void,
  { memory = "tso", mutation }: { memory?: MemoryModel; mutation?: MutationName } = {},
): Promise<{ invariants: string[]; outcomes: string[] }> {
  const outcomes = new Set<string>();
  const kernel = { policy: lazyPolicies.refcounted, protocol: linux618, memory };
  const result = await exploreScenario(
    scenario(other, outcomes),
    { ...kernel, ...(mutation !== undefined && { mutation }) },
    { seconds: 60 },
  );
  expect(result.cutBy).toBeNull();
  const invariants = result.violations.map(({ invariant }) => invariant);
  return { invariants, outcomes: [...outcomes].toSorted() };
}

const doNothing = (): void => {};

test("whoever uses it comes before, or makes it anew", async () => {
  const { invariants, outcomes } = await explore(doNothing);
  const left = new Set(outcomes.map((outcome) => outcome.split(" ")[0]));
  expect([invariants, [...left]]).toEqual([[], ["nothing", "page", "table"]]);
});

test("a fault that waits for its lock meanwhile returns, and comes again", async () => {
  const { outcomes } = await explore(doNothing, { memory: "sc" });
  expect(outcomes).toEqual([
    "nothing after 0 faults",
    "page after 0 faults",
    "page after 1 faults",
    "page after 2 faults",
    "table after 0 faults",
  ]);
});

test("a lazy CPU is told, since it may still walk it", async () => {
  const turnLazy = (stage: Stage, cpu: Cpu): void => stage.sleep(cpu);
  expect((await explore(turnLazy)).invariants).toEqual([]);
  expect((await explore(turnLazy, { mutation: "freed-tables-false" })).invariants).toEqual(["I2"]);
});
