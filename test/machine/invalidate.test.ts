// SDM 3A 4.10.4.1 as a table: which of the cached things each operation leaves.

import { describe, expect, test } from "vitest";
import { frameNumber, pageNumber } from "../../src/base/address.ts";
import type { Machine } from "../../src/machine/machine.ts";
import { MACHINE, machineWithTlb, TLB } from "./describe.ts";
import { at, Space } from "./space.ts";

const PCID = 5;
const OTHER = 6;
const PAGE = 0x1000;
/** In another 2 MiB region, so that its PDE-cache entry is another. */
const FAR_PAGE = 0x2000;
const GLOBAL_PAGE = 0x3000;
const GLOBAL_FAR_PAGE = 0x4000;

interface Left {
  readonly page: boolean;
  readonly farPage: boolean;
  readonly globalPage: boolean;
  readonly globalFarPage: boolean;
  readonly otherPage: boolean;
  readonly otherFarPage: boolean;
  /** PDE-cache entries that lead to PAGE: of PCID, of OTHER; and to FAR_PAGE of PCID. */
  readonly path: boolean;
  readonly otherPath: boolean;
  readonly farPath: boolean;
}

const ALL: Left = {
  page: true,
  farPage: true,
  globalPage: true,
  globalFarPage: true,
  otherPage: true,
  otherFarPage: true,
  path: true,
  otherPath: true,
  farPath: true,
};

const NOTHING: Left = {
  page: false,
  farPage: false,
  globalPage: false,
  globalFarPage: false,
  otherPage: false,
  otherFarPage: false,
  path: false,
  otherPath: false,
  farPath: false,
};

const load = (space: Space, pcid: number): void =>
  space.machine.writeCr3(0, { root: space.tables.root, pcid, keep: true });

/** Everything cached in PCID and OTHER; PCID is current. */
function warm(): Space {
  const space = new Space(MACHINE);
  space.machine.writeCr4(0, { globalPages: true, pcid: true });
  for (const page of [PAGE, FAR_PAGE]) for (const next of [0, 1]) space.map(page + next);
  for (const page of [GLOBAL_PAGE, GLOBAL_FAR_PAGE]) space.map(page, { global: true });
  for (const pcid of [OTHER, PCID]) {
    load(space, pcid);
    for (const page of [PAGE, FAR_PAGE, GLOBAL_PAGE, GLOBAL_FAR_PAGE]) space.access(page);
  }
  return space;
}

/** Asks a machine in the state `make` gives one thing: asking fills, so each asks a new one. */
function leftAfter(make: () => Space): Left {
  const cached = (pcid: number, page: number): boolean => {
    const space = make();
    load(space, pcid);
    return space.source(page) !== "walk";
  };
  const leads = (pcid: number, page: number): boolean => {
    const space = make();
    load(space, pcid);
    const before = space.machine.counters(0).walkLoads;
    space.access(page + 1);
    return space.machine.counters(0).walkLoads - before === 1;
  };
  return {
    page: cached(PCID, PAGE),
    farPage: cached(PCID, FAR_PAGE),
    globalPage: cached(PCID, GLOBAL_PAGE),
    globalFarPage: cached(PCID, GLOBAL_FAR_PAGE),
    otherPage: cached(OTHER, PAGE),
    otherFarPage: cached(OTHER, FAR_PAGE),
    path: leads(PCID, PAGE),
    otherPath: leads(OTHER, PAGE),
    farPath: leads(PCID, FAR_PAGE),
  };
}

const flush = (machine: Machine, pcid: number): void =>
  machine.writeCr3(0, { root: machine.root(0), pcid, keep: false });

