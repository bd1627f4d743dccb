// System calls that change areas hold the locks of all that they change, those included that are
// split off and those that become one with them, until mmap_lock is let go.

import { describe, expect, test } from "vitest";
import type { PageNumber, PageRange } from "../../../src/base/address.ts";
import {
  lockAreas,
  lockForChange,
  lockToRead,
  unlockAreas,
  unlockToRead,
} from "../../../src/kernel/locking/area-lock.ts";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { mmap, munmap } from "../../../src/kernel/memory/mmap.ts";
import { mprotect } from "../../../src/kernel/memory/mprotect.ts";
import { mremap } from "../../../src/kernel/memory/mremap.ts";
import type { KernelCode } from "../../../src/kernel/operation/operation.ts";
import { memory, play, runOn, type Script } from "../lab.ts";

const RW = { writable: true, executable: false };
const RO = { writable: false, executable: false };

/** While `call` has changed areas and has mmap_lock: the areas at `pages` that are not locked. */
function* unlockedIn<T>(
  call: KernelCode<T>,
  mm: Mm,
  pages: readonly PageNumber[],
): KernelCode<string[]> {
  const found = new Set<string>();
  let hasChanged = false;
  let step = call.next();
  while (step.done !== true) {
    const sequence = mm.lockSequence!.value;
    hasChanged ||= ["changeAreas", "exchangeEntry", "writeEntry"].includes(step.value.kind);
    for (const page of hasChanged && sequence % 2 === 1 ? pages : []) {
      const lock = mm.areas.at(page)?.lock;
      if (lock === undefined || lock.sequence.value === sequence) continue;
      found.add(`${step.value.kind}: page ${page - memory(1).start} is in an area not locked`);
    }
    step = call.next(yield step.value);
  }
  return [...found];
}

/** Three areas side by side, of four pages each, with these rights; none where there are none. */
function mapThree(mm: Mm, rights: readonly (typeof RW | null)[]): readonly PageRange[] {
  mm.areas.clear();
  const ranges = [0, 4, 8].map((from) => memory(4, from));
  for (const [index, range] of ranges.entries()) {
    if (rights[index]) mm.areas.add({ ...range, ...rights[index] });
  }
  return ranges;
}

const CALLS: Readonly<
  Record<string, [(typeof RW | null)[], (cpu: Cpu, mm: Mm) => KernelCode<unknown>]>
> = {
  "mprotect that joins both sides": [
    [RW, RO, RW],
    (cpu, mm) => mprotect(cpu, mm, memory(4, 4), RW),
  ],
  "mprotect that joins the one above": [
    [RW, RO, null],
    (cpu, mm) => mprotect(cpu, mm, memory(4), RO),
  ],
  "mprotect that splits": [[RW, RW, RW], (cpu, mm) => mprotect(cpu, mm, memory(4, 4), RO)],
  "mprotect with the rights that it has": [
    [RW, RW, RW],
    (cpu, mm) => mprotect(cpu, mm, memory(4, 4), RW),
  ],
  "munmap that splits": [[RW, RW, RW], (cpu, mm) => munmap(cpu, mm, memory(4, 4))],
  "mmap that joins both sides": [
    [RW, null, RW],
    (cpu, mm) => mmap(cpu, mm, { at: memory(4, 4).start, pageCount: 4 }),
  ],
  "mremap that shrinks and moves": [
    [RW, RW, null],
    (cpu, mm) => mremap(cpu, mm, memory(8), memory(4, 4096)),
  ],
};

describe("no area is left unlocked by", () => {
  test.each(Object.entries(CALLS))("%s", (_name, [rights, call]) => {
    let unlocked: string[] | undefined;
    const script: Script = function* (cpu, lab) {
      const mm = lab.mm("mm", 4);
      const ranges = mapThree(mm, rights);
      yield* runOn(cpu, mm);
      const pages = ranges.map(({ start }) => start);
      unlocked = yield* unlockedIn(call(cpu, mm), mm, pages);
    };
    play({ kernel: { vmaLocks: true } }, script);
    expect(unlocked).toEqual([]);
  });
});

test("who changes an area waits for a reader of what it has become one with", () => {
  const order: string[] = [];
  let mm: Mm | undefined;
  const writer: Script = function* (cpu, lab) {
    mm = lab.mm("mm", 4);
    mapThree(mm, [RW, RO, RW]);
    yield* lab.done(1);
    yield* lab.after(2);
    yield* mprotect(cpu, mm, memory(4, 4), RW);
    yield* lockAreas(mm);
    yield* lockForChange(mm, mm.areas.within(memory(4, 8)));
    order.push("writer in the upper area");
    yield* unlockAreas(mm);
  };
  const reader: Script = function* (cpu, lab) {
    yield* lab.after(1);
    const held = yield* lockToRead(mm!, memory(4, 8));
    yield* lab.done(2);
    const until = cpu.kernel.machine.now(cpu.id) + 20_000;
    while (cpu.kernel.machine.now(cpu.id) < until) {
      yield { kind: "work", cycles: 1000, what: "reading" };
    }
    order.push("reader leaves");
    yield* unlockToRead(mm!, held);
  };
  play({ cores: 2, kernel: { vmaLocks: true } }, writer, reader);
  expect(order).toEqual(["reader leaves", "writer in the upper area"]);
});
