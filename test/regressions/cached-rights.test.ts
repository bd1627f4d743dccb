// Defects that emulators of TLBs are known for, each named for its symptom: what a hit must still
// look at, what a tag must tell apart, and what a fault must leave alone.

import { describe, expect, test } from "vitest";
import { pageNumber } from "../../src/base/address.ts";
import { userStream } from "../../src/machine/stream.ts";
import { ALL, P, PAE, RW, US, WP, XD } from "../reference/space.ts";
import { Lab } from "../machine/lab.ts";

const PAGE = 0x1234_5000n;
const FRAME = 0x77_7000n;
const SMEP = 1n << 20n;
const SMAP = 1n << 21n;
const PKE = 1n << 22n;
const PKS = 1n << 24n;
const PCIDE = 1n << 17n;
const LA57 = 1n << 12n;
const NXE = 1n << 11n;
const KEEP = 1n << 63n;

/** A page with these flags, cached by reads and, if it may be, by a fetch. */
function cached(flags: bigint, cr4 = 0n): Lab {
  const lab = new Lab("4-level", { registers: { cr4: PAE | cr4 } });
  lab.map(PAGE, { entry: FRAME | flags, exact: true });
  lab.access("read", PAGE, { alignmentCheck: true });
  if ((flags & XD) === 0n) lab.access("execute", PAGE);
  return lab;
}

describe("a hit still checks", () => {
  test("XD, though a read brought the entry", () => {
    expect(cached(P | US | XD).source("execute", PAGE, { user: true })).toEqual([14, 21]);
  });
  test("EFER.NXE as it is now", () => {
    const lab = cached(P | US | XD);
    lab.set({ efer: lab.registers.efer & ~NXE });
    expect(lab.source("execute", PAGE)).toBe("l2");
    expect(lab.change("efer", NXE)).toBeUndefined();
    expect(lab.source("execute", PAGE)).toEqual([14, 17]);
  });
  test("R/W, and CR0.WP as it is now", () => {
    const lab = cached(P | US | (1n << 6n));
    expect(lab.change("cr0", 0n, WP)).toBeUndefined();
    expect(lab.source("write", PAGE)).toBe("l1");
    expect(lab.change("cr0", WP)).toBeUndefined();
    expect(lab.source("write", PAGE)).toEqual([14, 3]);
  });
  test("U/S of a page that the supervisor brought", () => {
    expect(cached(P | RW).source("read", PAGE, { user: true })).toEqual([14, 5]);
  });
  test("U/S of a page that the user brought", () => {
    const lab = cached(ALL);
    lab.access("read", PAGE, { user: true });
    expect(lab.source("read", PAGE)).toBe("l1");
  });
  test("CR4.SMAP as it is now, and RFLAGS.AC", () => {
    const lab = cached(ALL);
    lab.change("cr4", SMAP);
    expect(lab.source("read", PAGE, { alignmentCheck: true })).toBe("l1");
    expect(lab.source("read", PAGE, { alignmentCheck: true, implicit: true })).toEqual([14, 1]);
    lab.access("read", PAGE, { alignmentCheck: true });
    expect(lab.source("read", PAGE)).toEqual([14, 1]);
    lab.access("read", PAGE, { alignmentCheck: true });
    lab.change("cr4", 0n, SMAP);
    expect(lab.source("read", PAGE)).toBe("l1");
  });
  test("CR4.SMEP as it is now", () => {
    const lab = cached(ALL, SMEP);
    expect(lab.source("execute", PAGE)).toEqual([14, 17]);
    lab.change("cr4", 0n, SMEP);
    lab.access("execute", PAGE);
    lab.set({ cr4: lab.registers.cr4 | SMEP });
    expect(lab.source("execute", PAGE)).toEqual([14, 17]);
  });
  test.each([
    ["user", PKE, US, "pkru"],
    ["supervisor", PKS, 0n, "pkrs"],
  ] as const)("the key of a %s page with the rights of now", (_, enable, user, register) => {
    const lab = cached(P | RW | user | (5n << 59n) | (1n << 6n), enable);
    expect(lab.write(register, 1n << 10n)).toBeUndefined();
    expect(lab.source("read", PAGE)).toEqual([14, 33]);
    lab.write(register, 0n);
    lab.access("read", PAGE);
    lab.write(register, 2n << 10n);
    expect(lab.source("read", PAGE)).toBe("l1");
    expect(lab.source("execute", PAGE)).toBe("l2");
    expect(lab.source("write", PAGE)).toEqual([14, 35]);
    lab.access("read", PAGE);
    lab.write(register, 3n << 8n);
    expect(lab.source("write", PAGE)).toBe("l1");
    lab.set({ [register]: 3n << 10n });
    lab.change("cr4", 0n, enable);
    expect(lab.source("write", PAGE)).toBe("l1");
  });
});

