// Shared variables and locks: who may be inside, who waits, and what is counted.

import { describe, expect, test } from "vitest";
import { Cell } from "../../../src/kernel/operation/cell.ts";
import { CpuMask } from "../../../src/kernel/state/cpu-mask.ts";
import { clearCpu, cpusOf, setCpu, testCpu } from "../../../src/kernel/cpu/cpumask.ts";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import {
  lockForReading,
  lockForWriting,
  spinLock,
  spinUnlock,
  unlockForReading,
  unlockForWriting,
} from "../../../src/kernel/locking/lock.ts";
import {
  type KernelCode,
  load,
  locked,
  store,
  work,
} from "../../../src/kernel/operation/operation.ts";
import { play, type Script } from "../lab.ts";

const hold = work({ name: "test", cycles: 3_000 });

/** Runs scripts that share one lock cell, and keeps who is inside with how many others. */
function contend(...kinds: (keyof typeof SIDES)[]): { inside: string[]; lock: number } {
  const inside: string[] = [];
  let readers = 0;
  let writers = 0;
  let lock: Cell<number> | undefined;
  const scripts = kinds.map(
    (kind): Script =>
      function* (cpu) {
        lock ??= new Cell("lock", cpu.kernel.allocateLine(0), 0);
        const { enter, leave, writes } = SIDES[kind];
        yield* enter(lock);
        if (writes) writers++;
        else readers++;
        yield* work({ name: "test", cycles: 3_000 });
        inside.push(`${readers} readers ${writers} writers`);
        yield* work({ name: "test", cycles: 3_000 });
        if (writes) writers--;
        else readers--;
        yield* leave(lock);
      },
  );
  const { ended } = play({}, ...scripts);
  expect(ended).toBe("stopped");
  return { inside, lock: lock!.value };
}

const SIDES = {
  spin: { enter: spinLock, leave: spinUnlock, writes: true },
  read: { enter: lockForReading, leave: unlockForReading, writes: false },
  write: { enter: lockForWriting, leave: unlockForWriting, writes: true },
} satisfies Record<string, { enter: Lock; leave: Lock; writes: boolean }>;

type Lock = (lock: Cell<number>) => KernelCode;

test("a spinlock lets one in at a time, and everyone in the end", () => {
  const { inside, lock } = contend("spin", "spin", "spin", "spin");
  expect(inside).toEqual(Array.from({ length: 4 }, () => "0 readers 1 writers"));
  expect(lock).toBe(0);
});

describe("mmap_lock", () => {
  test("has room for any number of readers", () => {
    const { inside, lock } = contend("read", "read", "read");
    expect(inside).toContain("3 readers 0 writers");
    expect(lock).toBe(0);
  });

  test("has room for one writer and nobody else", () => {
    const { inside, lock } = contend("write", "write", "read", "read");
    expect(inside.filter((line) => line.endsWith("1 writers"))).toEqual([
      "0 readers 1 writers",
      "0 readers 1 writers",
    ]);
    expect(lock).toBe(0);
  });

  test("lets a writer in only when the last reader has left", () => {
    const { inside } = contend("read", "read", "write");
    expect(inside.at(-1)).toBe("0 readers 1 writers");
    expect(inside.slice(0, 2)).toContain("2 readers 0 writers");
  });
});

describe("locked operations", () => {
  test("lose no update, however many cores add", () => {
    let cell: Cell<number> | undefined;
    const add: Script = function* (cpu) {
      cell ??= new Cell("sum", cpu.kernel.allocateLine(0), 0);
      for (let count = 0; count < 50; count++) yield* locked(cell, (sum) => sum + 1);
    };
    play({}, add, add, add);
    expect(cell!.value).toBe(150);
  });

  test("are refcount operations on mm_users and mm_count, and on nothing else", () => {
    const counts: number[] = [];
    const script: Script = function* (_cpu, lab) {
      const mm = lab.mm("counted");
      const cells = [mm.mmUsers, mm.mmCount, mm.tlbGeneration, mm.mmapLock, mm.cpumask.words[0]!];
      for (const cell of cells) {
        const before = lab.count("refcountOperation");
        yield* locked(cell, (value) => value);
        counts.push(lab.count("refcountOperation") - before);
      }
      const before = lab.count("refcountOperation");
      yield* load(mm.mmCount);
      yield* store(mm.mmCount, 1);
      counts.push(lab.count("refcountOperation") - before);
      yield* hold;
    };
    play({}, script);
    expect(counts).toEqual([1, 1, 0, 0, 0, 0]);
  });

  test("on a line that another core owns take longer than on one's own", () => {
    const took: number[] = [];
    let cell: Cell<number> | undefined;
    const add = function* (cpu: Cpu): KernelCode {
      cell ??= new Cell("sum", cpu.kernel.allocateLine(0), 0);
      const start = cpu.kernel.machine.now(cpu.id);
      yield* locked(cell, (sum) => sum + 1);
      took.push(cpu.kernel.machine.now(cpu.id) - start);
    };
    const owner: Script = function* (cpu, lab) {
      yield* add(cpu);
      yield* add(cpu);
      yield* lab.done(1);
    };
    const other: Script = function* (cpu, lab) {
      yield* lab.after(1);
      yield* add(cpu);
    };
    play({}, owner, other);
    expect(took[1]).toBeLessThan(took[2]!);
  });
});

test("a cpumask holds 70 CPUs in three words, and lists them in ascending order", () => {
  const script: Script = function* (cpu) {
    const mask = new CpuMask("mask", 70, () => cpu.kernel.allocateLine(0), null);
    expect(mask.words).toHaveLength(3);
    for (const id of [69, 31, 0, 32, 63, 5]) yield* setCpu(mask, id);
    yield* clearCpu(mask, 5);
    yield* clearCpu(mask, 6);
    expect(yield* cpusOf(mask)).toEqual([0, 31, 32, 63, 69]);
    expect([yield* testCpu(mask, 31), yield* testCpu(mask, 5)]).toEqual([true, false]);
    expect([mask.has(63), mask.has(64)]).toEqual([true, false]);
  };
  expect(play({}, script).ended).toBe("stopped");
});
