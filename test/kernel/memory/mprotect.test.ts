// What mprotect flushes: up to Linux 5.19 each area whole, since 6.0 the entries that need it.

import { describe, expect, test } from "vitest";
import { pageRange } from "../../../src/base/address.ts";
import { type Rights, mprotect } from "../../../src/kernel/memory/mprotect.ts";
import { mmap } from "../../../src/kernel/memory/mmap.ts";
import type { KernelCode } from "../../../src/kernel/operation/operation.ts";
import { protocols } from "../../../src/kernel/shootdown/protocols.ts";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import { needsFlush } from "../../../src/kernel/state/leaf-entry.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import {
  ACCESSED,
  DIRTY,
  NO_EXECUTE,
  PRESENT,
  USER,
  WRITABLE,
} from "../../../src/machine/page-table.ts";
import { memory, play, runOn, type Script, touch } from "../lab.ts";
import { eventsOf } from "../scene.ts";

const READ_ONLY: Rights = { writable: false, executable: false };
const READ_WRITE: Rights = { writable: true, executable: false };

type Era = "linux-5.13" | "linux-6.18";

/** What is flushed where `act` runs in an mm of two areas: 20 pages, and 20 that are executable. */
function flushes(era: Era, act: (cpu: Cpu, mm: Mm) => KernelCode): string[] {
  let begun = 0;
  const script: Script = function* (cpu, lab) {
    const mm = lab.mm("mm", 20);
    yield* runOn(cpu, mm);
    yield* mmap(cpu, mm, { at: memory(1, 20).start, pageCount: 20, executable: true });
    begun = lab.count("flushBegin");
    yield* act(cpu, mm);
  };
  const outcome = play({ protocol: protocols[era] }, script);
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  return eventsOf(outcome, "flushBegin")
    .slice(begun)
    .map(({ range }) => `${range.start - memory(1).start}+${range.end - range.start}`);
}

describe("mprotect of two areas", () => {
  function* protectBoth(cpu: Cpu, mm: Mm): KernelCode {
    yield* touch(memory(2, 5), "write");
    yield* touch(memory(2, 30), "write");
    yield* mprotect(cpu, mm, memory(38, 1), READ_ONLY);
  }

  test("flushes what it covers of each, up to Linux 5.19", () => {
    expect(flushes("linux-5.13", protectBoth)).toEqual(["1+19", "20+19"]);
  });

  test("flushes once, from the first to the last page present, since 6.0", () => {
    expect(flushes("linux-6.18", protectBoth)).toEqual(["5+27"]);
  });
});

describe("mprotect", () => {
  test("flushes no area where nothing is present", () => {
    const protectEmpty = function* (cpu: Cpu, mm: Mm): KernelCode {
      yield* touch(memory(2, 30), "write");
      yield* mprotect(cpu, mm, memory(40), READ_ONLY);
    };
    expect(flushes("linux-5.13", protectEmpty)).toEqual(["20+20"]);
    expect(flushes("linux-6.18", protectEmpty)).toEqual(["30+2"]);
  });

  test("passes over entries that do not change, since Linux 6.0", () => {
    const allowZeroPage = function* (cpu: Cpu, mm: Mm): KernelCode {
      yield* mprotect(cpu, mm, memory(10), READ_ONLY);
      yield* touch(memory(2), "read"); // the zero page, which stays read-only
      yield* mprotect(cpu, mm, memory(10), READ_WRITE);
    };
    expect(flushes("linux-5.13", allowZeroPage)).toEqual(["0+10"]);
    expect(flushes("linux-6.18", allowZeroPage)).toEqual([]);
  });

  test("leaves an area alone that has the rights", () => {
    const protectTwice = function* (cpu: Cpu, mm: Mm): KernelCode {
      yield* touch(memory(2), "write");
      for (const _ of [1, 2]) yield* mprotect(cpu, mm, memory(20), READ_ONLY);
    };
    expect(flushes("linux-5.13", protectTwice)).toEqual(["0+20"]);
    expect(flushes("linux-6.18", protectTwice)).toEqual(["0+2"]);
  });
});

describe("mprotect that allows writing again", () => {
  /** Faults of a write to a page that nobody else has, after mprotect there and back. */
  function faultsOf(era: Era, pageSize: "4K" | "2M"): number {
    let faults = 0;
    const script: Script = function* (cpu, lab) {
      const mm = lab.mm("mm");
      yield* runOn(cpu, mm);
      const range = yield* mmap(cpu, mm, { pageCount: 512, pageSize });
      const first = pageRange(range.start, 1);
      yield* touch(first, "write");
      for (const rights of [READ_ONLY, READ_WRITE]) yield* mprotect(cpu, mm, range, rights);
      const before = cpu.kernel.machine.counters(0).faults;
      yield* touch(first, "write");
      faults = cpu.kernel.machine.counters(0).faults - before;
    };
    const outcome = play({ protocol: protocols[era] }, script);
    expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
    return faults;
  }

  test("leaves private pages to the next write, up to Linux 5.19", () => {
    expect(faultsOf("linux-5.13", "4K")).toBe(1);
  });

  test("makes a page writable at once that has no other user, since 6.0", () => {
    expect(faultsOf("linux-6.18", "4K")).toBe(0);
  });

  test("leaves large pages to the next write, in every era", () => {
    expect([faultsOf("linux-5.13", "2M"), faultsOf("linux-6.18", "2M")]).toEqual([1, 1]);
  });
});

test("an entry needs a flush if a right is another, or dirty or present is cleared", () => {
  const old = PRESENT | USER | WRITABLE | ACCESSED | DIRTY;
  const needs = (now: bigint, before = old): boolean => needsFlush(before, now);
  expect([old ^ WRITABLE, old ^ NO_EXECUTE, old ^ USER].map((now) => needs(now))).toEqual([
    true,
    true,
    true,
  ]);
  expect([needs(old, old ^ WRITABLE), needs(old ^ DIRTY), needs(old ^ PRESENT)]).toEqual([
    true,
    true,
    true,
  ]);
  expect([needs(old), needs(old ^ ACCESSED), needs(old, old ^ DIRTY), needs(old, 0n)]).toEqual([
    false,
    false,
    false,
    false,
  ]);
  expect(needs(old | 0x1000n)).toBe(true); // another frame
});
