// folio_mkclean: a page that was written to becomes clean and read-only, on every CPU.

import { expect, test } from "vitest";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { fence } from "../../../src/kernel/operation/operation.ts";
import { linux513 } from "../../../src/kernel/shootdown/linux-5.13.ts";
import type { ShootdownProtocol } from "../../../src/kernel/state/shootdown-protocol.ts";
import { cleanPages } from "../../../src/kernel/memory/writeback.ts";
import { DIRTY, PRESENT, WRITABLE } from "../../../src/machine/page-table.ts";
import { memory, play, runOn, type Script, touch } from "../lab.ts";
import { eventsOf } from "../scene.ts";

const BITS = PRESENT | WRITABLE | DIRTY;

test("what was written is clean and read-only, one flush for each page; the rest is left", () => {
  const seen: bigint[] = [];
  const script: Script = function* (cpu, lab) {
    const mm = lab.mm("mm");
    const note = (): void => void seen.push(mm.tables.entryAt(memory(1).start) & BITS);
    yield* runOn(cpu, mm);
    yield* touch(memory(3), "write");
    note();
    yield* cleanPages(cpu, mm, memory(8));
    note();
    yield* cleanPages(cpu, mm, memory(8)); // nothing to do
    yield* touch(memory(1), "write");
    note();
  };
  const outcome = play({}, script);
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  expect(seen).toEqual([BITS, PRESENT, BITS]);
  const sizes = eventsOf(outcome, "flushBegin").map(({ range }) => range.end - range.start);
  expect(sizes).toEqual([1, 1, 1]);
});

/** Flushes nothing. */
const forgetful: ShootdownProtocol = {
  ...linux513,
  *flushRange() {
    yield* fence();
    return false;
  },
};

/** CPU 1 writes to a page, CPU 0 cleans it, CPU 1 writes again: which invariants break. */
function cleanedUnderWriter(protocol: ShootdownProtocol): readonly string[] {
  let mm: Mm;
  let written = 0n;
  const cleaner: Script = function* (cpu, lab) {
    mm = lab.mm("mm");
    yield* runOn(cpu, mm);
    yield* lab.done(1);
    yield* lab.after(2);
    yield* cleanPages(cpu, mm, memory(1));
    yield* lab.done(3);
  };
  const writer: Script = function* (cpu, lab) {
    yield* lab.after(1);
    yield* runOn(cpu, mm);
    yield* touch(memory(1), "write");
    yield* lab.done(2);
    yield* lab.after(3);
    yield* touch(memory(1), "write");
    written = mm.tables.entryAt(memory(1).start) & BITS;
  };
  const { ended, violations } = play({ protocol }, cleaner, writer);
  expect([ended, written]).toEqual(["stopped", protocol === forgetful ? PRESENT : BITS]);
  return violations.map(({ invariant }) => invariant);
}

test("who wrote to the page before faults at the next write, because it was flushed", () => {
  expect(cleanedUnderWriter(linux513)).toEqual([]);
  expect(cleanedUnderWriter(forgetful)).toContain("I1");
});
