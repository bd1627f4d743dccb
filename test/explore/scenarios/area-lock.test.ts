// Per-VMA locks in every order: who changes an area and who faults in it are never in it together.

import { describe, expect, test } from "vitest";
import { exploreScenario } from "../../../src/explore/search/explorer.ts";
import type { Scenario } from "../../../src/explore/scenarios/scenario.ts";
import { onePage, type Stage } from "../../../src/explore/scenarios/stage.ts";
import {
  lockAreas,
  lockForChange,
  lockToRead,
  unlockAreas,
  unlockToRead,
} from "../../../src/kernel/locking/area-lock.ts";
import { readAreas } from "../../../src/kernel/operation/area-operation.ts";
import { changeAreas } from "../../../src/kernel/operation/guarded-operation.ts";
import { Cell } from "../../../src/kernel/operation/cell.ts";
import { lazyPolicies } from "../../../src/kernel/lazy/policies.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { load, store } from "../../../src/kernel/operation/operation.ts";
import { protocols } from "../../../src/kernel/shootdown/protocols.ts";

interface Seen {
  /** Readers that saw the change half done. */
  torn: number;
  /** What readers held. */
  readonly held: Set<string>;
}

/** An address space with a page, of which every CPU runs a thread. */
function runThreads(stage: Stage): Mm {
  const mm = stage.mm("a");
  for (const cpu of stage.cpus) stage.switchTo(stage.task(cpu, `thread${cpu.id}`, mm));
  return mm;
}

/** A CPU changes two variables that the area guards; another reads both, as a fault would. */
const scenario = (seen: Seen, locksArea: boolean): Scenario => ({
  name: "area-lock",
  summary: "an area is changed while another CPU is in it",
  cpus: 2,
  prepare(stage) {
    const mm = runThreads(stage);
    const parts = ["first", "second"].map((name) => new Cell(name, { index: -1 }, 0));
    return [
      function* () {
        yield* lockAreas(mm);
        if (locksArea) yield* lockForChange(mm, mm.areas.all);
        for (const part of parts) yield* store(part, 1);
        yield* unlockAreas(mm);
      },
      function* () {
        const held = yield* lockToRead(mm, onePage());
        const values = [yield* load(parts[0]!), yield* load(parts[1]!)];
        yield* unlockToRead(mm, held);
        if (values[0] !== values[1]) seen.torn++;
        seen.held.add(held === "mmap_lock" ? held : "vm_refcnt");
      },
    ];
  },
});

const explore = async (locksArea: boolean, name: keyof typeof protocols = "linux-6.18") => {
  const seen: Seen = { torn: 0, held: new Set() };
  const code = { policy: lazyPolicies.refcounted, protocol: protocols[name] };
  const result = await exploreScenario(
    scenario(seen, locksArea),
    { ...code, memory: "tso" },
    { seconds: 20 },
  );
  expect([result.violations, result.cutBy]).toEqual([[], null]);
  return seen;
};

describe("an area that is being changed", () => {
  test("is not read meanwhile: a reader comes before, or waits for mmap_lock", async () => {
    const { torn, held } = await explore(true);
    expect(torn).toBe(0);
    expect([...held].toSorted()).toEqual(["mmap_lock", "vm_refcnt"]);
  });

  test("is read half changed where its lock was not taken", async () => {
    expect((await explore(false)).torn).toBeGreaterThan(0);
  });

  test("is guarded by mmap_lock alone in a kernel without per-VMA locks", async () => {
    const { torn, held } = await explore(false, "linux-5.13");
    expect([torn, [...held]]).toEqual([0, ["mmap_lock"]]);
  });
});

test("an area that is taken out is found before, or not at all", async () => {
  const outcomes = new Set<string>();
  const scenario: Scenario = {
    name: "area-taken-out",
    summary: "an area is taken out of the list while another CPU looks for it",
    cpus: 2,
    prepare(stage) {
      const mm = runThreads(stage);
      return [
        function* () {
          yield* lockAreas(mm);
          yield* lockForChange(mm, mm.areas.all);
          yield* changeAreas(mm, (areas) => areas.remove(onePage()));
          yield* unlockAreas(mm);
        },
        function* () {
          const early = yield* readAreas(mm, (areas) => areas.at(onePage().start));
          const sequence = yield* load(mm.lockSequence!);
          const held = yield* lockToRead(mm, onePage());
          const area = mm.areas.at(onePage().start);
          const by = held === "mmap_lock" ? held : "vm_refcnt";
          outcomes.add(
            `${early ? "seen" : "gone"} at ${sequence}, ${by}, ${area ? "there" : "gone"}`,
          );
          yield* unlockToRead(mm, held);
        },
      ];
    },
  };
  const code = { policy: lazyPolicies.refcounted, protocol: protocols["linux-6.18"] };
  const result = await exploreScenario(scenario, { ...code, memory: "sc" }, { seconds: 20 });
  expect([result.violations, result.cutBy]).toEqual([[], null]);
  expect([...outcomes].toSorted()).toEqual([
    "gone at 1, mmap_lock, gone",
    "gone at 2, mmap_lock, gone",
    "seen at 0, mmap_lock, gone",
    "seen at 0, vm_refcnt, there",
    "seen at 1, mmap_lock, gone",
    "seen at 1, vm_refcnt, there",
    "seen at 2, mmap_lock, gone",
  ]);
});
