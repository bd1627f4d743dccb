// Global ASIDs in linux-6.18: who gets one, how everybody comes to use it, when it is free again.

import { describe, expect, test } from "vitest";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import { ASIDS } from "../../../src/kernel/state/global-asids.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { mmdrop } from "../../../src/kernel/memory/mm-count.ts";
import {
  disableInterrupts,
  enableInterrupts,
  type KernelCode,
} from "../../../src/kernel/operation/operation.ts";
import { considerGlobalAsid } from "../../../src/kernel/shootdown/global-asid.ts";
import { flush, type Lab, memory, play, runOn, type Script, touch } from "../lab.ts";
import { eventsOf, type Outcome, type SceneOptions } from "../scene.ts";
import { actAmong, FIRST_GLOBAL, ipisOf, type Role, withInvlpgb } from "./active-scene.ts";

const THREE: readonly Role[] = ["runs", "runs", "runs"];

describe("an address space", () => {
  const asidAfterFlush = (others: readonly Role[], change: SceneOptions = {}): number => {
    let asid = -1;
    const act = function* (cpu: Cpu, mm: Mm): KernelCode {
      yield* flush(cpu, mm, memory(1));
      asid = mm.globalAsid.value;
      expect(mm.asidTransition.value).toBe(asid !== 0);
    };
    actAmong(others, act, change);
    return asid;
  };

  test("that is active on four CPUs gets a global ASID with a flush", () => {
    expect(asidAfterFlush(THREE)).toBe(FIRST_GLOBAL);
  });

  test("does not where it is active on three, others being lazy or gone", () => {
    expect(asidAfterFlush(["runs", "runs"])).toBe(0);
    expect(asidAfterFlush(["runs", "lazy", "runs"])).toBe(0);
    expect(asidAfterFlush(["left", "runs", "runs"])).toBe(0);
  });

  test("does not where INVLPGB is not used", () => {
    expect(asidAfterFlush(THREE, { kernel: {} })).toBe(0);
  });

  test("is considered by one in 32 of a CPU's flushes, the first among them", () => {
    actAmong(THREE, function* (cpu, mm) {
      cpu.tlb.remoteFlushes = 1;
      for (let count = 1; count < 32; count++) yield* flush(cpu, mm, memory(1));
      expect(mm.globalAsid.value).toBe(0);
      yield* flush(cpu, mm, memory(1));
      expect(mm.globalAsid.value).toBe(FIRST_GLOBAL);
    });
  });

  test("has it on no kernel without PCIDs, nor on a CPU without INVLPGB", () => {
    const boot = (change: SceneOptions) => () => play({ ...withInvlpgb, ...change });
    expect(boot({ pcid: false })).toThrow("with PCIDs");
    expect(boot({ cpu: "skylake-sp" })).toThrow("on a CPU that has it");
  });
});

