// munmap, madvise(MADV_DONTNEED) and exit: what is collected, flushed, and only then given back.

import { describe, expect, test } from "vitest";
import { pageRange } from "../../../src/base/address.ts";
import { madviseDontNeed, madviseFree } from "../../../src/kernel/memory/madvise.ts";
import { mmap, munmap } from "../../../src/kernel/memory/mmap.ts";
import { freeAddressSpace } from "../../../src/kernel/memory/exit-mmap.ts";
import { ACCESSED, DIRTY, PRESENT } from "../../../src/machine/page-table.ts";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { type KernelCode, locked } from "../../../src/kernel/operation/operation.ts";
import { type Lab, memory, play, runOn, type Script, touch } from "../lab.ts";
import { eventsOf, type Outcome } from "../scene.ts";

type Act = (cpu: Cpu, mm: Mm, lab: Lab) => KernelCode;

/** One CPU in an mm of 600 pages, which spans two page tables; the first 8 pages are touched. */
function inMm(act: Act): Outcome {
  const script: Script = function* (cpu, lab) {
    const mm = lab.mm("mm", 600);
    yield* runOn(cpu, mm);
    yield* touch(memory(8), "write");
    yield* act(cpu, mm, lab);
  };
  const outcome = play({}, script);
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  return outcome;
}

const flushes = (outcome: Outcome): string[] =>
  eventsOf(outcome, "flushBegin").map(
    ({ range }) => `${range.start - memory(1).start}+${range.end - range.start}`,
  );

const order = ({ events }: Outcome): string[] =>
  events
    .map(({ kind }) => kind)
    .filter((kind) => ["flushBegin", "flushReturn", "pagesFreed", "tableFreed"].includes(kind));

describe("munmap", () => {
  test("flushes, waits for the flush's return, then gives back pages and then tables", () => {
    const outcome = inMm((cpu, mm) => munmap(cpu, mm, memory(600)));
    expect(order(outcome)).toEqual([
      "flushBegin",
      "flushReturn",
      "pagesFreed",
      ...Array(3).fill("tableFreed"),
    ]);
  });

  test("gives every page back, and no page before the flush has returned", () => {
    const inUse: number[] = [];
    inMm(function* (cpu, mm, lab) {
      const { frames, protocol } = lab.kernel;
      const { flushRange } = protocol;
      inUse.push(frames.inUse);
      const watched = {
        ...protocol,
        *flushRange(...request: Parameters<typeof flushRange>): KernelCode {
          inUse.push(frames.inUse);
          yield* flushRange(...request);
          inUse.push(frames.inUse);
        },
      };
      Object.assign(lab.kernel, { protocol: watched });
      yield* munmap(cpu, mm, memory(600));
      inUse.push(frames.inUse);
    });
    const [before, atBegin, atReturn, after] = inUse;
    expect([atBegin, atReturn]).toEqual([before, before]);
    expect(before! - after!).toBe(8 + 3);
  });

  test("covers what was present, from the first to the last page", () => {
    const outcome = inMm(function* (cpu, mm) {
      yield* munmap(cpu, mm, memory(3));
      yield* touch(memory(1, 100), "write");
      yield* munmap(cpu, mm, memory(200, 7));
    });
    expect(flushes(outcome)).toEqual(["0+3", "7+94"]);
  });

  test("of nothing present flushes nothing", () => {
    const outcome = inMm((cpu, mm) => munmap(cpu, mm, memory(50, 20)));
    expect([flushes(outcome), eventsOf(outcome, "pagesFreed")]).toEqual([[], []]);
  });

  test("frees a page table only when no area uses its range any more", () => {
    const freed: number[] = [];
    inMm(function* (cpu, mm, lab) {
      yield* touch(memory(1, 520), "write"); // its table spans pages 512 to 1023 of the region
      yield* munmap(cpu, mm, memory(511)); // page 511 keeps the first table
      freed.push(lab.count("tableFreed"));
      yield* munmap(cpu, mm, memory(1, 511));
      freed.push(lab.count("tableFreed"));
      yield* munmap(cpu, mm, memory(88, 512)); // the second table, and those above it
      freed.push(lab.count("tableFreed"));
    });
    expect(freed).toEqual([0, 1, 4]);
  });

  test("splits an area, and what remains is still mapped", () => {
    inMm(function* (cpu, mm) {
      yield* munmap(cpu, mm, memory(2, 3));
      const { start } = memory(1);
      const areas = mm.areas.all.map((area) => [area.start - start, area.end - start]);
      expect(areas).toEqual([
        [0, 3],
        [5, 600],
      ]);
      yield* touch(memory(3), "write");
      yield* touch(memory(3, 5), "write");
    });
  });

  test("is what mmap at a fixed place does first with what is there", () => {
    const outcome = inMm(function* (cpu, mm) {
      const range = yield* mmap(cpu, mm, { pageCount: 4, at: memory(1).start });
      expect(range).toEqual(memory(4));
      expect(mm.tables.entryAt(range.start)).toBe(0n);
    });
    expect(flushes(outcome)).toEqual(["0+4"]);
  });

  test("leaves mmap room: the lowest that fits above its base", () => {
    inMm(function* (cpu, mm) {
      const first = yield* mmap(cpu, mm, { pageCount: 10 });
      const second = yield* mmap(cpu, mm, { pageCount: 10 });
      expect(second.start).toBe(first.end);
      yield* munmap(cpu, mm, pageRange(first.start, 10));
      expect((yield* mmap(cpu, mm, { pageCount: 11 })).start).toBe(second.end);
      expect((yield* mmap(cpu, mm, { pageCount: 10 })).start).toBe(first.start);
    });
  });
});

