// The legality checker in both directions: what a processor may still do, and what it may not.

import { describe, expect, test } from "vitest";
import { CR4 } from "../../../src/reference/registers.ts";
import {
  ELSEWHERE,
  FLAGS,
  GLOBAL,
  KEEP,
  LARGE,
  Ledger,
  NEIGHBOUR,
  NEW,
  OLD,
  OTHER_PTE,
  OTHER_ROOT,
  PAGE,
  PDE,
  PTE,
  ROOT,
} from "./ledger.ts";

type Deed = (the: Ledger) => void;

/** After the page's entry has been changed to another frame. */
const AFTER_CHANGE: readonly {
  readonly what: string;
  readonly does: Deed;
  readonly old: "legal" | "illegal";
}[] = [
  { what: "nothing else", does: () => {}, old: "legal" },
  { what: "INVLPG of the page", does: (the) => the.invlpg(PAGE + 5n), old: "illegal" },
  { what: "INVLPG of another page", does: (the) => the.invlpg(NEIGHBOUR), old: "legal" },
  {
    what: "INVLPG of an address that is not canonical",
    does: (the) => the.invlpg(PAGE | (1n << 60n)),
    old: "legal",
  },
  {
    what: "INVLPG of the page in another PCID",
    does: (the) => {
      the.cr3(ROOT | 2n);
      the.invlpg(PAGE);
      the.cr3(ROOT | KEEP);
    },
    old: "legal",
  },
  { what: "MOV to CR3", does: (the) => the.cr3(ROOT), old: "illegal" },
  { what: "MOV to CR3 that keeps", does: (the) => the.cr3(ROOT | KEEP), old: "legal" },
  {
    what: "MOV to CR3 of another PCID and back, keeping",
    does: (the) => {
      the.cr3(ROOT | 2n);
      the.cr3(ROOT | KEEP);
    },
    old: "legal",
  },
  { what: "INVPCID of the address", does: (the) => the.invpcid(0n), old: "illegal" },
  {
    what: "INVPCID of the address in another PCID",
    does: (the) => the.invpcid(0n, 2n),
    old: "legal",
  },
  { what: "INVPCID of the PCID", does: (the) => the.invpcid(1n), old: "illegal" },
  { what: "INVPCID of another PCID", does: (the) => the.invpcid(1n, 2n), old: "legal" },
  { what: "INVPCID of everything", does: (the) => the.invpcid(2n), old: "illegal" },
  { what: "INVPCID of all but globals", does: (the) => the.invpcid(3n), old: "illegal" },
  { what: "CR4.PGE toggled", does: (the) => the.cr4(CR4.PGE), old: "illegal" },
  { what: "CR4.SMEP set", does: (the) => the.cr4(CR4.SMEP), old: "illegal" },
  { what: "CR4.SMAP set", does: (the) => the.cr4(CR4.SMAP), old: "legal" },
  { what: "CR4.PCIDE cleared", does: (the) => the.cr4(CR4.PCIDE), old: "illegal" },
];

describe("the old frame of a changed entry", () => {
  test.each(AFTER_CHANGE)("after $what is $old", ({ does, old }) => {
    const the = new Ledger();
    the.write(PTE, NEW | FLAGS);
    does(the);
    expect(the.reaches(OLD)).toBe(old);
    expect(the.reaches(NEW)).toBe("legal");
  });
});

const AFTER_GLOBAL_CHANGE: typeof AFTER_CHANGE = [
  { what: "nothing else", does: () => {}, old: "legal" },
  { what: "MOV to CR3", does: (the) => the.cr3(ROOT), old: "legal" },
  { what: "MOV to CR3 of another PCID", does: (the) => the.cr3(ROOT | 2n), old: "legal" },
  { what: "INVPCID of the address", does: (the) => the.invpcid(0n), old: "legal" },
  { what: "INVPCID of the PCID", does: (the) => the.invpcid(1n), old: "legal" },
  { what: "INVPCID of all but globals", does: (the) => the.invpcid(3n), old: "legal" },
  { what: "INVPCID of everything", does: (the) => the.invpcid(2n), old: "illegal" },
  { what: "INVLPG of the page", does: (the) => the.invlpg(PAGE), old: "illegal" },
  {
    what: "INVLPG of the page in another PCID",
    does: (the) => {
      the.cr3(ROOT | 2n);
      the.invlpg(PAGE);
    },
    old: "illegal",
  },
  {
    what: "CR4.PGE toggled twice",
    does: (the) => {
      the.cr4(CR4.PGE);
      the.cr4(CR4.PGE);
    },
    old: "illegal",
  },
];

describe("the old frame of a changed global entry", () => {
  test.each(AFTER_GLOBAL_CHANGE)("after $what is $old", ({ does, old }) => {
    const the = new Ledger();
    the.write(PTE, OLD | FLAGS | GLOBAL);
    the.invpcid(2n);
    the.write(PTE, NEW | FLAGS | GLOBAL);
    does(the);
    expect(the.reaches(OLD)).toBe(old);
    expect(the.reaches(NEW)).toBe("legal");
  });
});

