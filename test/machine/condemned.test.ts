// Entries that no longer agree with memory: found, used as hardware would, and reported.

import { describe, expect, test } from "vitest";
import { frameNumber, pageNumber } from "../../src/base/address.ts";
import { frameOfEntry } from "../../src/machine/page-table.ts";
import { userStream } from "../../src/machine/stream.ts";
import { MACHINE, machineWithTlb } from "./describe.ts";
import { Space } from "./space.ts";

const PAGE = 0x1000;
const ROOT_REACHES = 1;
const CURRENT_REACHES = 2;
const OTHER_REACHES = 4;

const FULLY_ASSOCIATIVE = machineWithTlb({
  firstLevelData: [
    { entries: 96, ways: 96, pageSizes: ["4K", "2M", "1G"], replacement: "lru", index: "linear" },
  ],
});

const condemn = (space: Space, start: number, end: number, core = 0): number =>
  space.machine.condemnRange(
    core,
    space.tables.root,
    space.tables.root,
    pageNumber(start),
    pageNumber(end),
  );

/** A second root with its own tables, from which core 0 has filled the page. */
function filledFromElsewhere(frame: number) {
  const space = new Space(MACHINE);
  const elsewhere = space.newTables();
  space.map(PAGE, { frame: frameNumber(frame) }, elsewhere);
  space.machine.writeCr3(0, { root: elsewhere.root, pcid: 0, keep: false });
  space.access(PAGE);
  const condemned = (from: number, root: number): number =>
    space.machine.condemnRange(0, from, root, pageNumber(PAGE), pageNumber(PAGE + 1));
  return { space, elsewhere, condemned };
}

describe("entries that were filled from one root and are judged by another's tables", () => {
  test("are left alone where these agree", () => {
    const { space, elsewhere, condemned } = filledFromElsewhere(7);
    space.map(PAGE, { frame: frameNumber(7) });
    elsewhere.setEntry(pageNumber(PAGE), 0n);
    expect(condemned(space.tables.root, space.tables.root)).toBe(0);
    // The translation agrees; that the paging structures lead through other tables does not.
    expect(condemned(elsewhere.root, space.tables.root)).toBe(3);
    expect(space.access(PAGE)).toMatchObject({ stale: false });
  });

  test("are condemned where these map another frame", () => {
    const { space, elsewhere, condemned } = filledFromElsewhere(7);
    space.map(PAGE, { frame: frameNumber(8) });
    expect(condemned(elsewhere.root, space.tables.root)).toBe(2 + 3);
    expect(space.access(PAGE)).toMatchObject({ stale: true });
    expect(space.machine.holdsCondemned(0)).toBe(1);
  });

  test("count as held under their PCID, whichever root it is loaded with", () => {
    const { space, elsewhere, condemned } = filledFromElsewhere(7);
    const { machine, tables } = space;
    machine.writeCr3(0, { root: elsewhere.root, pcid: 0, keep: false });
    machine.writeCr4(0, { globalPages: true, pcid: true });
    machine.writeCr3(0, { root: elsewhere.root, pcid: 1, keep: false });
    space.access(PAGE);
    machine.writeCr3(0, { root: tables.root, pcid: 1, keep: true });
    expect(condemned(elsewhere.root, tables.root)).toBeGreaterThan(0);
    expect(machine.holdsCondemned(0)).toBe(1);
    machine.writeCr3(0, { root: tables.root, pcid: 2, keep: true });
    expect(machine.holdsCondemned(0)).toBe(0);
  });
});

for (const [shape, description] of Object.entries({ MACHINE, FULLY_ASSOCIATIVE })) {
  for (const length of [1, 40, 100_000]) {
    describe(`${shape}, a range of ${length} pages`, () => {
      const warm = (): Space => {
        const space = new Space(description);
        for (let index = 0; index < 3; index++) space.map(PAGE + index);
        for (let index = 0; index < 3; index++) space.access(PAGE + index);
        return space;
      };

      test("entries that agree are left alone", () => {
        expect(condemn(warm(), PAGE, PAGE + length)).toBe(0);
      });

      const DISAGREEMENTS: Readonly<Record<string, (space: Space) => void>> = {
        "an unmapped page": (space) => void space.tables.setEntry(pageNumber(PAGE), 0n),
        "another frame": (space) => space.map(PAGE, { frame: frameNumber(7) }),
        "a page made read-only": (space) => space.map(PAGE, { writable: false }),
        "a page made no-execute": (space) => space.map(PAGE, { noExecute: true }),
      };
      for (const [what, change] of Object.entries(DISAGREEMENTS)) {
        test(`${what}: both levels' entries are condemned, once`, () => {
          const space = warm();
          change(space);
          expect(condemn(space, PAGE, PAGE + length)).toBe(2);
          expect(condemn(space, PAGE, PAGE + length)).toBe(0);
          expect(space.access(PAGE)).toMatchObject({ source: "l1", stale: true });
          expect(space.access(PAGE + 1)).toMatchObject({ stale: false });
        });
      }
    });
  }
}

