// Scenarios of one's own that keep to no contract: what they call against its preconditions, and
// what they withdraw and never flush, does not pass for clean.

import { describe, expect, test } from "vitest";
import { type PageRange, union } from "../../../src/base/address.ts";
import type { Scenario, Script } from "../../../src/explore/scenarios/scenario.ts";
import { onePage, type Stage } from "../../../src/explore/scenarios/stage.ts";
import { schedule } from "../../../src/kernel/cpu/schedule.ts";
import { lockForChange } from "../../../src/kernel/locking/area-lock.ts";
import { spinLock, spinUnlock } from "../../../src/kernel/locking/lock.ts";
import { flushRange } from "../../../src/kernel/memory/flush.ts";
import { mprotect } from "../../../src/kernel/memory/mprotect.ts";
import { leftUnflushed, revoked, revoking } from "../../../src/kernel/memory/withdrawal.ts";
import { Cell } from "../../../src/kernel/operation/cell.ts";
import {
  restoreInterrupts,
  saveInterrupts,
} from "../../../src/kernel/operation/interrupt-operation.ts";
import {
  disableInterrupts,
  enableInterrupts,
  exchangeEntry,
  type KernelCode,
  store,
  waitUntil,
  writeEntry,
} from "../../../src/kernel/operation/operation.ts";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { verdict } from "../verdict.ts";

interface Given {
  readonly stage: Stage;
  readonly mm: Mm;
  readonly done: Cell<number>;
}

/** Two threads of one mm with two pages, and what they do. */
const scenario = (scripts: (given: Given) => readonly Script[]): Scenario => ({
  name: "mine",
  summary: "two threads of one mm",
  cpus: 2,
  prepare(stage) {
    const mm = stage.mm("mm", 2);
    for (const cpu of stage.cpus) stage.switchTo(stage.task(cpu, `thread${cpu.id}`, mm));
    return scripts({ stage, mm, done: new Cell("done", { index: 0 }, 0) });
  },
});

const flush = (cpu: Cpu, mm: Mm, range: PageRange): KernelCode =>
  flushRange(cpu, { mm, range, freedTables: false });

describe("a flush with interrupts off is found", () => {
  const byTwo = (does: (cpu: Cpu, mm: Mm) => KernelCode): Scenario =>
    scenario(({ mm }) => [(cpu) => does(cpu, mm), (cpu) => does(cpu, mm)]);

  test.each([
    "linux-6.18",
    "linux-5.13",
    "linux-4.15",
    "linux-4.8",
    "always-full",
    "freebsd",
  ] as const)("under %s, although nobody had to wait", async (name) => {
    const masked = byTwo(function* (cpu, mm) {
      yield* disableInterrupts();
      yield* flush(cpu, mm, onePage());
      yield* enableInterrupts();
    });
    const expected = /^I10: flush_tlb_mm_range called with interrupts off on CPU [01]$/;
    expect(await verdict(masked, { protocol: name })).toMatch(expected);
  });

  test("also as the first thing that a script does", async () => {
    const mine = scenario(({ mm }) => [() => lockForChange(mm, [])]);
    const expected = "vma_start_write called without mm.mmap_lock held for writing on CPU 0";
    expect(await verdict(mine)).toBe(`I11: ${expected}`);
  });

  test("in a section that was saved, and not behind it", async () => {
    const flushed = (isInside: boolean): Scenario =>
      scenario(({ mm }) => [
        function* (cpu) {
          const outer = yield* saveInterrupts(cpu);
          const inner = yield* saveInterrupts(cpu);
          yield* restoreInterrupts(cpu, inner);
          if (isInside) yield* flush(cpu, mm, onePage());
          yield* restoreInterrupts(cpu, outer);
          if (!isInside) yield* flush(cpu, mm, onePage());
        },
      ]);
    expect(await verdict(flushed(true))).toMatch(/^I10: flush_tlb_mm_range called with/);
    expect(await verdict(flushed(false))).toBe("clean");
  });

  test("and so is sleeping with a spinlock held", async () => {
    const mine = scenario(() => [
      function* (cpu) {
        const lock = new Cell("heap lock", { index: 0 }, 0);
        yield* spinLock(lock);
        yield* schedule(cpu);
        yield* spinUnlock(lock);
      },
    ]);
    expect(await verdict(mine)).toBe("I10: schedule called with heap lock held on CPU 0");
  });

  test("in the preparation it is an error of the scenario", async () => {
    const prepared = scenario(({ stage, mm }) => {
      const [cpu] = stage.cpus;
      const masked = function* (): KernelCode {
        yield* disableInterrupts();
        yield* flush(cpu!, mm, onePage());
      };
      stage.run(cpu!, masked());
      return [];
    });
    const expected = "the preparation breaks I10: flush_tlb_mm_range called with interrupts off";
    await expect(verdict(prepared)).rejects.toThrow(expected);
  });
});