describe("the transition to a global ASID", () => {
  const flushes = (count: number, check: (mm: Mm, lab: Lab) => void): Outcome =>
    actAmong(["left", "runs", "runs", "runs"], function* (cpu, mm, lab) {
      for (let done = 0; done < count; done++) yield* flush(cpu, mm, memory(1));
      check(mm, lab);
    });

  test("begins with nobody on it", () => {
    const outcome = flushes(1, (mm, { kernel }) => {
      expect(mm.asidTransition.value).toBe(true);
      for (const { tlb } of kernel.cpus) expect(tlb.loadedAsid).toBeLessThan(FIRST_GLOBAL);
    });
    expect(ipisOf(outcome)).toEqual([2, 3, 4]);
  });

  test("takes one flush that calls the whole mask, in which everybody goes over", () => {
    const outcome = flushes(2, (mm, { kernel }) => {
      expect(mm.asidTransition.value).toBe(true);
      for (const id of [0, 2, 3, 4]) {
        expect(kernel.cpus[id]!.tlb.globalAsid.value).toBe(FIRST_GLOBAL);
        expect(kernel.machine.pcid(id)).toBe(FIRST_GLOBAL + 1);
      }
      expect(kernel.cpus[1]!.tlb.globalAsid.value).toBe(0);
      expect(mm.cpumask.has(1)).toBe(false); // it was there for nothing
    });
    expect(ipisOf(outcome).slice(3)).toEqual([1, 2, 3, 4]);
  });

  test("ends with the first flush that finds everybody on it, and calls nobody", () => {
    const outcome = flushes(4, (mm) => expect(mm.asidTransition.value).toBe(false));
    expect(ipisOf(outcome)).toHaveLength(7);
  });

  test("takes a CPU along that comes back to the mm, whose translations need no flush", () => {
    const outcome = actAmong(THREE, function* (cpu, mm, lab) {
      yield* flush(cpu, mm, memory(1));
      yield* runOn(cpu, mm); // from one thread of it to another
      expect(cpu.tlb.loadedAsid).toBe(FIRST_GLOBAL);
      yield* touch(memory(8), "read");
      yield* runOn(cpu, lab.mm("another"));
      yield* flush(cpu, mm, memory(1, 1));
      yield* runOn(cpu, mm);
      const before = lab.kernel.machine.counters(0).walks;
      yield* touch(memory(8), "read");
      expect(lab.kernel.machine.counters(0).walks - before).toBe(1);
    });
    const written = eventsOf(outcome, "cr3Written").filter(({ at }) => at.cpu === 0);
    const global = written.filter(({ pcid }) => pcid === FIRST_GLOBAL + 1);
    expect(global.map(({ keep }) => keep)).toEqual([true, true]);
  });
});

describe("a global ASID", () => {
  /** CPU 0 alone, where one active CPU is enough. */
  const alone = (script: Script): Outcome =>
    play({ ...withInvlpgb, kernel: { invlpgb: true, globalAsidCpus: 0 } }, script);

  function* start(cpu: Cpu, lab: Lab, name: string): KernelCode<Mm> {
    const mm = lab.mm(name);
    yield* runOn(cpu, mm);
    cpu.tlb.remoteFlushes = 0;
    yield* considerGlobalAsid(cpu, mm);
    yield* runOn(cpu, mm);
    yield* touch(memory(2), "write");
    return mm;
  }

  function* end(cpu: Cpu, lab: Lab, mm: Mm): KernelCode {
    cpu.current.mm = null;
    cpu.current.activeMm = lab.kernel.initMm;
    yield* disableInterrupts();
    yield* cpu.kernel.protocol.switchMm(cpu, lab.kernel.initMm);
    yield* enableInterrupts();
    yield* mmdrop(cpu, mm);
  }

  test("is not given out again while its translations may be in some TLB", () => {
    const asids: number[] = [];
    const outcome = alone(function* (cpu, lab) {
      for (const name of ["a", "b", "c"]) {
        const mm = yield* start(cpu, lab, name);
        asids.push(mm.globalAsid.value);
        yield* end(cpu, lab, mm);
      }
    });
    expect([asids, outcome.violations]).toEqual([[6, 7, 8], []]);
  });

  test("is given out again, once at the end of the numbers everything has been flushed", () => {
    const asids: number[] = [];
    const outcome = alone(function* (cpu, lab) {
      yield* end(cpu, lab, yield* start(cpu, lab, "a"));
      yield* start(cpu, lab, "b");
      cpu.kernel.globalAsids.last = ASIDS - 1;
      for (const name of ["c", "d"]) asids.push((yield* start(cpu, lab, name)).globalAsid.value);
    });
    expect([asids, outcome.violations]).toEqual([[6, 8], []]);
    expect(eventsOf(outcome, "broadcastBegun").map(({ what }) => what.extent)).toEqual([
      "allButGlobals",
    ]);
  });

  test("given out again without that is found to hold another's translations", () => {
    const { violations } = alone(function* (cpu, lab) {
      yield* end(cpu, lab, yield* start(cpu, lab, "a"));
      cpu.kernel.globalAsids.last = FIRST_GLOBAL;
      cpu.kernel.globalAsids.used.clear();
      lab.mm("takes the root's frame");
      yield* start(cpu, lab, "b");
    });
    expect(violations[0]!.message).toContain("without a flush into PCID 7, which holds");
  });
});