describe("condemned entries", () => {
  test("more rights in memory than cached are no disagreement", () => {
    const space = new Space(MACHINE);
    space.map(PAGE, { writable: false, noExecute: true });
    space.access(PAGE);
    space.map(PAGE);
    expect(condemn(space, PAGE, PAGE + 1)).toBe(0);
  });

  test("a large page's entry is condemned when one of its pages in the range changed", () => {
    const space = new Space(MACHINE);
    space.map(512, { size: "2M", frame: frameNumber(512) });
    space.access(512);
    const large = space.tables.setEntry(pageNumber(512), 0n, "2M");
    for (let index = 0; index < 512; index++) {
      space.map(512 + index, { frame: frameNumber(512 + index) });
    }
    expect(condemn(space, 512, 1024)).toBe(0);
    space.map(600, { frame: frameNumber(9) });
    expect(condemn(space, 512, 600)).toBe(0);
    expect(condemn(space, 600, 601)).toBe(2);
    expect(frameOfEntry(large)).toBe(512);
  });

  test("entries filled from another root are not looked at", () => {
    const space = new Space(MACHINE);
    const other = space.newTables();
    space.map(PAGE);
    space.map(PAGE, {}, other);
    space.machine.writeCr4(0, { globalPages: true, pcid: true });
    space.machine.writeCr3(0, { root: other.root, pcid: 1, keep: false });
    space.access(PAGE);
    space.tables.setEntry(pageNumber(PAGE), 0n);
    expect(condemn(space, PAGE, PAGE + 1)).toBe(0);
  });

  test("an entry of any PCID is found", () => {
    const space = new Space(MACHINE);
    space.map(PAGE);
    space.machine.writeCr4(0, { globalPages: true, pcid: true });
    for (const pcid of [3, 4]) {
      space.machine.writeCr3(0, { root: space.tables.root, pcid, keep: true });
      space.access(PAGE);
    }
    space.tables.setEntry(pageNumber(PAGE), 0n);
    expect(condemn(space, PAGE, PAGE + 1)).toBe(4);
  });

  test("an invalidation removes the condemnation with the entry", () => {
    const space = new Space(MACHINE);
    space.map(PAGE);
    space.access(PAGE);
    space.map(PAGE, { frame: frameNumber(7) });
    condemn(space, PAGE, PAGE + 1);
    space.machine.invlpg(0, pageNumber(PAGE));
    expect(space.access(PAGE)).toMatchObject({ source: "walk", stale: false });
  });

  test("a write for which D must be set walks, and so sees the new entry", () => {
    const space = new Space(MACHINE);
    space.map(PAGE);
    space.access(PAGE);
    space.map(PAGE, { frame: frameNumber(7) });
    condemn(space, PAGE, PAGE + 1);
    expect(space.access(PAGE, "write")).toMatchObject({ physical: 0x7000n, stale: false });
    expect(space.access(PAGE)).toMatchObject({ source: "l1", physical: 0x7000n, stale: false });
  });

  test("a stream stops behind a stale use, which is done, and goes on", () => {
    const space = new Space(MACHINE);
    for (let index = 0; index < 4; index++) space.map(PAGE + index);
    const stream = userStream({ base: pageNumber(PAGE), elements: 4, accesses: 8 });
    const run = (): string => space.machine.runStream(0, stream, Infinity);
    stream.remaining = 4;
    expect(run()).toBe("done");
    space.map(PAGE + 2, { frame: frameNumber(7) });
    condemn(space, PAGE, PAGE + 4);
    stream.remaining = 4;
    expect([run(), stream.remaining, space.machine.stale(0).page]).toEqual(["stale", 1, PAGE + 2]);
    expect([run(), stream.remaining]).toEqual(["done", 0]);
  });

  test("one that only the second level has counts as a second-level hit in a stream too", () => {
    // Written pages, so that D is set; enough of them to push the first out of the first level.
    const scene = (): Space => {
      const space = new Space(MACHINE);
      for (let index = 0; index < 100; index++) {
        space.map(PAGE + index);
        space.access(PAGE + index, "write");
      }
      space.map(PAGE, { frame: frameNumber(7) });
      condemn(space, PAGE, PAGE + 1);
      space.machine.resetCounters();
      return space;
    };
    const [batch, single] = [scene(), scene()];
    const stream = userStream({ base: pageNumber(PAGE), elements: 1 });
    expect(batch.machine.runStream(0, stream, Infinity)).toBe("stale");
    expect(single.access(PAGE)).toMatchObject({ source: "l2", stale: true });
    expect(batch.machine.counters(0)).toEqual(single.machine.counters(0));
    expect(batch.machine.counters(0)).toMatchObject({ l2Hits: 1, staleUses: 1 });
  });
});

