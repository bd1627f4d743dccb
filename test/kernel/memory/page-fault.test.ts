// Page faults, copy-on-write and fork, mprotect, mremap, exec: which entries appear, and which
// changes need a flush.

import { describe, expect, test } from "vitest";
import type { PageNumber } from "../../../src/base/address.ts";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { mprotect } from "../../../src/kernel/memory/mprotect.ts";
import { mremap } from "../../../src/kernel/memory/mremap.ts";
import type { KernelCode } from "../../../src/kernel/operation/operation.ts";
import { copyMm } from "../../../src/kernel/process/fork.ts";
import { mmput } from "../../../src/kernel/memory/mm-count.ts";
import {
  ACCESSED,
  DIRTY,
  frameOfEntry,
  NO_EXECUTE,
  PRESENT,
  WRITABLE,
} from "../../../src/machine/page-table.ts";
import { type Lab, memory, play, runOn, type Script, touch } from "../lab.ts";
import { eventsOf, type Outcome } from "../scene.ts";

const FIRST = memory(1).start;

/** One CPU in an mm of 600 pages of which none is touched. */
function inMm(act: (cpu: Cpu, mm: Mm, lab: Lab) => KernelCode): Outcome {
  const script: Script = function* (cpu, lab) {
    const mm = lab.mm("mm", 600);
    yield* runOn(cpu, mm);
    yield* act(cpu, mm, lab);
  };
  const outcome = play({}, script);
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  return outcome;
}

const flushesOf = (mm: Mm): number => mm.tlbGeneration.value - 1;
const has = (mm: Mm, bits: bigint, page: PageNumber = FIRST): boolean =>
  (mm.tables.entryAt(page) & bits) === bits;
const frameOf = (mm: Mm, page: PageNumber = FIRST) => frameOfEntry(mm.tables.entryAt(page));

describe("a fault in anonymous memory", () => {
  test("of a write gets a page of its own, writable", () => {
    inMm(function* (_cpu, mm, lab) {
      yield* touch(memory(1), "write");
      expect(has(mm, PRESENT | WRITABLE | ACCESSED | DIRTY | NO_EXECUTE)).toBe(true);
      expect(lab.kernel.frames.mapCount(frameOf(mm))).toBe(1);
      expect(flushesOf(mm)).toBe(0);
    });
  });

  test("of a read gets the zero page, which everyone shares and nobody may write", () => {
    inMm(function* (_cpu, mm, lab) {
      const { inUse } = lab.kernel.frames;
      yield* touch(memory(4), "read");
      for (const index of [0, 3]) {
        const page = memory(1, index).start;
        expect(frameOf(mm, page)).toBe(lab.kernel.zeroFrame);
        expect(has(mm, WRITABLE, page)).toBe(false);
      }
      expect(lab.kernel.frames.inUse).toBe(inUse + 3); // tables only
    });
  });

  test("of a write after a read leaves the zero page, with one flush of one page", () => {
    const outcome = inMm(function* (_cpu, mm, lab) {
      yield* touch(memory(1), "read");
      yield* touch(memory(1), "write");
      expect(frameOf(mm)).not.toBe(lab.kernel.zeroFrame);
      expect(lab.kernel.frames.mapCount(lab.kernel.zeroFrame)).toBe(1);
      expect([has(mm, WRITABLE), flushesOf(mm)]).toEqual([true, 1]);
    });
    expect(eventsOf(outcome, "flushBegin")[0]!.range).toEqual(memory(1));
  });

  test("in memory that nobody mapped stops the run with the page's name", () => {
    expect(() => inMm(() => touch(memory(1, 600), "read"))).toThrow(/page 10258 of mm/);
  });
});

describe("fork", () => {
  const forked = (act: (cpu: Cpu, mm: Mm, child: Mm, lab: Lab) => KernelCode): Outcome =>
    inMm(function* (cpu, mm, lab) {
      yield* touch(memory(8), "write");
      const child = yield* copyMm(cpu, mm, "child");
      yield* act(cpu, mm, child, lab);
    });

  test("shares every page, read-only on both sides, with one flush of the parent", () => {
    const outcome = forked(function* (_cpu, mm, child, lab) {
      for (let index = 0; index < 8; index++) {
        const page = memory(1, index).start;
        expect(frameOf(child, page)).toBe(frameOf(mm, page));
        expect(lab.kernel.frames.mapCount(frameOf(mm, page))).toBe(2);
        expect([has(mm, WRITABLE, page), has(child, WRITABLE, page)]).toEqual([false, false]);
      }
      expect([flushesOf(mm), flushesOf(child)]).toEqual([1, 0]);
      expect(child.areas.all).toEqual(mm.areas.all);
    });
    expect(eventsOf(outcome, "flushed").map(({ how }) => how)).toEqual(["full"]);
  });

  test("gives the child entries that are old: who has used them is the parent", () => {
    forked(function* (_cpu, mm, child) {
      expect([has(mm, ACCESSED), has(child, ACCESSED)]).toEqual([true, false]);
    });
  });

  test("a write to a shared page copies it, with one flush of that page", () => {
    forked(function* (_cpu, mm, child, lab) {
      yield* touch(memory(1), "write");
      expect(frameOf(mm)).not.toBe(frameOf(child));
      expect([has(mm, WRITABLE), has(child, WRITABLE)]).toEqual([true, false]);
      expect(flushesOf(mm)).toBe(2); // the fork's, and this
      expect(lab.kernel.frames.mapCount(frameOf(child))).toBe(1);
    });
  });

  test("the only user left takes the page over without a flush", () => {
    forked(function* (cpu, mm, child) {
      const frame = frameOf(mm);
      yield* mmput(cpu, child);
      yield* touch(memory(1), "write");
      expect([frameOf(mm), has(mm, WRITABLE | DIRTY), flushesOf(mm)]).toEqual([frame, true, 1]);
    });
  });

  test("a thread that still has the old rights in its TLB faults once, finds nothing to do", () => {
    let shared: Mm | undefined;
    let faults = 0;
    const parent: Script = function* (cpu, lab) {
      shared = lab.mm("mm");
      yield* runOn(cpu, shared);
      yield* touch(memory(1), "write");
      const child = yield* copyMm(cpu, shared, "child");
      yield* mmput(cpu, child);
      yield* lab.done(1);
      yield* lab.after(2);
      yield* touch(memory(1), "write");
      expect(flushesOf(shared)).toBe(1);
      yield* lab.done(3);
      yield* lab.after(4);
    };
    const thread: Script = function* (cpu, lab) {
      yield* lab.after(1);
      yield* runOn(cpu, shared!);
      yield* touch(memory(1), "read"); // a read-only translation
      yield* lab.done(2);
      yield* lab.after(3);
      const before = cpu.kernel.machine.counters(1).faults;
      yield* touch(memory(1), "write");
      yield* touch(memory(1), "write");
      faults = cpu.kernel.machine.counters(1).faults - before;
      yield* lab.done(4);
    };
    const outcome = play({}, parent, thread);
    expect([outcome.ended, outcome.violations, faults]).toEqual(["stopped", [], 1]);
  });
});

