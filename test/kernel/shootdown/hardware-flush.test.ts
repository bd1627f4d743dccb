// broadcast and didi: flushes that hardware carries out, and whom it reaches.

import { describe, expect, test } from "vitest";
import { ASIDS } from "../../../src/kernel/state/global-asids.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { munmap } from "../../../src/kernel/memory/mmap.ts";
import { broadcast } from "../../../src/kernel/shootdown/broadcast.ts";
import { didi } from "../../../src/kernel/shootdown/didi.ts";
import { linux513 } from "../../../src/kernel/shootdown/linux-5.13.ts";
import type { ShootdownProtocol } from "../../../src/kernel/state/shootdown-protocol.ts";
import { eventsOf, type Outcome } from "../scene.ts";
import { flush, goLazy, memory, play, runOn, type Script, touch } from "../lab.ts";
import { measure, meanOf } from "../../workloads/runs.ts";

const flushCycles = (outcome: Outcome): number =>
  eventsOf(outcome, "flushReturn")[0]!.at.cycle - eventsOf(outcome, "flushBegin")[0]!.at.cycle;
const reachedOf = (outcome: Outcome): (readonly number[])[] =>
  eventsOf(outcome, "invalidatedRemotely").map(({ cpus }) => cpus);

/** CPU 0 flushes page 0. CPU 1 has read it, CPU 2 another page, CPU 3 it and is lazy since. */
function flushSharedPage(protocol: ShootdownProtocol, pages = 1): Outcome {
  let mm: Mm | undefined;
  const flusher: Script = function* (cpu, lab) {
    mm = lab.mm("mm");
    yield* runOn(cpu, mm);
    yield* touch(memory(32), "write");
    yield* lab.done(1);
    yield* lab.after(4);
    yield* flush(cpu, mm, memory(pages));
    yield* lab.done(5);
  };
  const reader = (page: number): Script =>
    function* (cpu, lab) {
      yield* lab.after(cpu.id);
      yield* runOn(cpu, mm!);
      yield* touch(memory(1, page), "read");
      if (cpu.id === 3) yield* goLazy(cpu);
      yield* lab.done(cpu.id + 1);
      yield* lab.after(5);
    };
  const scripts = [flusher, reader(0), reader(20), reader(0)] as const;
  const outcome = play({ protocol }, ...scripts);
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  return outcome;
}

describe.each([broadcast, didi])("$name", (protocol) => {
  test("interrupts nobody, and leaves everybody's clock alone", () => {
    const outcome = flushSharedPage(protocol);
    expect(eventsOf(outcome, "ipiSent")).toEqual([]);
    expect(eventsOf(outcome, "interruptTaken")).toEqual([]);
    const calls = eventsOf(flushSharedPage(linux513), "ipiSent").map(({ target }) => target);
    expect(calls).toEqual([1, 2]);
  });

  test("steals no cycle in a run of many cores, and takes less of its own", async () => {
    const chosen = { cores: 28, rounds: 4, lazyTlb: "refcounted" } as const;
    const [own, linux] = await Promise.all([
      measure("munmap", { ...chosen, protocol: protocol.name as "didi" | "broadcast" }),
      measure("munmap", { ...chosen, protocol: "linux-5.13" }),
    ]);
    expect([own.ipis, own.stolenCycles]).toEqual([0, 0]);
    expect(linux.stolenCycles).toBeGreaterThan(0);
    expect(meanOf(own.initiatorCycles)).toBeLessThan(meanOf(linux.initiatorCycles) / 3);
  });

  test("gives ASIDs out anew only after everybody has forgotten them", () => {
    const first: Script = function* (cpu, lab) {
      cpu.kernel.globalAsids.last = ASIDS - 2;
      for (let count = 0; count < 4; count++) {
        const mm = lab.mm(`mm${count}`);
        yield* runOn(cpu, mm);
        yield* touch(memory(4), "write");
        yield* runOn(cpu, cpu.kernel.initMm);
        yield* protocol.destroyContext!(cpu, mm);
      }
    };
    const outcome = play({ protocol }, first);
    expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
    const everything = eventsOf(outcome, "invalidatedRemotely").map(({ what }) => what.extent);
    expect(everything).toContain("allButGlobals");
  });
});

test("broadcast reaches every CPU", () => {
  expect(reachedOf(flushSharedPage(broadcast))).toEqual([[0, 1, 2, 3]]);
});

test("broadcast costs one INVLPG more than nothing, however much is flushed", () => {
  const [one, many] = [flushSharedPage(broadcast, 1), flushSharedPage(broadcast, 30)];
  expect(flushCycles(many)).toBe(flushCycles(one));
});

/** CPU 1 has evicted its translations of the pages whose table CPU 0 frees, not the way to it. */
function freeTableOfForgetful(): Outcome {
  let mm: Mm | undefined;
  const freer: Script = function* (cpu, lab) {
    mm = lab.mm("mm", 8);
    mm.areas.add({ ...memory(3072, 512), writable: true, executable: false });
    yield* runOn(cpu, mm);
    yield* touch(memory(1), "write");
    yield* lab.done(1);
    yield* lab.after(2);
    yield* munmap(cpu, mm, memory(8));
    yield* lab.done(3);
  };
  const holder: Script = function* (cpu, lab) {
    yield* lab.after(1);
    yield* runOn(cpu, mm!);
    yield* touch(memory(1), "read");
    yield* touch(memory(3072, 512), "read"); // twice the second level
    yield* lab.done(2);
    yield* lab.after(3);
  };
  return play({ protocol: didi }, freer, holder);
}

describe("didi", () => {
  test("reaches those who hold the page, lazy or not, and no other", () => {
    expect(reachedOf(flushSharedPage(didi))).toEqual([[0, 1, 3]]);
  });

  test("takes longer the further away a holder is", () => {
    const to = (target: number): number => {
      let mm: Mm | undefined;
      const flusher: Script = function* (cpu, lab) {
        mm = lab.mm("mm");
        yield* runOn(cpu, mm);
        yield* touch(memory(1), "write");
        yield* lab.done(1);
        yield* lab.after(2);
        yield* flush(cpu, mm, memory(1));
        yield* lab.done(3);
      };
      const holder: Script = function* (cpu, lab) {
        yield* lab.after(cpu.id === target ? 1 : 3);
        yield* runOn(cpu, mm!);
        if (cpu.id !== target) return;
        yield* touch(memory(1), "read");
        yield* lab.done(2);
        yield* lab.after(3);
      };
      const scripts = [flusher, ...Array.from({ length: target }, () => holder)];
      return flushCycles(play({ protocol: didi, cores: 32 }, ...scripts));
    };
    const [near, far] = [to(1), to(30)]; // 28 cores in a socket
    expect(far).toBeGreaterThan(near);
  });

  test("finds a core that holds a path to a freed table and no translation", () => {
    const outcome = freeTableOfForgetful();
    expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
    expect(eventsOf(outcome, "tableFreed")).toHaveLength(1);
    expect(reachedOf(outcome).at(-1)).toEqual([0, 1]);
  });
});
