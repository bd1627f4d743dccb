// Areas of 2 MiB pages: faults, system calls, fork, and what a flush of them costs.

import { describe, expect, test } from "vitest";
import { pageNumber, type PageRange, pageRange, pagesIn } from "../../../src/base/address.ts";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import { madviseDontNeed, madviseFree } from "../../../src/kernel/memory/madvise.ts";
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

const HUGE = 512;

type Act = (cpu: Cpu, mm: Mm, range: PageRange, lab: Lab) => KernelCode<unknown>;

/** One CPU in an mm with `count` huge pages mapped, none of them touched. */
function withHugePages(count: number, act: Act, options: SceneOptions = {}): Outcome {
  const script: Script = function* (cpu, lab) {
    const mm = lab.mm("mm", 8);
    yield* runOn(cpu, mm);
    const range = yield* mmap(cpu, mm, { pageCount: count * HUGE, pageSize: "2M" });
    yield* act(cpu, mm, range, lab);
  };
  const outcome = play(options, script);
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  return outcome;
}

const part = (range: PageRange, from: number, count: number): PageRange =>
  pageRange(pageNumber(range.start + from * HUGE), count * HUGE);

const how = (outcome: Outcome): string[] => eventsOf(outcome, "flushed").map((event) => event.how);

describe("a fault", () => {
  test("maps all of the page: 512 accesses, one fault, one walk for the data", () => {
    const { kernel } = withHugePages(1, function* (_cpu, mm, range, { kernel: { machine } }) {
      yield* touch(range, "write");
      expect(mm.tables.presentPages(range)).toEqual([range.start]);
      expect(machine.counters(0)).toMatchObject({ accesses: 513, faults: 1, walks: 2 });
    });
    expect(kernel.machine.counters(0).walks).toBe(2);
  });

  test("of any access inside maps it from its beginning, to a frame of that size", () => {
    withHugePages(2, function* (_cpu, mm, range) {
      yield* touch(pageRange(pageNumber(range.start + HUGE + 77), 1), "write");
      const [page] = mm.tables.presentPages(range);
      expect(page).toBe(range.start + HUGE);
      const entry = mm.tables.entryAt(page!);
      expect(entry & PAGE_SIZE).toBe(PAGE_SIZE);
      expect(frameOfEntry(entry) % HUGE).toBe(0);
    });
  });

  test("for reading gives a page of its own, which the first write may keep", () => {
    withHugePages(1, function* (_cpu, mm, range, { kernel }) {
      yield* touch(range, "read");
      const read = mm.tables.entryAt(range.start);
      expect([read & WRITABLE, frameOfEntry(read) === kernel.zeroFrame]).toEqual([0n, false]);
      yield* touch(range, "write");
      const written = mm.tables.entryAt(range.start);
      expect(written & WRITABLE).toBe(WRITABLE);
      expect(frameOfEntry(written)).toBe(frameOfEntry(read));
    });
  });
});

describe("munmap", () => {
  test("gives the page back whole, and its table, and the next mapping gets it again", () => {
    withHugePages(1, function* (cpu, mm, range, { kernel: { frames } }) {
      const before = frames.inUse;
      yield* touch(range, "write");
      const frame = frameOfEntry(mm.tables.entryAt(range.start));
      yield* munmap(cpu, mm, range);
      expect(frames.inUse).toBe(before);
      const again = yield* mmap(cpu, mm, { pageCount: HUGE, pageSize: "2M" });
      yield* touch(again, "write");
      expect(frameOfEntry(mm.tables.entryAt(again.start))).toBe(frame);
    });
  });

  test("takes one invalidation for each page, and counts these against the ceiling", () => {
    const at = (count: number, protocol: ProtocolName) => {
      const unmap: Act = function* (cpu, mm, range) {
        yield* touch(range, "write");
        const before = cpu.kernel.machine.counters(0).invlpgs;
        yield* munmap(cpu, mm, range);
        expect([0, count]).toContain(cpu.kernel.machine.counters(0).invlpgs - before);
      };
      return how(withHugePages(count, unmap, { protocol: protocols[protocol], pcid: false }));
    };
    for (const protocol of ["linux-4.20", "linux-5.13", "linux-6.18"] as const) {
      expect([at(1, protocol), at(33, protocol), at(34, protocol)]).toEqual([
        ["ranged"],
        ["ranged"],
        ["full"],
      ]);
    }
    // Before 4.20 a page of 2 MiB was 512 pages to the ceiling.
    for (const protocol of ["linux-4.8", "linux-4.15"] as const) {
      expect(at(1, protocol)).toEqual(["full"]);
    }
  });

  test("of small and large pages together goes by the small ones", () => {
    const unmap: Act = function* (cpu, mm, range) {
      const small = yield* mmap(cpu, mm, { pageCount: 8, at: range.end });
      yield* touch({ start: range.start, end: small.end }, "write");
      const before = cpu.kernel.machine.counters(0).invlpgs;
      yield* munmap(cpu, mm, { start: range.start, end: small.end });
      expect(cpu.kernel.machine.counters(0).invlpgs - before).toBe(HUGE + 8);
    };
    const outcome = withHugePages(1, unmap, { kernel: { flushCeiling: 1000 } });
    expect(how(outcome)).toEqual(["ranged"]);
  });

  test("of a part of a page is refused", () => {
    withHugePages(1, function* (cpu, mm, range) {
      const half = pageRange(range.start, HUGE / 2);
      for (const call of [munmap(cpu, mm, half), madviseDontNeed(cpu, mm, half)]) {
        expect(() => [...runToEnd(call)]).toThrow("a large page is not split (EINVAL)");
      }
    });
  });
});