describe("tables", () => {
  const warm = (): { space: Space; table: number } => {
    const space = new Space(MACHINE);
    space.machine.writeCr4(0, { globalPages: true, pcid: true });
    space.map(PAGE);
    space.access(PAGE);
    const { table } = space.machine.findTable(space.tables.root, pageNumber(PAGE), 1);
    return { space, table };
  };

  test("a core reaches its root by CR3 and lower tables by its structure caches", () => {
    const { space, table } = warm();
    const { machine, tables } = space;
    expect(machine.reachesTable(0, tables.root)).toBe(ROOT_REACHES);
    expect(machine.reachesTable(0, frameNumber(table))).toBe(CURRENT_REACHES);
    machine.writeCr3(0, { root: space.newTables().root, pcid: 9, keep: true });
    expect(machine.reachesTable(0, frameNumber(table))).toBe(OTHER_REACHES);
    machine.invpcid(0, 1n, { pcid: 0n, address: 0n });
    expect(machine.reachesTable(0, frameNumber(table))).toBe(0);
  });

  test("a walk through a condemned structure-cache entry is a stale use", () => {
    const { space, table } = warm();
    space.map(PAGE + 1);
    space.machine.condemnTable(0, frameNumber(table));
    expect(space.access(PAGE + 1)).toMatchObject({ source: "walk", stale: true });
  });

  test("unlinking a table condemns what leads to it", () => {
    const { space, table } = warm();
    const range = { start: pageNumber(PAGE), end: pageNumber(PAGE + 1) };
    const freed = space.tables.detach(range, ({ start, end }) => end - start === 512);
    expect(freed).toEqual([table]);
    // The translation in both levels, and the PDE-cache entry.
    expect(condemn(space, PAGE, PAGE + 1)).toBe(3);
  });
});

describe("of pages that every root shares", () => {
  /** A high page that two roots map alike, cached from both: globally, or under a PCID each. */
  const shared = (global: boolean): { readonly space: Space; condemn(page: number): number } => {
    const space = new Space(MACHINE);
    const { machine, tables } = space;
    machine.writeCr4(0, { globalPages: true, pcid: true });
    space.map(HIGH, { frame: frameNumber(0x100), user: false, global });
    space.map(HIGH + 1, { frame: frameNumber(0x101), user: false, global });
    const other = space.newTables();
    other.shareTop(tables, pageNumber(HIGH));
    for (const [root, pcid] of [[tables.root, 1] as const, [other.root, 2] as const]) {
      machine.writeCr3(0, { root, pcid, keep: true });
      space.access(HIGH, "read", false);
      space.access(HIGH + 1, "read", false);
    }
    const condemnAt = (page: number): number =>
      machine.condemnShared(0, tables.root, pageNumber(page), pageNumber(page + 1));
    return { space, condemn: condemnAt };
  };
  const HIGH = 0xffffc90000000;

  test("entries that agree are left alone", () => {
    const { space, condemn: condemnAt } = shared(true);
    expect(condemnAt(HIGH)).toBe(0);
    expect(space.access(HIGH, "read", false)).toMatchObject({ source: "l1", stale: false });
  });

  test("global ones are condemned and counted, once, whatever root they came from", () => {
    const { space, condemn: condemnAt } = shared(true);
    space.tables.setEntry(pageNumber(HIGH), 0n);
    expect([condemnAt(HIGH), condemnAt(HIGH)]).toEqual([2, 0]); // a level each
    for (const pcid of [1, 2]) {
      space.machine.writeCr3(0, { root: space.tables.root, pcid, keep: true });
      expect(space.access(HIGH, "read", false)).toMatchObject({ stale: true });
      expect(space.access(HIGH + 1, "read", false)).toMatchObject({ stale: false });
    }
  });

  test("others are condemned in every PCID and not counted", () => {
    const { space, condemn: condemnAt } = shared(false);
    space.tables.setEntry(pageNumber(HIGH), 0n);
    expect(condemnAt(HIGH)).toBe(0);
    for (const pcid of [1, 2]) {
      space.machine.writeCr3(0, { root: space.tables.root, pcid, keep: true });
      expect(space.access(HIGH, "read", false)).toMatchObject({ stale: true });
      expect(space.access(HIGH + 1, "read", false)).toMatchObject({ stale: false });
    }
  });
});
