// Areas of 1 GiB pages: one entry of a page-directory-pointer table for each, frames that lie
// together, and flushes that step by 1 GiB.

import { describe, expect, test } from "vitest";
import { pageNumber, type PageRange, pageRange } from "../../../src/base/address.ts";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import { madviseDontNeed } from "../../../src/kernel/memory/madvise.ts";
import { mmap, munmap } from "../../../src/kernel/memory/mmap.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { mprotect } from "../../../src/kernel/memory/mprotect.ts";
import { mremap } from "../../../src/kernel/memory/mremap.ts";
import type { KernelCode } from "../../../src/kernel/operation/operation.ts";
import { copyMm } from "../../../src/kernel/process/fork.ts";
import { reclaim } from "../../../src/kernel/memory/reclaim.ts";
import { protocols, type ProtocolName } from "../../../src/kernel/shootdown/protocols.ts";
import { frameOfEntry, PAGE_SIZE, WRITABLE } from "../../../src/machine/page-table.ts";
import { type Lab, play, runOn, type Script, touch } from "../lab.ts";
import { eventsOf, type Outcome, type SceneOptions } from "../scene.ts";

const GIGANTIC = 512 * 512;

type Act = (cpu: Cpu, mm: Mm, range: PageRange, lab: Lab) => KernelCode<unknown>;

/** One CPU in an mm with `count` pages of 1 GiB mapped, none of them touched. */
function withPages(count: number, act: Act, options: SceneOptions = {}): Outcome {
  const script: Script = function* (cpu, lab) {
    const mm = lab.mm("mm", 8);
    yield* runOn(cpu, mm);
    const range = yield* mmap(cpu, mm, { pageCount: count * GIGANTIC, pageSize: "1G" });
    yield* act(cpu, mm, range, lab);
  };
  const outcome = play(options, script);
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  return outcome;
}

/** One access to each page of 1 GiB, far inside. */
function* touchEach(range: PageRange, kind: "read" | "write"): KernelCode {
  for (let page = range.start + 54_321; page < range.end; page += GIGANTIC) {
    yield* touch(pageRange(pageNumber(page), 1), kind);
  }
}

const how = (outcome: Outcome): string[] => eventsOf(outcome, "flushed").map((event) => event.how);

test("a fault maps all of a page, by one entry, to a frame of that size", () => {
  withPages(2, function* (_cpu, mm, range, { kernel: { machine } }) {
    expect(range.start % GIGANTIC).toBe(0);
    yield* touch(pageRange(pageNumber(range.start + GIGANTIC + 777), 1), "write");
    expect(mm.tables.presentPages(range)).toEqual([range.start + GIGANTIC]);
    const entry = mm.tables.entryAt(pageNumber(range.end - 1));
    expect(entry & PAGE_SIZE).toBe(PAGE_SIZE);
    expect(frameOfEntry(entry) % GIGANTIC).toBe(0);
    yield* touch(pageRange(pageNumber(range.start + GIGANTIC), 4096), "write");
    expect(machine.counters(0)).toMatchObject({ faults: 1, walks: 2 });
  });
});

test("clearing one takes as long as clearing all its 4 KiB", () => {
  withPages(1, function* (cpu, _mm, range, { kernel: { machine } }) {
    const before = machine.now(cpu.id);
    yield* touchEach(range, "write");
    expect(machine.now(cpu.id) - before).toBeGreaterThan(GIGANTIC * 250);
  });
});

test("small frames that come between leave the large ones together, and apart", () => {
  withPages(3, function* (cpu, mm, range) {
    const small = yield* mmap(cpu, mm, { pageCount: 8 });
    for (const [from, to] of [
      [0, 1],
      [1, 2],
      [2, 3],
    ] as const) {
      const start = pageNumber(range.start + from * GIGANTIC);
      yield* touchEach({ start, end: pageNumber(range.start + to * GIGANTIC) }, "write");
      yield* touch(pageRange(pageNumber(small.start + from), 1), "write");
    }
    const frames = [range, small].flatMap((one) =>
      mm.tables.presentPages(one).map((page) => frameOfEntry(mm.tables.entryAt(page))),
    );
    const blocks = frames.map((frame) => Math.floor(frame / GIGANTIC));
    expect(new Set(blocks.slice(0, 3)).size).toBe(3);
    for (const block of blocks.slice(3)) expect(blocks.slice(0, 3)).not.toContain(block);
  });
});