describe("mprotect", () => {
  const READ_ONLY = { writable: false, executable: false };
  const READ_WRITE = { writable: true, executable: false };

  test("takes rights from present entries, with one flush of its part of the area", () => {
    const outcome = inMm(function* (cpu, mm) {
      yield* touch(memory(4, 2), "write");
      yield* mprotect(cpu, mm, memory(20), READ_ONLY);
      const { start } = memory(1, 2);
      expect([has(mm, PRESENT, start), has(mm, WRITABLE, start)]).toEqual([true, false]);
      expect(mm.areas.all.map(({ writable }) => writable)).toEqual([false, true]);
    });
    expect(eventsOf(outcome, "flushBegin").map(({ range }) => range)).toEqual([memory(20)]);
  });

  test("of nothing present flushes nothing", () => {
    inMm(function* (cpu, mm) {
      yield* mprotect(cpu, mm, memory(20), READ_ONLY);
      expect(flushesOf(mm)).toBe(0);
    });
  });

  test("leaves a shared page read-only whatever its area allows, until a write copies it", () => {
    inMm(function* (cpu, mm, lab) {
      yield* touch(memory(1), "write");
      yield* copyMm(cpu, mm, "child");
      yield* mprotect(cpu, mm, memory(1), READ_ONLY);
      yield* mprotect(cpu, mm, memory(1), READ_WRITE);
      expect([has(mm, WRITABLE), lab.kernel.frames.mapCount(frameOf(mm))]).toEqual([false, 2]);
      yield* touch(memory(1), "write");
      expect(has(mm, WRITABLE)).toBe(true);
    });
  });

  test("keeps what the hardware has noted: accessed and dirty", () => {
    inMm(function* (cpu, mm) {
      yield* touch(memory(1), "write");
      yield* mprotect(cpu, mm, memory(1), READ_ONLY);
      expect(has(mm, ACCESSED | DIRTY)).toBe(true);
    });
  });
});

describe("mremap", () => {
  test("takes the entries along and flushes the old place once", () => {
    const outcome = inMm(function* (cpu, mm) {
      yield* touch(memory(4), "write");
      const frames = [0, 3].map((index) => frameOf(mm, memory(1, index).start));
      yield* mremap(cpu, mm, memory(4), memory(4, 1_000));
      const moved = [1_000, 1_003].map((index) => frameOf(mm, memory(1, index).start));
      expect([moved, mm.tables.entryAt(FIRST)]).toEqual([frames, 0n]);
      yield* touch(memory(4, 1_000), "write");
    });
    const ranges = eventsOf(outcome, "flushBegin").map(({ range }) => range);
    expect(ranges).toEqual([memory(4)]);
  });

  test("frees the page tables of the old place when no area uses them, after a flush", () => {
    const outcome = inMm(function* (cpu, mm) {
      yield* touch(memory(4), "write");
      yield* mremap(cpu, mm, memory(600), memory(600, 1_100));
    });
    const kinds = outcome.events.map(({ kind }) => kind);
    expect(eventsOf(outcome, "tableFreed")).toHaveLength(1);
    expect(kinds.indexOf("tableFreed")).toBeGreaterThan(kinds.lastIndexOf("flushReturn"));
    expect(eventsOf(outcome, "flushReturn")).toHaveLength(2);
  });

  test("to a smaller size unmaps the rest, and in place moves nothing", () => {
    const outcome = inMm(function* (cpu, mm) {
      yield* touch(memory(8), "write");
      yield* mremap(cpu, mm, memory(600), memory(4));
      expect(mm.areas.all.map(({ start, end }) => ({ start, end }))).toEqual([memory(4)]);
      expect(has(mm, PRESENT, memory(1, 3).start)).toBe(true);
    });
    const [flush, ...others] = eventsOf(outcome, "flushBegin");
    expect([flush!.range.start, others]).toEqual([memory(1, 4).start, []]);
  });
});
