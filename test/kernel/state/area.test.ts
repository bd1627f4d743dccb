// The list of areas, and what their locks are for: faults that go on while others map.

import { describe, expect, test } from "vitest";
import { type PageRange, pageNumber } from "../../../src/base/address.ts";
import { type Area, AreaList, type AreaLock } from "../../../src/kernel/state/area.ts";
import { Cell } from "../../../src/kernel/operation/cell.ts";
import { waitForChildren } from "../../../src/kernel/process/exit.ts";
import type { KernelCode } from "../../../src/kernel/operation/operation.ts";
import { cloneThread } from "../../../src/kernel/process/fork.ts";
import { syscall } from "../../../src/kernel/cpu/syscall.ts";
import type { Task } from "../../../src/kernel/state/task.ts";
import { mapPages, touchPages, unmapPages } from "../../../src/workloads/memory.ts";
import { play } from "../scene.ts";

const pages = (start: number, end: number): PageRange => ({
  start: pageNumber(start),
  end: pageNumber(end),
});

const area = (start: number, end: number, rights: Partial<Area> = {}): Area => ({
  ...pages(start, end),
  writable: true,
  executable: false,
  ...rights,
});

/** A list whose locks are numbered as they are made, and those that were taken back. */
function lockedList() {
  const released: string[] = [];
  let count = 0;
  const list = new AreaList({
    create: () => {
      const name = `lock${count++}`;
      const cell = new Cell(name, { index: -1 }, 0);
      return { references: cell, sequence: cell };
    },
    release: ({ references }) => void released.push(references.name),
  });
  const shape = () => list.all.map(({ start, end, lock }) => [start, end, nameOf(lock)]);
  return { list, released, shape };
}

const nameOf = (lock: AreaLock | undefined): string | undefined => lock?.references.name;

describe("areas that touch", () => {
  test("are one, with the lock of the lowest that was there", () => {
    const { list, released, shape } = lockedList();
    list.add(area(10, 20));
    list.add(area(30, 40));
    expect(shape()).toEqual([
      [10, 20, "lock0"],
      [30, 40, "lock1"],
    ]);
    list.add(area(20, 30));
    expect([shape(), released]).toEqual([[[10, 40, "lock0"]], ["lock1"]]);
  });

  test.each([{ writable: false }, { executable: true }, { pageSize: "2M" }] as const)(
    "stay two where they differ: %j",
    (rights) => {
      const { list } = lockedList();
      list.add(area(0, 512));
      list.add(area(512, 1024, rights));
      expect(list.all.map(({ start }) => start)).toEqual([0, 512]);
    },
  );

  test("are two again after a protection, and one when it is undone", () => {
    const { list, shape } = lockedList();
    list.add(area(10, 40));
    list.protect(pages(20, 30), { writable: false, executable: false });
    expect(shape().map(([start, end]) => [start, end])).toEqual([
      [10, 20],
      [20, 30],
      [30, 40],
    ]);
    list.protect(pages(20, 30), { writable: true, executable: false });
    expect(shape().map(([start, end]) => [start, end])).toEqual([[10, 40]]);
  });
});

test("what is taken out of an area keeps its lock, and what stays gets new ones", () => {
  const { list, shape } = lockedList();
  list.add(area(10, 40));
  const [removed] = list.remove(pages(20, 30));
  expect(nameOf(removed!.lock)).toBe("lock0");
  expect(shape()).toEqual([
    [10, 20, "lock1"],
    [30, 40, "lock2"],
  ]);
});

test("a copy of a list has locks of its own", () => {
  const { list } = lockedList();
  list.add(area(10, 20));
  const copy = lockedList();
  copy.list.copyFrom(list);
  expect(copy.list.all[0]!.lock).not.toBe(list.all[0]!.lock);
});

/** Cycles that a thread takes to touch 64 pages while another maps and unmaps. */
function touchesWhileMapping(vmaLocks: boolean) {
  let cycles = 0;
  const outcome = play({ cores: 2, kernel: { vmaLocks } }, (kernel) => {
    const touch = function* (task: Task): KernelCode {
      const own = yield* mapPages(task, { pageCount: 64, writable: true });
      const begun = kernel.machine.now(task.cpu.id);
      yield* touchPages(own, "write");
      cycles = kernel.machine.now(task.cpu.id) - begun;
    };
    return function* (main) {
      const request = { name: "toucher", program: touch, cpu: kernel.cpus[1]! };
      yield* syscall(main, cloneThread(main, request));
      for (let round = 0; round < 60; round++) {
        const range = yield* mapPages(main, { pageCount: 4, executable: true });
        yield* unmapPages(main, range);
      }
      yield* syscall(main, waitForChildren(main));
    };
  });
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  return cycles;
}

test("a fault does not wait for who maps elsewhere, where areas have locks", () => {
  expect(touchesWhileMapping(true)).toBeLessThan(0.8 * touchesWhileMapping(false));
});

test("locks are given back: mapping for long takes no more lines than mapping once", () => {
  const linesAfter = (rounds: number): number => {
    const { kernel } = play({ cores: 1, kernel: { vmaLocks: true } }, () => {
      return function* (main) {
        for (let round = 0; round < rounds; round++) {
          const range = yield* mapPages(main, { pageCount: 8 });
          yield* touchPages(range, "write");
          const middle = { start: pageNumber(range.start + 2), end: pageNumber(range.end - 2) };
          yield* unmapPages(main, middle);
          yield* unmapPages(main, range);
        }
      };
    });
    return kernel.allocateLine(0).index;
  };
  expect(linesAfter(40)).toBe(linesAfter(1));
});