describe("what is withdrawn and never flushed is found", () => {
  const both = union(onePage(0), onePage(1));

  /** CPU 0 takes both pages away, does what `then` says and tells CPU 1, which reads one. */
  const discarding = (then: (cpu: Cpu, mm: Mm) => KernelCode<unknown>, index = 0): Scenario =>
    scenario(({ stage, mm, done }) => [
      function* (cpu) {
        yield* revoking(mm, both);
        for (const page of [0, 1]) yield* exchangeEntry(mm, onePage(page).start, 0n);
        yield* then(cpu, mm);
        yield* store(done, 1);
      },
      function* () {
        yield* waitUntil(done, (value) => value === 1);
        yield* stage.touch("read", { index });
      },
    ]);

  test("where nobody flushes", async () => {
    const forgotten = function* (): KernelCode {};
    const expected = "I1: CPU 0 withdrew entries of pages 0xffff to 0x10000 (mm) that were never";
    expect(await verdict(discarding(forgotten))).toBe(`${expected} flushed`);
  });

  test("where the flush is too short", async () => {
    const expected = "I1: CPU 0 withdrew entries of pages 0x10000 to 0x10001 (mm) that were never";
    const short = discarding((cpu, mm) => flush(cpu, mm, onePage(0)));
    expect(await verdict(short)).toBe(`${expected} flushed`);
    expect(await verdict(discarding((cpu, mm) => flush(cpu, mm, both)))).toBe("clean");
  });

  test("where a plain store takes it away, which waits in the store buffer", async () => {
    const plain = (then: (cpu: Cpu, mm: Mm) => KernelCode): Scenario =>
      scenario(({ mm }) => [
        function* (cpu) {
          yield* writeEntry(mm, onePage().start, 0n);
          yield* then(cpu, mm);
        },
      ]);
    expect(await verdict(plain(function* () {}))).toMatch(/^I1: CPU 0 withdrew entries/);
    expect(await verdict(plain((cpu, mm) => flush(cpu, mm, onePage())))).toBe("clean");
  });

  test("where another CPU flushes, if it has been told by then", async () => {
    const elsewhere = (isTold: boolean): Scenario =>
      scenario(({ mm, done }) => [
        function* () {
          if (!isTold) yield* waitUntil(done, (value) => value === 1);
          yield* exchangeEntry(mm, onePage().start, 0n);
          if (isTold) yield* store(done, 1);
        },
        function* (cpu) {
          if (isTold) yield* waitUntil(done, (value) => value === 1);
          yield* flush(cpu, mm, onePage());
          if (!isTold) yield* store(done, 1);
        },
      ]);
    expect(await verdict(elsewhere(true))).toBe("clean");
    expect(await verdict(elsewhere(false))).toMatch(/^I1: CPU 0 withdrew entries/);
  });

  test("where another CPU's flush has begun before, and returns later", async () => {
    const inFlight = scenario(({ mm, done }) => [
      function* (cpu) {
        const flags = yield* saveInterrupts(cpu);
        yield* store(done, 1);
        yield* waitUntil(mm.tlbGeneration, (generation) => generation > 1);
        yield* exchangeEntry(mm, onePage().start, 0n);
        yield* restoreInterrupts(cpu, flags); // the flush that waits for this CPU goes on
      },
      function* (cpu) {
        yield* waitUntil(done, (value) => value === 1);
        yield* flush(cpu, mm, onePage());
      },
    ]);
    expect(await verdict(inFlight)).toMatch(/^I1: CPU 0 withdrew entries/);
  });

  test("unless the scenario says that it may stay", async () => {
    expect(await verdict(discarding((_cpu, mm) => leftUnflushed(mm, both)))).toBe("clean");
  });

  test("and what it says that nobody uses, nobody may use", async () => {
    const relied = discarding((_cpu, mm) => revoked(mm, both));
    expect(await verdict(relied)).toMatch(/^I1: CPU 1 uses a translation of page 0xffff \(mm\)/);
  });
});

describe("a program does what its areas do not allow", () => {
  const readOnly = { writable: false, executable: false };

  test("a write to a protected page is a SIGSEGV that the script sees", async () => {
    const seen = new Set<string>();
    const mine = scenario(({ stage, mm, done }) => [
      function* (cpu) {
        yield* mprotect(cpu, mm, onePage(), readOnly);
        yield* store(done, 1);
      },
      function* () {
        seen.add(`meanwhile: ${yield* stage.touch("write")}`);
        yield* waitUntil(done, (value) => value === 1);
        seen.add(`read: ${yield* stage.touch("read")}`);
        seen.add(`write: ${yield* stage.touch("write")}`);
        seen.add(`the other page: ${yield* stage.touch("write", { index: 1 })}`);
      },
    ]);
    expect(await verdict(mine)).toBe("clean");
    const meanwhile = ["meanwhile: SIGSEGV", "meanwhile: done"];
    const after = ["read: done", "write: SIGSEGV", "the other page: done"];
    expect([...seen].toSorted()).toEqual([...meanwhile, ...after].toSorted());
  });

  test("so is a use of what nobody mapped", async () => {
    const seen: string[] = [];
    const mine: Scenario = {
      ...scenario(() => []),
      prepare(stage) {
        stage.switchTo(stage.task(stage.cpus[0]!, "thread", stage.mm("mm", 1)));
        return [
          function* () {
            seen.push(yield* stage.touch("read", { index: 1 }));
          },
        ];
      },
    };
    expect(await verdict(mine)).toBe("clean");
    expect(new Set(seen)).toEqual(new Set(["SIGSEGV"]));
  });
});
