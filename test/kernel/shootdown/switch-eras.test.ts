// What a switch of address spaces writes, by era.

import { expect, test } from "vitest";
import { disableInterrupts, enableInterrupts } from "../../../src/kernel/operation/operation.ts";
import { protocols } from "../../../src/kernel/shootdown/protocols.ts";
import { play, runOn, type Script } from "../lab.ts";

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