const CASES: readonly {
  readonly what: string;
  readonly does: (machine: Machine) => void;
  readonly leaves: Left;
}[] = [
  { what: "nothing", does: () => undefined, leaves: ALL },
  {
    what: "MOV CR3 with bit 63",
    does: (machine) => machine.writeCr3(0, { root: machine.root(0), pcid: OTHER, keep: true }),
    leaves: ALL,
  },
  {
    what: "MOV CR3 of the current PCID",
    does: (machine) => flush(machine, PCID),
    leaves: { ...ALL, page: false, farPage: false, path: false, farPath: false },
  },
  {
    what: "MOV CR3 of another PCID",
    does: (machine) => flush(machine, OTHER),
    leaves: { ...ALL, otherPage: false, otherFarPage: false, otherPath: false },
  },
  {
    what: "INVLPG of a page",
    does: (machine) => machine.invlpg(0, pageNumber(PAGE)),
    leaves: { ...ALL, page: false, path: false, farPath: false },
  },
  {
    what: "INVLPG of a global page",
    does: (machine) => machine.invlpg(0, pageNumber(GLOBAL_PAGE)),
    leaves: { ...ALL, globalPage: false, path: false, farPath: false },
  },
  {
    what: "INVPCID 0 of a page in the current PCID",
    does: (machine) => invpcid(machine, 0, PCID, PAGE),
    leaves: { ...ALL, page: false, path: false },
  },
  {
    what: "INVPCID 0 of a page in another PCID",
    does: (machine) => invpcid(machine, 0, OTHER, PAGE),
    leaves: { ...ALL, otherPage: false, otherPath: false },
  },
  {
    what: "INVPCID 0 of a global page",
    does: (machine) => invpcid(machine, 0, PCID, GLOBAL_PAGE),
    leaves: ALL,
  },
  {
    what: "INVPCID 1 of another PCID",
    does: (machine) => invpcid(machine, 1, OTHER, 0),
    leaves: { ...ALL, otherPage: false, otherFarPage: false, otherPath: false },
  },
  {
    what: "INVPCID 2",
    does: (machine) => invpcid(machine, 2, 0, 0),
    leaves: NOTHING,
  },
  {
    what: "INVPCID 3",
    does: (machine) => invpcid(machine, 3, 0, 0),
    leaves: { ...NOTHING, globalPage: true, globalFarPage: true },
  },
  {
    what: "CR4.PGE off and on",
    does: (machine) => {
      machine.writeCr4(0, { globalPages: false, pcid: true });
      machine.writeCr4(0, { globalPages: true, pcid: true });
    },
    leaves: NOTHING,
  },
  {
    what: "CR4 written with what it has",
    does: (machine) => machine.writeCr4(0, { globalPages: true, pcid: true }),
    leaves: ALL,
  },
  {
    what: "CR4.PCIDE off and on",
    does: (machine) => {
      // PCIDs can be enabled again only while the PCID in CR3 is 0.
      machine.setRegisters(0, { cr3: machine.registers(0).cr3 & ~0xfffn });
      machine.writeCr4(0, { globalPages: true, pcid: false });
      machine.writeCr4(0, { globalPages: true, pcid: true });
    },
    leaves: NOTHING,
  },
];

function invpcid(machine: Machine, type: number, pcid: number, page: number): void {
  const descriptor = { pcid: BigInt(pcid), address: at(page) };
  expect(machine.invpcid(0, BigInt(type), descriptor)).toBeUndefined();
}

describe("what is left after", () => {
  for (const { what, does, leaves } of CASES) {
    test(what, () => {
      const make = (): Space => {
        const space = warm();
        does(space.machine);
        return space;
      };
      expect(leftAfter(make)).toEqual(leaves);
    });
  }
});

describe("without PCIDs", () => {
  test("MOV CR3 drops all but global translations, whatever bit 63 says", () => {
    for (const keep of [false, true]) {
      const space = new Space(MACHINE);
      space.machine.writeCr4(0, { globalPages: true, pcid: false });
      space.map(PAGE);
      space.map(GLOBAL_PAGE, { global: true });
      space.access(PAGE);
      space.access(GLOBAL_PAGE);
      space.machine.writeCr3(0, { root: space.tables.root, pcid: 0, keep });
      expect([space.source(PAGE), space.source(GLOBAL_PAGE)]).toEqual(["walk", "l1"]);
    }
  });

  test("the global bit of an entry means nothing while CR4.PGE is 0", () => {
    const space = new Space(MACHINE);
    space.map(GLOBAL_PAGE, { global: true });
    space.access(GLOBAL_PAGE);
    space.machine.writeCr3(0, { root: space.tables.root, pcid: 0, keep: false });
    expect(space.source(GLOBAL_PAGE)).toBe("walk");
  });
});