describe("what was never so", () => {
  test("a frame that no entry named is illegal", () => {
    expect(new Ledger().reaches(0x30_0000n)).toBe("illegal");
  });

  test("a translation of another PCID is illegal, and legal when it is global", () => {
    for (const [global, said] of [
      [0n, "illegal"],
      [GLOBAL, "legal"],
    ] as const) {
      const the = new Ledger();
      the.write(PTE, OLD | FLAGS | global);
      the.write(OTHER_PTE, NEW | FLAGS);
      the.cr3(OTHER_ROOT | 2n);
      expect([the.reaches(NEW), the.reaches(OLD)]).toEqual(["legal", said]);
    }
  });

  test("an entry that was not present is not cached", () => {
    const the = new Ledger();
    the.write(PTE, 0n);
    the.invlpg(PAGE);
    the.write(PTE, NEW | FLAGS);
    expect([the.faults(4), the.reaches(NEW)]).toEqual(["illegal", "legal"]);
  });

  test("an entry with a reserved bit is not cached", () => {
    const the = new Ledger();
    the.write(PDE, 0x20_2000n | LARGE | FLAGS);
    the.invlpg(PAGE);
    expect(the.faults(0xd)).toBe("legal");
    the.write(PDE, NEW | LARGE | FLAGS);
    expect([the.faults(0xd), the.reaches(NEW)]).toEqual(["illegal", "legal"]);
  });
});

describe("rights", () => {
  test("that were taken away may still be granted, until the page is invalidated", () => {
    const the = new Ledger();
    the.write(PTE, (OLD | FLAGS) & ~4n);
    expect([the.reaches(OLD), the.faults(5)]).toEqual(["legal", "legal"]);
    the.invlpg(PAGE);
    expect([the.reaches(OLD), the.faults(5)]).toEqual(["illegal", "legal"]);
  });

  test("that were given may still be refused, once: a fault at the page drops them", () => {
    const the = new Ledger();
    the.write(PTE, (OLD | FLAGS) & ~4n);
    the.invlpg(PAGE);
    the.write(PTE, OLD | FLAGS);
    expect(the.faults(5)).toBe("legal");
    expect([the.faults(5), the.reaches(OLD)]).toEqual(["illegal", "legal"]);
  });
});

describe("paging-structure caches", () => {
  /** The table above the page is replaced, and then the old one changes. */
  const replaced = (between: Deed): Ledger => {
    const the = new Ledger();
    the.write(OTHER_PTE, NEW | FLAGS);
    the.write(PDE, 0x8000n | FLAGS);
    between(the);
    the.write(PTE, 0x30_0000n | FLAGS);
    return the;
  };

  test("a replaced table may still be walked", () => {
    const the = replaced(() => {});
    const reached = [OLD, NEW, 0x30_0000n].map((frame) => the.reaches(frame));
    expect(reached).toEqual(["legal", "legal", "legal"]);
  });

  test("INVLPG of any page drops them all, but no other page's translation", () => {
    const after = replaced((ledger) => ledger.invlpg(ELSEWHERE));
    const reached = [OLD, NEW, 0x30_0000n].map((frame) => after.reaches(frame));
    expect(reached).toEqual(["legal", "legal", "illegal"]);
  });

  test("INVPCID of an address drops those that are used for it", () => {
    const same = replaced((ledger) => ledger.invpcid(0n, 0n, NEIGHBOUR));
    expect(same.reaches(0x30_0000n)).toBe("illegal");
    const other = replaced((ledger) => ledger.invpcid(0n, 0n, ELSEWHERE));
    expect(other.reaches(0x30_0000n)).toBe("legal");
  });

  test("INVLPG of one address of a large page drops all of it", () => {
    const the = new Ledger();
    the.write(PDE, OLD | LARGE | FLAGS);
    the.invlpg(PAGE);
    the.write(PDE, 0x40_0000n | LARGE | FLAGS);
    the.invlpg(PAGE + 0x12_3000n);
    expect(the.reaches(OLD)).toBe("illegal");
  });
});

describe("accessed and dirty flags", () => {
  const UNTOUCHED = OLD | (FLAGS & ~0x60n);

  const untouched = (): Ledger => {
    const the = new Ledger();
    the.write(PTE, UNTOUCHED);
    the.invpcid(2n);
    return the;
  };

  test("A must be set in the leaf that was used, and D after a write", () => {
    for (const [kind, flags, said] of [
      ["read", 0n, "illegal"],
      ["read", 0x20n, "legal"],
      ["write", 0x20n, "illegal"],
      ["write", 0x60n, "legal"],
    ] as const) {
      const the = untouched();
      the.touch(PTE, UNTOUCHED | flags);
      expect(the.answer({ reached: { physical: OLD } }, kind), `${kind} ${flags}`).toBe(said);
    }
  });

  test("flags that software cleared without invalidation need not be set again", () => {
    const the = new Ledger();
    the.write(PTE, UNTOUCHED);
    expect(the.answer({ reached: { physical: OLD } }, "write")).toBe("legal");
  });

  test("only what the access uses may be changed, and only A and D", () => {
    const changes: readonly (readonly [bigint, bigint, string])[] = [
      [PTE, UNTOUCHED | 0x20n, "legal"],
      [PTE, UNTOUCHED | 0x60n, "illegal"],
      [PTE, UNTOUCHED | 0x220n, "illegal"],
      [PTE, (UNTOUCHED | 0x20n) & ~2n, "illegal"],
      [OTHER_PTE, UNTOUCHED | 0x20n, "illegal"],
    ];
    for (const [at, value, said] of changes) {
      const the = untouched();
      the.write(OTHER_PTE, UNTOUCHED);
      the.touch(PTE, UNTOUCHED | 0x20n);
      the.touch(at, value);
      expect(the.reaches(OLD), value.toString(16)).toBe(said);
    }
  });
});
