// ABIS: what the entry of a page says of who has cached it, and whom a flush then interrupts.

import { describe, expect, test } from "vitest";
import type { PageRange } from "../../../src/base/address.ts";
import { BY_ANYBODY, madeOld, recordOf, withRecord } from "../../../src/kernel/state/leaf-entry.ts";
import { madviseDontNeed, madviseFree } from "../../../src/kernel/memory/madvise.ts";
import { mmput } from "../../../src/kernel/memory/mm-count.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { mprotect } from "../../../src/kernel/memory/mprotect.ts";
import { reclaim } from "../../../src/kernel/memory/reclaim.ts";
import { mremap } from "../../../src/kernel/memory/mremap.ts";
import { invlpg } from "../../../src/kernel/operation/operation.ts";
import { copyMm } from "../../../src/kernel/process/fork.ts";
import { abis } from "../../../src/kernel/shootdown/abis.ts";
import { ACCESSED, DIRTY } from "../../../src/machine/page-table.ts";
import { type Act, inTurn, type Turns } from "../in-turn.ts";
import { memory, play, runOn, type Script, touch } from "../lab.ts";
import { eventsOf } from "../scene.ts";

const PAGE: PageRange = memory(1);
const READ_ONLY = { writable: false, executable: false };

/** Three CPUs. */
function turns(...acts: readonly Act[]): Turns {
  const outcome = inTurn(3, { protocol: abis }, ...acts);
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  return outcome;
}

/** Whether the page's entry is accessed, and what it has recorded. */
function noted(mm: Mm, page = PAGE): [accessed: boolean, record: number] {
  const entry = mm.tables.entryAt(page.start);
  return [(entry & ACCESSED) !== 0n, recordOf(entry)];
}

const writes: Act["1"] = () => touch(PAGE, "write");
const reads: Act["1"] = () => touch(PAGE, "read");
const discards: Act["1"] = (cpu, mm) => madviseDontNeed(cpu, mm, PAGE);
const forgets: Act["1"] = () => invlpg(PAGE.start);

describe("a page that a CPU faults in", () => {
  test("stays that CPU's, whatever it does with it, and is dirty from the start", () => {
    const { mm } = turns([0, writes], [0, reads], [0, writes]);
    expect(noted(mm)).toEqual([false, 1]);
    expect(mm.tables.entryAt(PAGE.start) & DIRTY).toBe(DIRTY);
  });

  test("is anybody's as soon as another CPU uses it", () => {
    expect(noted(turns([0, writes], [1, reads]).mm)).toEqual([true, 1]);
  });

  test("is anybody's when its CPU has lost it and walks to it again", () => {
    expect(noted(turns([0, writes], [0, forgets], [0, reads]).mm)).toEqual([true, 1]);
  });

  test("is nobody's in particular where the mm has one user", () => {
    const script: Script = function* (cpu, lab) {
      const mm = lab.mm("mm");
      yield* runOn(cpu, mm);
      yield* touch(PAGE, "write");
      expect(noted(mm)).toEqual([true, 0]);
      expect(mm.roots).toHaveLength(1);
    };
    expect(play({ protocol: abis }, script).violations).toEqual([]);
  });
});

describe("a flush", () => {
  test("of a page that its own CPU alone has interrupts nobody", () => {
    expect(turns([0, writes], [0, discards]).called).toEqual([[], []]);
  });

  test("of a page that one other CPU alone has interrupts that CPU", () => {
    expect(turns([0, writes], [1, discards]).called[1]).toEqual([0]);
  });

  test("of a page that two have used interrupts all others in mm_cpumask", () => {
    const { called } = turns([0, writes], [1, reads], [0, discards]);
    expect(called[2]).toEqual([1, 2]);
  });

  test("of pages that two CPUs have faulted in interrupts these two", () => {
    const other = memory(1, 1);
    const { called } = turns(
      [0, writes],
      [1, () => touch(other, "write")],
      [2, (cpu, mm) => madviseDontNeed(cpu, mm, memory(2))],
    );
    expect(called[2]).toEqual([0, 1]);
  });

  test("of pages that nobody has used is none: those of a child that has not run", () => {
    let child: Mm | undefined;
    const outcome = turns(
      [0, writes],
      [1, reads],
      [
        0,
        function* (cpu, mm) {
          child = yield* copyMm(cpu, mm, "child");
          expect(noted(child)).toEqual([false, 0]);
        },
      ],
      [2, (cpu) => madviseDontNeed(cpu, child!, PAGE)],
    );
    expect(outcome.called[3]).toEqual([]);
    const ofChild = eventsOf(outcome, "flushed").filter(({ mm }) => mm === child);
    expect(ofChild.map(({ how }) => how)).toEqual(["skipped"]);
  });

  test("of a batch of reclaim interrupts only who has one of its pages", () => {
    const takesAway: Act["1"] = (cpu, mm) => reclaim(cpu, [{ mm, page: PAGE.start }]);
    expect(turns([1, writes], [0, takesAway]).called).toEqual([[], [1]]);
    expect(turns([1, writes], [2, reads], [0, takesAway]).called).toEqual([[], [], [1, 2]]);
  });

  test("of a page whose CPU has left the mm interrupts nobody, for it took nothing along", () => {
    const leaves: Act["1"] = (cpu) => runOn(cpu, cpu.kernel.initMm);
    expect(turns([0, writes], [0, leaves], [1, discards]).called[2]).toEqual([]);
  });
});

