// switch_mm_irqs_off of linux-5.13: mask bits, the six ASID slots, and coming back from lazy.

import { describe, expect, test } from "vitest";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import type { KernelCode } from "../../../src/kernel/operation/operation.ts";
import { flush, goLazy, type Lab, memory, play, runOn, type Script, touch } from "../lab.ts";
import { eventsOf, type Outcome } from "../scene.ts";

/** The CR3 writes of CPU 0: PCID, and whether it keeps what the PCID holds. */
const cr3Of = (outcome: Outcome, cpu = 0): string[] =>
  eventsOf(outcome, "cr3Written")
    .filter(({ at }) => at.cpu === cpu)
    .map(({ pcid, keep }) => `${pcid} ${keep ? "keep" : "flush"}`);

const mmsOf = (lab: Lab, count: number): Mm[] =>
  Array.from({ length: count }, (_, index) => lab.mm(`mm${index}`));

const maskOf = (mm: Mm): number[] => [0, 1].filter((cpu) => mm.cpumask.has(cpu));

describe("mm_cpumask", () => {
  test("gets the bit of a CPU that loads the mm, and loses it when the CPU loads another", () => {
    const script: Script = function* (cpu, lab) {
      const [a, b] = mmsOf(lab, 2);
      yield* runOn(cpu, a!);
      expect([maskOf(a!), maskOf(b!)]).toEqual([[0], []]);
      yield* runOn(cpu, b!);
      expect([maskOf(a!), maskOf(b!)]).toEqual([[], [0]]);
      yield* runOn(cpu, lab.kernel.initMm);
      expect([maskOf(a!), maskOf(b!), maskOf(lab.kernel.initMm)]).toEqual([[], [], []]);
    };
    expect(play({}, script).ended).toBe("stopped");
  });

  test("keeps the bit of a CPU that is lazy", () => {
    const script: Script = function* (cpu, lab) {
      const mm = lab.mm("mm");
      yield* runOn(cpu, mm);
      yield* goLazy(cpu);
      expect([maskOf(mm), cpu.tlb.isLazy.value]).toEqual([[0], true]);
    };
    expect(play({}, script).ended).toBe("stopped");
  });

  test("a CPU on init_mm does not become lazy: there is nothing to keep", () => {
    const script: Script = function* (cpu) {
      yield* goLazy(cpu);
      expect(cpu.tlb.isLazy.value).toBe(false);
    };
    expect(play({}, script).ended).toBe("stopped");
  });
});

describe("the ASID slots", () => {
  /** Visits the mms by number, in this order. */
  const visit = (order: readonly number[], pcid = true, between?: Between): string[] => {
    const script: Script = function* (cpu, lab) {
      const mms = mmsOf(lab, Math.max(...order) + 1);
      for (const [index, which] of order.entries()) {
        yield* runOn(cpu, mms[which]!);
        if (between !== undefined) yield* between(cpu, mms, index);
      }
    };
    const outcome = play({ pcid }, script);
    expect(outcome.violations).toEqual([]);
    return cr3Of(outcome);
  };
  type Between = (cpu: Cpu, mms: readonly Mm[], index: number) => KernelCode;

  test("are given out round robin, and the seventh address space takes the first again", () => {
    // init_mm has slot 0 (PCID 1) from boot on.
    expect(visit([0, 1, 2, 3, 4, 5, 6])).toEqual(
      [2, 3, 4, 5, 6, 1, 2].map((pcid) => `${pcid} flush`),
    );
  });

  test("are kept without a flush when the address space comes back unchanged", () => {
    expect(visit([0, 1, 0, 1])).toEqual(["2 flush", "3 flush", "2 keep", "3 keep"]);
  });

  test("are kept but flushed when a flush happened meanwhile", () => {
    const flushed = visit([0, 1, 0, 0, 1], true, function* (cpu, mms, index) {
      if (index === 1) yield* flush(cpu, mms[0]!, memory(1));
    });
    expect(flushed).toEqual(["2 flush", "3 flush", "2 flush", "3 keep"]);
  });

  test("are new after eviction, even if the address space is unchanged", () => {
    expect(visit([0, 1, 2, 3, 4, 5, 6, 0]).slice(-2)).toEqual(["2 flush", "3 flush"]);
  });

  test("are all slot 0 and PCID 0, with a flush every time, where PCID is off", () => {
    expect(visit([0, 1, 0], false)).toEqual(["0 flush", "0 flush", "0 flush"]);
  });

  test("keep what they hold: no walk is needed after coming back", () => {
    const walks: number[] = [];
    const script = (pcid: boolean): Script =>
      function* (cpu, lab) {
        const [a, b] = mmsOf(lab, 2);
        yield* runOn(cpu, a!);
        yield* touch(memory(8), "write");
        yield* runOn(cpu, b!);
        yield* runOn(cpu, a!);
        const before = lab.kernel.machine.counters(0).walks;
        yield* touch(memory(8), "write");
        walks.push(lab.kernel.machine.counters(0).walks - before);
        expect(lab.kernel.options.pcid).toBe(pcid);
      };
    play({ pcid: true }, script(true));
    play({ pcid: false }, script(false));
    expect(walks).toEqual([0, 8]);
  });
});

describe("coming back from lazy to the same address space", () => {
  const comeBack = (meanwhile: (cpu: Cpu, mm: Mm) => KernelCode): Outcome => {
    const script: Script = function* (cpu, lab) {
      const mm = lab.mm("mm");
      yield* runOn(cpu, mm);
      yield* goLazy(cpu);
      yield* meanwhile(cpu, mm);
      yield* runOn(cpu, mm);
      expect(cpu.tlb.isLazy.value).toBe(false);
      const { contexts, loadedAsid } = cpu.tlb;
      expect(contexts[loadedAsid]!.tlbGeneration).toBe(mm.tlbGeneration.value);
    };
    const outcome = play({}, script);
    expect(outcome.ended).toBe("stopped");
    return outcome;
  };

  test("leaves CR3 alone when the generation is the slot's", () => {
    expect(cr3Of(comeBack(function* () {}))).toEqual(["2 flush"]);
  });

  test("flushes the same slot when the generation was raised", () => {
    const outcome = comeBack(function* (_cpu, mm) {
      mm.tlbGeneration.value++; // as by another CPU, which skipped this lazy one
    });
    expect(cr3Of(outcome)).toEqual(["2 flush", "2 flush"]);
  });

  test("reads no generation when the CPU was not lazy", () => {
    const script: Script = function* (cpu, lab) {
      const mm = lab.mm("mm");
      yield* runOn(cpu, mm);
      mm.tlbGeneration.value++;
      yield* runOn(cpu, mm);
    };
    expect(cr3Of(play({}, script))).toEqual(["2 flush"]);
  });
});
