// What a fault does before it takes the page-table lock, and what it finds when it has it.

import { describe, expect, test } from "vitest";
import { frameOfEntry, pagesPer } from "../../../src/machine/page-table.ts";
import { mmap } from "../../../src/kernel/memory/mmap.ts";
import { costs } from "../../../src/kernel/operation/costs.ts";
import { copyMm } from "../../../src/kernel/process/fork.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { type PageRange, pageNumber, pageRange } from "../../../src/base/address.ts";
import { type Lab, memory, play, runOn, type Script, touch } from "../lab.ts";

interface Raced {
  readonly mm: Mm;
  readonly lab: Lab;
  /** From the first fault's begin to the last one's end. */
  readonly cycles: number;
}

/** Two CPUs write at the same time to the ranges that `choose` makes of an mm. */
function race(prepare: Script, choose: (mm: Mm) => readonly [PageRange, PageRange]): Raced {
  let mm: Mm | null = null;
  const begins: number[] = [];
  const ends: number[] = [];
  const faulting: Script = function* (cpu, lab) {
    const { machine } = lab.kernel;
    if (cpu.id === 0) {
      mm = lab.mm("mm", 64);
      yield* runOn(cpu, mm);
      yield* prepare(cpu, lab);
      yield* lab.done(1);
    } else {
      yield* lab.after(1);
      yield* runOn(cpu, mm!);
      yield* lab.done(2);
    }
    yield* lab.after(2);
    begins.push(machine.now(cpu.id));
    yield* touch(choose(mm!)[cpu.id]!, "write");
    ends.push(machine.now(cpu.id));
  };
  const { lab, ended, violations } = play({ cores: 2 }, faulting, faulting);
  expect([ended, violations]).toEqual(["stopped", []]);
  return { mm: mm!, lab, cycles: Math.max(...ends) - Math.min(...begins) };
}

describe("two CPUs that fault at the same time", () => {
  test("clear their pages at the same time, though the entries are in one table", () => {
    const pages = pagesPer("2M");
    const huge: { range?: PageRange } = {};
    const { cycles } = race(
      function* (cpu) {
        huge.range = yield* mmap(cpu, cpu.current.mm!, { pageCount: 2 * pages, pageSize: "2M" });
      },
      () => {
        const { start } = huge.range!;
        return [pageRange(start, 1), pageRange(pageNumber(start + pages), 1)];
      },
    );
    const clearing = costs.clearPage.cycles * pages;
    expect(cycles).toBeGreaterThan(clearing);
    expect(cycles).toBeLessThan(1.1 * clearing);
  });

  test("on one page put in one page, and the later one has nothing to give back", () => {
    const inUse: number[] = [];
    const { lab } = race(
      function* (cpu) {
        yield* touch(memory(1, 1), "write"); // the table is there
        inUse.push(cpu.kernel.frames.inUse);
      },
      () => [memory(1), memory(1)],
    );
    expect(lab.kernel.frames.inUse).toBe(inUse[0]! + 1);
  });

  test("on one page that must be copied make one copy", () => {
    const inUse: number[] = [];
    const { mm, lab } = race(
      function* (cpu) {
        yield* touch(memory(1), "write");
        yield* copyMm(cpu, cpu.current.mm!, "child");
        inUse.push(cpu.kernel.frames.inUse);
      },
      () => [memory(1), memory(1)],
    );
    const { frames } = lab.kernel;
    expect(frames.inUse).toBe(inUse[0]! + 1);
    expect(frames.mapCount(frameOfEntry(mm.tables.entryAt(memory(1).start)))).toBe(1);
  });
});
