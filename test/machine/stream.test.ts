// Streams: the batch loop does what single accesses do, in the right order, and can be resumed.

import { describe, expect, test } from "vitest";
import { frameNumber, pageNumber } from "../../src/base/address.ts";
import { Machine } from "../../src/machine/machine.ts";
import { type StreamOptions, userStream } from "../../src/machine/stream.ts";
import { MACHINE, machineWithTlb, TLB } from "./describe.ts";
import { Space, at } from "./space.ts";

const PAGE = 0x1000;
const PAGES = 200;

const warm = (description = MACHINE): Space => {
  const space = new Space(description);
  for (let index = 0; index < PAGES; index++) space.map(PAGE + index);
  return space;
};

const run = (space: Space, options: StreamOptions, horizon = Infinity) => {
  const stream = userStream({ base: pageNumber(PAGE), elements: PAGES, ...options });
  return { stop: space.machine.runStream(0, stream, horizon), stream };
};

describe("a stream", () => {
  const FULLY_ASSOCIATIVE = machineWithTlb({
    firstLevelData: [{ ...TLB.firstLevelData[0]!, entries: 64, ways: 64 }],
  });
  const FOLDED = machineWithTlb({
    firstLevelData: [{ ...TLB.firstLevelData[0]!, replacement: "tree-plru", index: "xor-fold" }],
  });
  for (const description of [MACHINE, FULLY_ASSOCIATIVE, FOLDED]) {
    for (const kind of ["read", "write", "execute"] as const) {
      test(`of ${kind}s takes the cycles of the same single accesses`, () => {
        const batch = warm(description);
        const single = warm(description);
        run(batch, { accesses: 3 * PAGES + 7, kind, thinkCycles: 3 });
        for (let index = 0; index < 3 * PAGES + 7; index++) {
          const element = index % PAGES;
          single.machine.access(0, {
            address: at(PAGE + element, (element & 63) * 64),
            kind: kind,
            user: true,
          });
          single.machine.advance(0, 3);
        }
        expect(batch.machine.now(0)).toBe(single.machine.now(0));
        expect(batch.machine.counters(0)).toEqual(single.machine.counters(0));
      });
    }
  }

  test("over large pages too", () => {
    const [batch, single] = [new Space(MACHINE), new Space(MACHINE)];
    for (const space of [batch, single]) space.map(0, { size: "2M", frame: frameNumber(512) });
    run(batch, { base: pageNumber(0), accesses: 500 });
    for (let index = 0; index < 500; index++) {
      const element = index % PAGES;
      single.machine.access(0, {
        address: at(element, (element & 63) * 64),
        kind: "read",
        user: true,
      });
    }
    expect(batch.machine.now(0)).toBe(single.machine.now(0));
  });

  test("visits every element once in a chase, far from in order", () => {
    for (const elements of [1, 2, 7, 64, 100]) {
      const space = warm();
      run(space, { elements, order: "chase", accesses: elements });
      expect(space.machine.counters(0)).toMatchObject({ accesses: elements, walks: elements });
    }
  });

  test("visits the pages of its list in turn", () => {
    const space = warm();
    const pages = [PAGE + 9, PAGE, PAGE + 5].map(pageNumber);
    const { stream } = run(space, { pages, elements: 3, accesses: 7 });
    expect(space.machine.counters(0)).toMatchObject({ walks: 3, l1Hits: 4 });
    expect(stream).toMatchObject({ position: 1, remaining: 0 });
  });

  test("in random order stays within its elements and reaches nearly all", () => {
    const space = warm();
    const { stop } = run(space, { order: "random", accesses: 5000 });
    expect(stop).toBe("done");
    let touched = 0;
    for (let page = PAGE; page < PAGE + PAGES; page++) {
      if ((space.tables.entryAt(pageNumber(page)) & 0x20n) !== 0n) touched++;
    }
    expect(touched).toBeGreaterThan(PAGES * 0.95);
  });

  test("writes about as many percent as it was told", () => {
    const space = warm();
    run(space, { accesses: PAGES, writePercent: 30 });
    let dirty = 0;
    for (let page = PAGE; page < PAGE + PAGES; page++) {
      if ((space.tables.entryAt(pageNumber(page)) & 0x40n) !== 0n) dirty++;
    }
    expect(dirty / PAGES).toBeGreaterThan(0.2);
    expect(dirty / PAGES).toBeLessThan(0.4);
  });

  test("with the same seed does the same, in one run or in pieces", () => {
    const options = { order: "random", accesses: 3000, writePercent: 20, seed: 7 } as const;
    const [whole, pieces] = [warm(), warm()];
    run(whole, options);
    const stream = userStream({ base: pageNumber(PAGE), elements: PAGES, ...options });
    let runs = 0;
    while (pieces.machine.runStream(0, stream, pieces.machine.now(0) + 500) === "horizon") runs++;
    expect(runs).toBeGreaterThan(10);
    expect(pieces.machine.now(0)).toBe(whole.machine.now(0));
    expect(pieces.machine.counters(0)).toEqual(whole.machine.counters(0));
  });

  test("stops at its horizon, at most one access late", () => {
    const space = warm();
    const { stop, stream } = run(space, { accesses: 1000 }, 10_000);
    expect([stop, stream.remaining > 0]).toEqual(["horizon", true]);
    expect(space.machine.now(0)).toBeGreaterThanOrEqual(10_000);
    expect(space.machine.now(0)).toBeLessThan(12_000);
  });

  test("stops at a fault without going on, and repeats the access when it is resumed", () => {
    for (const order of ["sequential", "random", "chase"] as const) {
      const space = new Space(MACHINE);
      const stream = userStream({ base: pageNumber(PAGE), elements: 8, accesses: 40, order });
      const seen = new Set<number>();
      while (space.machine.runStream(0, stream, Infinity) === "fault") {
        const { page, errorCode } = space.machine.fault(0);
        expect(errorCode).toBe(4);
        expect(seen.has(page)).toBe(false);
        seen.add(page);
        space.map(page);
      }
      expect([...seen].every((page) => page >= PAGE && page < PAGE + 8)).toBe(true);
      expect(space.machine.counters(0).accesses).toBe(40 + seen.size);
    }
  });

  test("over an address that is not canonical faults", () => {
    const machine = new Machine(MACHINE);
    const stream = userStream({ base: pageNumber(2 ** 35), elements: 1 });
    expect(machine.runStream(0, stream, Infinity)).toBe("fault");
    expect(machine.fault(0)).toMatchObject({ page: 2 ** 35, errorCode: 0 });
  });
});
