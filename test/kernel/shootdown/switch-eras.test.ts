// What a switch of address spaces writes, by era.

import { expect, test } from "vitest";
import { disableInterrupts, enableInterrupts } from "../../../src/kernel/operation/operation.ts";
import { protocols } from "../../../src/kernel/shootdown/protocols.ts";
import { storeSlotGeneration } from "../../../src/kernel/shootdown/asid.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { DYNAMIC_ASIDS } from "../../../src/kernel/state/tlb-state.ts";
import { flush, memory, play, runOn, type Script, touch } from "../lab.ts";

const ERAS = ["linux-4.8", "linux-4.15", "linux-4.20", "linux-5.13"] as const;

type Era = (typeof ERAS)[number];

test("init_mm has a mask, which every CPU on it is in, until linux-4.20", () => {
  const isInMask = (era: Era): boolean => {
    let isIn = false;
    const script: Script = function* (cpu, lab) {
      yield* runOn(cpu, lab.mm("mm"));
      yield* runOn(cpu, lab.kernel.initMm);
      isIn = lab.kernel.initMm.cpumask.has(cpu.id);
      yield* runOn(cpu, lab.mm("other"));
      expect(lab.kernel.initMm.cpumask.has(cpu.id)).toBe(false);
    };
    play({ protocol: protocols[era], pcid: era !== "linux-4.8" }, script);
    return isIn;
  };
  expect(ERAS.map(isInMask)).toEqual([true, true, false, false]);
});

test("a switch writes is_lazy whether it is set or not until linux-5.13", () => {
  const writes = (era: Era): number => {
    let count = 0;
    const script: Script = function* (cpu, lab) {
      const [a, b] = [lab.mm("a"), lab.mm("b")];
      yield* runOn(cpu, a);
      yield* disableInterrupts();
      const code = protocols[era].switchMm(cpu, b);
      for (let step = code.next(); step.done !== true; step = code.next(yield step.value)) {
        const operation = step.value;
        if (operation.kind === "store" && operation.cell === cpu.tlb.isLazy) count++;
      }
      yield* enableInterrupts();
    };
    play({ protocol: protocols[era], pcid: era !== "linux-4.8" }, script);
    return count;
  };
  expect(ERAS.map(writes)).toEqual([1, 1, 1, 0]);
});

test("the generations of two of six slots are stored in the line of loaded_mm", () => {
  const beside: boolean[] = [];
  const script: Script = function* (cpu) {
    for (let asid = 0; asid < DYNAMIC_ASIDS; asid++) {
      for (const operation of storeSlotGeneration(cpu, asid, 1)) {
        if (operation.kind === "storeOwn") beside.push(operation.line === cpu.tlb.loadedMm.line);
        yield operation;
      }
    }
  };
  play({}, script);
  expect(beside).toEqual([true, true, false, false, false, false]);
});

test("under linux-6.18 a CPU whose slot is in that line makes the next flusher miss it", () => {
  /** Lines that CPU 0 fetches from CPU 1 in its second flush, with CPU 1 on a slot. */
  const transfers = (mmsBefore: number): number => {
    let count = 0;
    let mm: Mm | undefined;
    const flusher: Script = function* (cpu, lab) {
      mm = lab.mm("mm");
      yield* runOn(cpu, mm);
      yield* touch(memory(1), "write");
      yield* lab.done(1);
      yield* lab.after(2);
      yield* flush(cpu, mm, memory(1));
      const before = lab.kernel.machine.counters(cpu.id).lineTransfers;
      yield* flush(cpu, mm, memory(1));
      count = lab.kernel.machine.counters(cpu.id).lineTransfers - before;
      yield* lab.done(3);
    };
    const target: Script = function* (cpu, lab) {
      yield* lab.after(1);
      for (let index = 0; index < mmsBefore; index++) yield* runOn(cpu, lab.mm(`other${index}`));
      yield* runOn(cpu, mm!);
      yield* lab.done(2);
      yield* lab.after(3);
    };
    play({ protocol: protocols["linux-6.18"] }, flusher, target);
    return count;
  };
  expect(transfers(0) - transfers(2)).toBe(1);
});