describe("tags", () => {
  const tagged = (): Lab => {
    const lab = new Lab("4-level");
    lab.map(PAGE, { entry: FRAME });
    lab.change("cr4", PCIDE);
    lab.write("cr3", lab.root | 0x123n | KEEP);
    lab.access("read", PAGE);
    return lab;
  };

  test("INVLPG drops an entry of a PCID that is not 0", () => {
    const lab = tagged();
    lab.machine.invlpgAddress(0, PAGE);
    expect(lab.source("read", PAGE)).toBe("walk");
  });

  test("CR3 with bit 63 set keeps entries, and is stored without it", () => {
    const lab = tagged();
    expect(lab.write("cr3", lab.root | 0x123n | KEEP)).toBeUndefined();
    expect(lab.source("read", PAGE)).toBe("l1");
    expect(lab.registers.cr3).toBe(lab.root | 0x123n);
  });

  test("PCIDs that differ in any bit have entries of their own", () => {
    for (let bit = 0n; bit < 12n; bit++) {
      const lab = tagged();
      lab.write("cr3", lab.root | (0x123n ^ (1n << bit)) | KEEP);
      expect(lab.source("read", PAGE)).toBe("walk");
    }
  });

  test.each([
    ["4-level", 47n],
    ["5-level", 56n],
  ] as const)(
    "in %s mode addresses that differ in any bit have entries of their own",
    (mode, top) => {
      const addresses = [PAGE];
      const sign = (1n << 64n) - (1n << (top + 1n));
      for (let bit = 12n; bit <= top; bit++) {
        const flipped = PAGE ^ (1n << bit);
        addresses.push(bit === top ? flipped | sign : flipped);
      }
      const lab = new Lab(mode, { registers: { cr4: PAE | (mode === "5-level" ? LA57 : 0n) } });
      addresses.forEach((address, index) => lab.map(address, { entry: BigInt(index + 64) << 12n }));
      lab.change("cr4", PCIDE);
      for (const pcid of [0xfffn, 0x800n, 1n]) {
        lab.write("cr3", lab.root | pcid | KEEP);
        expect(addresses.map((address) => lab.source("read", address))).not.toContain("l1");
        const reached = addresses.map((address) => lab.access("read", address));
        expect(reached).toMatchObject(
          addresses.map((_, index) => ({ physical: BigInt(index + 64) << 12n })),
        );
      }
    },
  );

  test("an access is counted once around a miss, a fault or a first write", () => {
    const lab = new Lab("4-level");
    lab.map(PAGE, { entry: FRAME | P | US | RW, exact: true });
    lab.access("read", PAGE);
    lab.access("write", PAGE);
    lab.access("execute", PAGE);
    lab.access("read", PAGE + 0x1000n);
    const counted = { accesses: 4, walks: 3, dirtyWalks: 1, l1Hits: 0, l2Hits: 1, faults: 1 };
    expect(lab.machine.counters(0)).toMatchObject(counted);
  });

  test("a hit in the second level that is refused is no hit in the first", () => {
    const lab = new Lab("4-level");
    lab.map(PAGE, { entry: FRAME | P | XD, exact: true });
    lab.access("read", PAGE);
    expect(lab.source("execute", PAGE)).toEqual([14, 17]);
    expect(lab.machine.counters(0)).toMatchObject({ accesses: 2, walks: 1, l1Hits: 0, l2Hits: 1 });
  });
});

describe("an address that is not canonical", () => {
  test.each([
    ["4-level", 47n],
    ["5-level", 56n],
  ] as const)("in %s mode is #GP, or #SS through SS, and drops nothing", (mode, top) => {
    const lab = new Lab(mode);
    lab.map(PAGE, { entry: FRAME });
    lab.access("read", PAGE);
    for (const address of [1n << top, PAGE | (1n << (top + 1n)), PAGE | (1n << 63n)]) {
      expect(lab.source("read", address)).toEqual([13, 0]);
      expect(lab.source("write", address, { stack: true })).toEqual([12, 0]);
      expect(lab.access("read", address).fault).not.toHaveProperty("address");
    }
    expect(lab.source("read", (1n << top) - 2n)).toEqual([13, 0]);
    expect(lab.source("read", (1n << 64n) - (1n << top) - 2n)).toEqual([13, 0]);
    expect(lab.source("read", PAGE)).toBe("l1");
  });

  test("does not exist outside long mode", () => {
    const lab = new Lab("PAE");
    lab.map(PAGE, { entry: FRAME });
    expect(lab.access("read", PAGE | (0x8000n << 32n))).toMatchObject({ physical: FRAME });
  });
});

test("a stream that wraps at 4 GiB does what single accesses do", () => {
  const pages = [0xf_fffen, 0xf_ffffn, 0n, 1n];
  const labs = [new Lab("32-bit"), new Lab("32-bit")] as const;
  for (const lab of labs)
    pages.forEach((page) => lab.map(page << 12n, { entry: FRAME + ((page << 12n) & 0xf000n) }));
  const stream = userStream({ base: pageNumber(0xf_fffe), elements: 4, accesses: 12 });
  labs[0].machine.runStream(0, stream, Infinity);
  for (let round = 0; round < 3; round++) {
    for (const page of pages) labs[1].access("read", page << 12n, { user: true });
  }
  const { walks, l1Hits, l2Hits } = labs[1].machine.counters(0);
  expect(labs[0].machine.counters(0)).toMatchObject({ walks, l1Hits, l2Hits });
});