describe("madvise", () => {
  test("MADV_DONTNEED takes the pages, flushes them, keeps area and tables", () => {
    const outcome = inMm(function* (cpu, mm, lab) {
      const before = lab.kernel.frames.inUse;
      yield* madviseDontNeed(cpu, mm, memory(600));
      expect(before - lab.kernel.frames.inUse).toBe(8);
      yield* touch(memory(8), "write"); // pages appear anew
      expect(lab.kernel.frames.inUse).toBe(before);
    });
    expect([flushes(outcome), eventsOf(outcome, "tableFreed")]).toEqual([["0+8"], []]);
  });

  test("MADV_FREE makes the entries old and clean and flushes them, but takes nothing", () => {
    const outcome = inMm(function* (cpu, mm, lab) {
      const before = lab.kernel.frames.inUse;
      const bits = (): bigint => mm.tables.entryAt(memory(1).start) & (PRESENT | ACCESSED | DIRTY);
      expect(bits()).toBe(PRESENT | ACCESSED | DIRTY);
      yield* madviseFree(cpu, mm, memory(600));
      expect([bits(), lab.kernel.frames.inUse]).toEqual([PRESENT, before]);
      yield* touch(memory(1), "write");
      expect(bits()).toBe(PRESENT | ACCESSED | DIRTY);
    });
    expect(flushes(outcome)).toEqual(["0+8"]);
  });

  test("MADV_FREE passes over what is old and clean, and the zero page", () => {
    const outcome = inMm(function* (cpu, mm) {
      yield* touch(memory(4, 100), "read");
      yield* madviseFree(cpu, mm, memory(600));
      yield* touch(memory(1, 3), "read");
      yield* madviseFree(cpu, mm, memory(600));
      yield* madviseFree(cpu, mm, memory(600));
      expect(mm.tables.entryAt(memory(1, 100).start) & ACCESSED).toBe(ACCESSED);
    });
    expect(flushes(outcome)).toEqual(["0+8", "3+1"]);
  });

  test("of nothing present flushes nothing", () => {
    for (const advise of [madviseDontNeed, madviseFree]) {
      expect(flushes(inMm((cpu, mm) => advise(cpu, mm, memory(50, 20))))).toEqual([]);
    }
  });
});

describe("exit_mmap", () => {
  test("flushes the whole user half once, and frees leaves and all tables but the root", () => {
    const outcome = inMm(function* (cpu, mm) {
      yield* locked(mm.mmUsers, () => 0);
      yield* freeAddressSpace(cpu, mm);
    });
    expect(order(outcome).slice(0, 3)).toEqual(["flushBegin", "flushReturn", "pagesFreed"]);
    expect(eventsOf(outcome, "tableFreed")).toHaveLength(3);
    const [flush] = eventsOf(outcome, "flushBegin");
    expect([flush!.range.start, flush!.range.end]).toEqual([0, 2 ** 35]);
    expect(eventsOf(outcome, "flushed").map(({ how }) => how)).toEqual(["full"]);
  });

  test("of an address space in which nothing was touched flushes nothing", () => {
    const script: Script = function* (cpu, lab) {
      const mm = lab.mm("mm");
      yield* runOn(cpu, mm);
      yield* freeAddressSpace(cpu, mm);
    };
    expect(order(play({}, script))).toEqual([]);
  });
});