describe("what an entry says is kept", () => {
  test("by mprotect, whose flush is for those who had it", () => {
    const protects: Act["1"] = (cpu, mm) => mprotect(cpu, mm, PAGE, READ_ONLY);
    const { mm, called } = turns([0, writes], [1, protects]);
    expect([called[1], noted(mm)]).toEqual([[0], [false, 1]]);
  });

  test("by fork, which write-protects it", () => {
    const { mm } = turns([0, writes], [0, (cpu, parent) => copyMm(cpu, parent, "child")]);
    expect(noted(mm)).toEqual([false, 1]);
  });

  test("by mremap, at the new place", () => {
    const to = memory(1, 100);
    const moves: Act["1"] = (cpu, mm) => mremap(cpu, mm, PAGE, to);
    const { mm, called } = turns([0, writes], [1, moves]);
    expect([called[1], noted(mm, to)]).toEqual([[0], [false, 1]]);
  });

  test("by MADV_FREE, which clears the bit: anybody may still have the page", () => {
    const frees: Act["1"] = (cpu, mm) => madviseFree(cpu, mm, PAGE);
    const { mm, called } = turns([0, writes], [1, reads], [0, frees], [0, discards]);
    expect(called.slice(2)).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(mm.tables.entryAt(PAGE.start)).toBe(0n);
    const own = turns([0, writes], [1, frees]);
    expect(noted(own.mm)).toEqual([false, 1]);
  });

  test("for every CPU there can be, in bits that nothing else is in", () => {
    const entry = 0x8000_0000_0000_0067n | (0xfffffffn << 12n);
    for (const record of [0, 1, 127, 128, 1022, BY_ANYBODY]) {
      const recorded = withRecord(entry, record);
      expect(recordOf(recorded)).toBe(record);
      expect(withRecord(recorded, 0)).toBe(entry);
      expect(recordOf(madeOld(recorded))).toBe(BY_ANYBODY);
      expect(recordOf(madeOld(recorded & ~ACCESSED))).toBe(record);
    }
  });
});

describe("the root by which a CPU fills its TLB", () => {
  test("is reached by no paging-structure cache afterwards, nor is it in CR3", () => {
    const { mm, kernel } = turns([0, writes], [0, reads], [0, () => touch(memory(8), "read")]);
    const [path] = mm.privatePaths;
    expect(mm.roots).toEqual([mm.root, path!.root]);
    for (const table of [path!.root, ...path!.tables]) {
      expect(kernel.machine.reachesTable(0, table)).toBe(0);
      expect(kernel.machine.nextPresent(table, 0)).toBe(512);
    }
  });

  test("goes with the mm, and so do the tables below it", () => {
    const { kernel } = turns(
      [
        0,
        function* (_cpu, _mm, lab) {
          const { inUse } = lab.kernel.frames;
          yield* touch(PAGE, "write");
          expect(lab.kernel.frames.inUse).toBe(inUse + 1 + 3 + 4); // page, tables, own tables
        },
      ],
      ...[0, 1, 2].map((id): Act => [id, (cpu) => runOn(cpu, cpu.kernel.initMm)]),
      ...[0, 1, 2].map((id): Act => [id, (cpu, mm) => mmput(cpu, mm)]),
    );
    expect(kernel.liveMms.size).toBe(0);
    expect(kernel.frames.inUse).toBe(1 + 1); // the zero page, and init_mm's root
  });
});
