// INVLPGB and TLBSYNC: what goes on every core, when, and what the two take. What each extent drops
// is what INVPCID of the same extent drops, which invalidation-rules.test.ts tries rule by rule.

import { describe, expect, test } from "vitest";
import { pageNumber, pageRange } from "../../src/base/address.ts";
import type { Broadcast } from "../../src/machine/broadcast.ts";
import { MACHINE, machineWith } from "./describe.ts";
import { Space } from "./space.ts";

const PAGE = 0x1000;
const CORES = [0, 1, 2, 3];
const broadcast = { pages: 8, issueCycles: 300, completionCycles: 1500 };

/** Every core has touched the pages, one of them global, with PCID 1 and with PCID 2. */
function warm(): Space {
  const space = new Space(machineWith({ broadcast }));
  const { machine, tables } = space;
  for (let index = 0; index < 12; index++) space.map(PAGE + index, { global: index === 11 });
  for (const core of CORES) {
    machine.writeCr4(core, { globalPages: true, pcid: true });
    for (const pcid of [2, 1]) {
      machine.writeCr3(core, { root: tables.root, pcid, keep: false });
      for (let index = 0; index < 12; index++) space.access(PAGE + index, "read", true, core);
    }
  }
  return space;
}

/** The pages, by offset, that a core has to walk for in a PCID. */
function missing(space: Space, core: number, pcid: number): number[] {
  const { machine, tables } = space;
  machine.writeCr3(core, { root: tables.root, pcid, keep: true });
  const offsets = Array.from({ length: 12 }, (_, index) => index);
  return offsets.filter((index) => {
    const result = space.access(PAGE + index, "read", true, core);
    return !result.fault && result.source === "walk";
  });
}

const EVERY_OWN = Array.from({ length: 11 }, (_, index) => index);
const EVERY = [...EVERY_OWN, 11];

const EXTENTS: readonly [string, Broadcast, readonly number[], readonly number[]][] = [
  ["pages", { extent: "pages", pcid: 1, range: pageRange(pageNumber(PAGE + 2), 3) }, [2, 3, 4], []],
  ["a PCID", { extent: "pcid", pcid: 1 }, EVERY_OWN, []],
  [
    "pages of every PCID",
    { extent: "pagesOfAll", range: pageRange(pageNumber(PAGE + 9), 3) },
    [9, 10, 11],
    [9, 10],
  ],
  ["all but globals", { extent: "allButGlobals" }, EVERY_OWN, EVERY_OWN],
  ["all", { extent: "all" }, EVERY, EVERY_OWN],
];

describe.each(EXTENTS)("an INVLPGB of %s", (_what, what, inFirst, inSecond) => {
  test.each(CORES)("drops that on core %i, and nothing else", (core) => {
    const space = warm();
    space.machine.broadcasts.issue(2, what);
    space.machine.broadcasts.complete(2);
    expect(missing(space, core, 1)).toEqual(inFirst);
    expect(missing(space, core, 2)).toEqual(inSecond); // the global page is back by now
  });

  test("need not have happened anywhere before the TLBSYNC of its own core", () => {
    const space = warm();
    space.machine.broadcasts.issue(2, what);
    space.machine.broadcasts.complete(1);
    for (const core of CORES) expect(missing(space, core, 1)).toEqual([]);
  });

  test("drops the paging-structure entries that lead to what it drops", () => {
    const walkLoads = (prepare: (space: Space) => void): number => {
      const space = warm();
      prepare(space);
      const before = space.machine.counters(1).walkLoads;
      space.access(PAGE + inFirst[0]!, "read", true, 1);
      return space.machine.counters(1).walkLoads - before;
    };
    const walked = walkLoads(({ machine }) => {
      machine.broadcasts.issue(0, what);
      machine.broadcasts.complete(0);
    });
    expect(walked).toBe(4);
  });
});

test("an INVLPGB of large pages goes by steps of 2 MiB: of small pages it takes those", () => {
  const space = warm();
  const first = pageNumber(PAGE - 512); // the second step is PAGE itself
  const range = pageRange(first, 2 * 512);
  space.machine.broadcasts.issue(0, { extent: "pages", pcid: 1, range, pageSize: "2M" });
  space.machine.broadcasts.complete(0);
  expect(missing(space, 1, 1)).toEqual([0]);
});

test("the ninth INVLPGB without a TLBSYNC finds no room: the first eight are carried out", () => {
  const space = warm();
  for (let index = 0; index < 9; index++) {
    const range = pageRange(pageNumber(PAGE + index), 1);
    space.machine.broadcasts.issue(0, { extent: "pages", pcid: 1, range });
  }
  expect(missing(space, 3, 1)).toEqual(EVERY_OWN.slice(0, 8));
  space.machine.broadcasts.complete(0);
  expect(missing(space, 3, 1)).toEqual([8]);
});

test("a snapshot keeps what is outstanding", () => {
  const space = warm();
  space.machine.broadcasts.issue(0, { extent: "pcid", pcid: 1 });
  const snapshot = space.machine.snapshot();
  space.machine.broadcasts.complete(0);
  space.machine.restore(snapshot);
  expect(missing(space, 1, 1)).toEqual([]);
  space.machine.broadcasts.complete(0);
  expect(missing(space, 1, 1)).toEqual(EVERY_OWN);
});

describe("time", () => {
  test("INVLPGB takes its issue, TLBSYNC waits for the rest, work in between counts", () => {
    const { machine } = warm();
    const start = machine.now(0);
    machine.broadcasts.issue(0, { extent: "all" });
    expect(machine.now(0) - start).toBe(300);
    machine.broadcasts.issue(0, { extent: "all" });
    machine.advance(0, 1000);
    machine.broadcasts.complete(0);
    expect(machine.now(0) - start).toBe(600 + 1500);
    expect(machine.counters(0).invlpgbs).toBe(2);
  });

  test("TLBSYNC with nothing outstanding takes no time, and no other core's clock moves", () => {
    const { machine } = warm();
    const before = CORES.map((core) => machine.now(core));
    machine.broadcasts.complete(0);
    machine.broadcasts.issue(1, { extent: "all" });
    machine.broadcasts.complete(1);
    expect(CORES.map((core) => machine.now(core) - before[core]!)).toEqual([0, 1800, 0, 0]);
  });
});

test("a processor without INVLPGB is not asked for one", () => {
  const { machine } = new Space(MACHINE);
  expect(machine.broadcasts.pageLimit).toBe(0);
  expect(() => machine.broadcasts.issue(0, { extent: "all" })).toThrow(
    /Machine\.broadcasts: .* INVLPGB/,
  );
});

test("more pages than one INVLPGB covers are an error of the program", () => {
  const { machine } = warm();
  const range = pageRange(pageNumber(PAGE), 9);
  expect(() => machine.broadcasts.issue(0, { extent: "pages", pcid: 1, range })).toThrow();
});