/** Drives kernel code that never waits, with nothing carried out. */
function* runToEnd(code: KernelCode<unknown>): Generator<unknown> {
  for (let step = code.next(0); step.done !== true; step = code.next(0)) yield step.value;
}

test("mmap finds room at a multiple of the size", () => {
  withHugePages(1, function* (cpu, mm, range) {
    expect(range.start % HUGE).toBe(0);
    yield* mmap(cpu, mm, { pageCount: 3 });
    const next = yield* mmap(cpu, mm, { pageCount: 2 * HUGE, pageSize: "2M" });
    expect([next.start % HUGE, pagesIn(next)]).toEqual([0, 2 * HUGE]);
  });
});

test("madvise takes whole pages out of the middle and leaves the others", () => {
  withHugePages(3, function* (cpu, mm, range) {
    yield* touch(range, "write");
    yield* madviseDontNeed(cpu, mm, part(range, 1, 1));
    expect(mm.tables.presentPages(range)).toEqual([range.start, range.start + 2 * HUGE]);
    yield* touch(range, "read");
  });
});

test("MADV_FREE is refused", () => {
  withHugePages(1, function* (cpu, mm, range) {
    expect(() => [...runToEnd(madviseFree(cpu, mm, range))]).toThrow("MADV_FREE is for 4K pages");
  });
});

test("mprotect takes the right to write from whole pages, with one invalidation each", () => {
  withHugePages(2, function* (cpu, mm, range, { kernel: { machine } }) {
    yield* touch(range, "write");
    const before = machine.counters(0).invlpgs;
    yield* mprotect(cpu, mm, range, { writable: false, executable: false });
    expect(machine.counters(0).invlpgs - before).toBe(2);
    for (const page of mm.tables.presentPages(range)) {
      expect(mm.tables.entryAt(page) & (WRITABLE | PAGE_SIZE)).toBe(PAGE_SIZE);
    }
    yield* touch(range, "read");
  });
});

test("mremap moves the entries of whole pages", () => {
  withHugePages(2, function* (cpu, mm, range) {
    yield* touch(range, "write");
    const frames = mm.tables.presentPages(range).map((page) => mm.tables.entryAt(page));
    const to = pageRange(pageNumber(range.start + 8 * HUGE), 2 * HUGE);
    yield* mremap(cpu, mm, range, to);
    const moved = mm.tables.presentPages(to).map((page) => mm.tables.entryAt(page));
    expect(moved.map(frameOfEntry)).toEqual(frames.map(frameOfEntry));
    expect(mm.tables.presentPages(range)).toEqual([]);
    yield* touch(to, "write");
  });
});

test("after fork a write copies the whole page, once", () => {
  withHugePages(1, function* (cpu, mm, range, { kernel: { frames, machine } }) {
    yield* touch(range, "write");
    const shared = frameOfEntry(mm.tables.entryAt(range.start));
    const child = yield* copyMm(cpu, mm, "child");
    expect(frames.mapCount(shared)).toBe(2);
    const before = machine.counters(0).faults;
    yield* touch(range, "write");
    expect(machine.counters(0).faults - before).toBe(1);
    expect(frameOfEntry(mm.tables.entryAt(range.start))).not.toBe(shared);
    expect(frameOfEntry(child.tables.entryAt(range.start))).toBe(shared);
    expect(frames.mapCount(shared)).toBe(1);
  });
});

test("reclaim passes huge pages over", () => {
  withHugePages(1, function* (cpu, mm, range) {
    yield* touch(range, "write");
    expect(yield* reclaim(cpu, [{ mm, page: range.start }])).toBe(0);
    expect(mm.tables.presentPages(range)).toEqual([range.start]);
  });
});
