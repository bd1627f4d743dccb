// PT_RECLAIM, since Linux 6.14: MADV_DONTNEED frees the last-level tables that it empties, though
// their area stays.

import { describe, expect, test } from "vitest";
import { pageNumber, type PageRange, pageRange } from "../../../src/base/address.ts";
import { madviseDontNeed } from "../../../src/kernel/memory/madvise.ts";
import type { KernelCode } from "../../../src/kernel/operation/operation.ts";
import type { ProtocolName } from "../../../src/kernel/shootdown/protocols.ts";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { touch } from "../lab.ts";
import { eventsOf, type Outcome } from "../scene.ts";
import { interruptsOf, withLazyBorrower } from "./lazy-borrower.ts";

const TABLE = 512;

/** Pages `from` to `from + count` of those that begin at the first table. */
const part = ({ start }: PageRange, from: number, count: number): PageRange =>
  pageRange(pageNumber(Math.ceil(start / TABLE) * TABLE + from), count);

const discard =
  (from: number, count: number) =>
  (cpu: Cpu, mm: Mm, range: PageRange): KernelCode =>
    madviseDontNeed(cpu, mm, part(range, from, count));

const tablesFreed = (outcome: Outcome): number => eventsOf(outcome, "tableFreed").length;

/** How many tables it frees to discard pages of two tables, all present. */
const freedBy = (from: number, count: number, protocol: ProtocolName = "linux-6.18"): number =>
  tablesFreed(withLazyBorrower({ protocol, pages: 3 * TABLE, act: discard(from, count) }));

describe("a table is freed by MADV_DONTNEED", () => {
  test("of all that it maps, since Linux 6.14", () => {
    expect(freedBy(0, TABLE, "linux-5.13")).toBe(0);
    expect([freedBy(0, TABLE), freedBy(0, 2 * TABLE)]).toEqual([1, 2]);
  });

  test("and not of less, even if nothing else is present", () => {
    expect([freedBy(0, TABLE - 1), freedBy(1, TABLE), freedBy(1, 2 * TABLE - 1)]).toEqual([
      0, 0, 1,
    ]);
  });

  test("and whoever has the mm lazily is interrupted", () => {
    const interrupts = (protocol: ProtocolName, count: number) =>
      interruptsOf({ protocol, pages: 3 * TABLE, act: discard(0, count) });
    expect([interrupts("linux-5.13", TABLE), interrupts("linux-6.18", TABLE - 1)]).toEqual([0, 0]);
    expect([interrupts("linux-6.18", TABLE), interrupts("kvm-pv-6.18", TABLE)]).toEqual([1, 1]);
  });

  test("without a page in it, by a flush of one page", () => {
    const twice = function* (cpu: Cpu, mm: Mm, range: PageRange): KernelCode {
      yield* discard(0, TABLE - 1)(cpu, mm, range);
      yield* discard(TABLE - 1, 1)(cpu, mm, range);
      yield* discard(0, TABLE)(cpu, mm, range);
    };
    const outcome = withLazyBorrower({ protocol: "linux-6.18", pages: 3 * TABLE, act: twice });
    const sizes = eventsOf(outcome, "flushBegin").map(({ range }) => range.end - range.start);
    expect([sizes, tablesFreed(outcome)]).toEqual([[TABLE - 1, 1, 1], 1]);
  });

  test("also where the gather is full with its last page", () => {
    const pages = 9678 + TABLE; // what a gather takes, less than that many of whole tables
    const first = 9678 % TABLE;
    const act = (cpu: Cpu, mm: Mm, range: PageRange): KernelCode =>
      madviseDontNeed(cpu, mm, part(range, TABLE - first, 9678));
    const outcome = withLazyBorrower({ protocol: "linux-6.18", pages: pages + TABLE, act });
    expect(tablesFreed(outcome)).toBe(Math.floor(9678 / TABLE));
  });

  test("and made anew by the next touch", () => {
    const act = function* (cpu: Cpu, mm: Mm, range: PageRange): KernelCode {
      const { start } = part(range, 0, 1);
      const tables = (): readonly PageRange[] => mm.tables.tablesOf(pageRange(start, TABLE), "4K");
      yield* discard(0, TABLE)(cpu, mm, range);
      expect([tables(), mm.areas.at(start)]).toEqual([[], mm.areas.at(range.start)]);
      yield* touch(pageRange(start, 1), "write");
      expect(tables()).toHaveLength(1);
    };
    withLazyBorrower({ protocol: "linux-6.18", pages: 3 * TABLE, act });
  });
});