describe("munmap", () => {
  test("gives the page and its tables back, and the next mapping gets it again", () => {
    withPages(1, function* (cpu, mm, range, { kernel: { frames } }) {
      const before = frames.inUse;
      yield* touchEach(range, "write");
      const frame = frameOfEntry(mm.tables.entryAt(range.start));
      yield* munmap(cpu, mm, range);
      expect(frames.inUse).toBe(before);
      const again = yield* mmap(cpu, mm, { pageCount: GIGANTIC, pageSize: "1G" });
      yield* touchEach(again, "write");
      expect(frameOfEntry(mm.tables.entryAt(again.start))).toBe(frame);
    });
  });

  test("takes one INVLPG for each page, and counts these against the ceiling", () => {
    const at = (count: number, protocol: ProtocolName): [string[], number] => {
      let invlpgs = 0;
      const unmap: Act = function* (cpu, mm, range) {
        yield* touchEach(range, "write");
        const before = cpu.kernel.machine.counters(0).invlpgs;
        yield* munmap(cpu, mm, range);
        invlpgs = cpu.kernel.machine.counters(0).invlpgs - before;
      };
      const outcome = withPages(count, unmap, { protocol: protocols[protocol], pcid: false });
      return [how(outcome), invlpgs];
    };
    for (const protocol of ["linux-4.20", "linux-5.13", "linux-6.18"] as const) {
      expect([at(1, protocol), at(33, protocol), at(34, protocol)]).toEqual([
        [["ranged"], 1],
        [["ranged"], 33],
        [["full"], 0],
      ]);
    }
    for (const protocol of ["linux-4.8", "linux-4.15"] as const) {
      expect(at(1, protocol)).toEqual([["full"], 0]);
    }
  });

  test("of pages of 1 GiB and of 2 MiB goes by the smaller ones", () => {
    const unmap: Act = function* (cpu, mm, range) {
      const huge = yield* mmap(cpu, mm, { pageCount: 1024, at: range.end, pageSize: "2M" });
      yield* touchEach(range, "write");
      yield* touch(huge, "write");
      const before = cpu.kernel.machine.counters(0).invlpgs;
      yield* munmap(cpu, mm, { start: range.start, end: huge.end });
      expect(cpu.kernel.machine.counters(0).invlpgs - before).toBe(512 + 2);
    };
    expect(how(withPages(1, unmap, { kernel: { flushCeiling: 1000 } }))).toEqual(["ranged"]);
  });
});

test("madvise takes whole pages and leaves the others", () => {
  withPages(3, function* (cpu, mm, range) {
    yield* touchEach(range, "write");
    const middle = pageRange(pageNumber(range.start + GIGANTIC), GIGANTIC);
    yield* madviseDontNeed(cpu, mm, middle);
    expect(mm.tables.presentPages(range)).toEqual([range.start, middle.end]);
  });
});

test("mprotect takes the right to write from whole pages, with one INVLPG each", () => {
  withPages(2, function* (cpu, mm, range, { kernel: { machine } }) {
    yield* touchEach(range, "write");
    const before = machine.counters(0).invlpgs;
    yield* mprotect(cpu, mm, range, { writable: false, executable: false });
    expect(machine.counters(0).invlpgs - before).toBe(2);
    for (const page of mm.tables.presentPages(range)) {
      expect(mm.tables.entryAt(page) & (WRITABLE | PAGE_SIZE)).toBe(PAGE_SIZE);
    }
    yield* touchEach(range, "read");
  });
});

test("mremap moves the entries of whole pages", () => {
  withPages(2, function* (cpu, mm, range) {
    yield* touchEach(range, "write");
    const frames = mm.tables.presentPages(range).map((page) => mm.tables.entryAt(page));
    const to = pageRange(pageNumber(range.start + 8 * GIGANTIC), 2 * GIGANTIC);
    yield* mremap(cpu, mm, range, to);
    const moved = mm.tables.presentPages(to).map((page) => mm.tables.entryAt(page));
    expect(moved.map(frameOfEntry)).toEqual(frames.map(frameOfEntry));
    expect(mm.tables.presentPages(range)).toEqual([]);
    yield* touchEach(to, "write");
  });
});

test("after fork a write copies the whole page, once", () => {
  withPages(1, function* (cpu, mm, range, { kernel: { frames, machine } }) {
    yield* touchEach(range, "write");
    const shared = frameOfEntry(mm.tables.entryAt(range.start));
    const child = yield* copyMm(cpu, mm, "child");
    expect(frames.mapCount(shared)).toBe(2);
    const before = machine.counters(0).faults;
    yield* touch(pageRange(range.start, 4096), "write");
    expect(machine.counters(0).faults - before).toBe(1);
    const copy = frameOfEntry(mm.tables.entryAt(range.start));
    expect([copy === shared, copy % GIGANTIC]).toEqual([false, 0]);
    expect(frameOfEntry(child.tables.entryAt(range.start))).toBe(shared);
  });
});

test("reclaim passes them over", () => {
  withPages(1, function* (cpu, mm, range) {
    yield* touchEach(range, "write");
    expect(yield* reclaim(cpu, [{ mm, page: range.start }])).toBe(0);
    expect(mm.tables.presentPages(range)).toEqual([range.start]);
  });
});