describe("large pages and levels", () => {
  test("INVLPG of any address of a large page drops its entry", () => {
    const space = new Space(MACHINE);
    space.map(0x400, { size: "2M", frame: frameNumber(0x400) });
    space.map(0x4_0000, { size: "1G", frame: frameNumber(0x4_0000) });
    for (const page of [0x400, 0x4_0000]) {
      space.access(page);
      space.machine.invlpg(0, pageNumber(page + 0x123));
      expect(space.source(page)).toBe("walk");
    }
  });

  test("an eviction from the first level leaves the second, which refills the first", () => {
    const space = new Space(MACHINE);
    for (let index = 0; index < 5; index++) space.map(PAGE + index * 16);
    for (let index = 0; index < 5; index++) space.access(PAGE + index * 16);
    expect([space.source(PAGE), space.source(PAGE)]).toEqual(["l2", "l1"]);
  });

  test("a page size that the second level lacks is walked for when the first has lost it", () => {
    const second = [{ ...TLB.secondLevelData[0]!, pageSizes: ["4K"] as const }];
    const space = new Space(machineWithTlb({ secondLevelData: second }));
    for (let index = 0; index < 5; index++) {
      const page = (1 + index * 8) * 512;
      space.map(page, { size: "2M", frame: frameNumber(page) });
      space.access(page);
    }
    expect(space.source(512)).toBe("walk");
  });

  test("fetches and loads have first levels of their own and share the second", () => {
    const space = new Space(MACHINE);
    space.map(PAGE);
    expect(space.source(PAGE)).toBe("walk");
    expect(space.source(PAGE, "execute")).toBe("l2");
    expect(space.source(PAGE, "execute")).toBe("l1");
  });
});

test("a PCID beyond those tracked drops the one loaded longest ago", () => {
  const space = new Space(machineWithTlb({ pcidsTracked: 2 }));
  space.machine.writeCr4(0, { globalPages: true, pcid: true });
  space.map(PAGE);
  for (const pcid of [1, 2, 1, 3]) {
    load(space, pcid);
    space.access(PAGE);
  }
  load(space, 1);
  expect(space.source(PAGE)).toBe("l1");
  load(space, 2);
  expect(space.source(PAGE)).toBe("walk");
});

test("a first level that is kept per PCID refills from the second after a switch and back", () => {
  const space = new Space(machineWithTlb({ firstLevelDataPerPcid: true }));
  space.machine.writeCr4(0, { globalPages: true, pcid: true });
  space.map(PAGE);
  space.map(GLOBAL_PAGE, { global: true });
  for (const page of [PAGE, GLOBAL_PAGE]) space.access(page);
  load(space, 1);
  load(space, 0);
  expect([space.source(PAGE), space.source(GLOBAL_PAGE)]).toEqual(["l2", "l1"]);
});

test("INVPCID refuses an address that is not canonical outside 64-bit mode as well", () => {
  const { machine } = new Space(MACHINE);
  machine.setRegisters(0, { cr0: 0x8000_0011n, cr4: 0n, efer: 0n });
  const refused = { vector: 13, errorCode: 0 };
  expect(machine.invpcid(0, 0n, { pcid: 0n, address: 1n << 47n })).toEqual(refused);
  expect(machine.invpcid(0, 1n, { pcid: 0n, address: 1n << 47n })).toBeUndefined();
  machine.setRegisters(0, { cr4: 1n << 12n });
  expect(machine.invpcid(0, 0n, { pcid: 0n, address: 1n << 47n })).toBeUndefined();
});
