// Defects that emulators of x86 paging are known for, each named for its symptom: sizes of pages,
// accessed and dirty flags, addresses that wrap or cross a page.

import { describe, expect, test } from "vitest";
import { A, ALL, D, P, PS, RW, US, XD } from "../reference/space.ts";
import { machineWith } from "../machine/describe.ts";
import { Lab } from "../machine/lab.ts";

const PSE = 1n << 4n;
const GLOBAL = 1n << 8n;
const PAGE = 0x1234_5000n;
const FRAME = 0x77_7000n;

describe("accessed and dirty flags", () => {
  test.each(["32-bit", "PAE", "4-level", "5-level"] as const)(
    "in %s mode the leaf gets A from a read and D from a write, in memory",
    (mode) => {
      const lab = new Lab(mode);
      lab.map(PAGE, { entry: FRAME });
      lab.access("read", PAGE);
      expect(lab.entry(PAGE)).toBe(FRAME | ALL | A);
      lab.access("write", PAGE);
      expect(lab.entry(PAGE)).toBe(FRAME | ALL | A | D);
      expect(lab.entry(PAGE, 2) & (A | D)).toBe(A);
    },
  );

  test("a leaf of each large size gets them too", () => {
    for (const [mode, level] of [
      ["32-bit", 2],
      ["PAE", 2],
      ["4-level", 2],
      ["4-level", 3],
    ] as const) {
      const lab = new Lab(mode);
      lab.map(PAGE, { entry: 1n << 30n, level });
      lab.access("write", PAGE);
      expect(lab.entry(PAGE, level)).toBe((1n << 30n) | ALL | PS | A | D);
    }
  });

  test("a 32-bit entry's neighbour is not written", () => {
    const lab = new Lab("32-bit");
    lab.map(PAGE, { entry: FRAME });
    lab.put(PAGE + 0x1000n, 1, 0xffff_ffffn);
    lab.access("write", PAGE);
    expect(lab.entry(PAGE + 0x1000n)).toBe(0xffff_ffffn);
    lab.put(PAGE - 0x1000n, 1, 0n);
    expect(lab.entry(PAGE)).toBe(FRAME | ALL | A | D);
  });

  test("D is set once: a second write to a cached dirty page walks no more", () => {
    const lab = new Lab("4-level");
    lab.map(PAGE, { entry: FRAME });
    const sources = (["read", "write", "write"] as const).map((kind) => lab.source(kind, PAGE));
    expect(sources).toEqual(["walk", "walk", "l1"]);
    lab.put(PAGE, 1, FRAME | ALL);
    expect(lab.source("write", PAGE)).toBe("l1");
    expect(lab.entry(PAGE)).toBe(FRAME | ALL);
  });

  test("a first write through a cached read goes by the entry as it is now", () => {
    const lab = new Lab("4-level");
    lab.map(PAGE, { entry: FRAME });
    lab.access("read", PAGE);
    lab.put(PAGE, 1, 0n);
    expect(lab.source("write", PAGE)).toEqual([14, 2]);
    lab.map(PAGE, { entry: FRAME });
    lab.access("read", PAGE);
    lab.map(PAGE, { entry: FRAME + 0x1000n });
    expect(lab.access("write", PAGE)).toMatchObject({ physical: FRAME + 0x1000n });
    expect(lab.access("read", PAGE)).toMatchObject({ physical: FRAME + 0x1000n, source: "l1" });
  });

  test("a page that became global or large before its first write is cached once", () => {
    for (const level of [1, 2]) {
      const structureCaches = { pml5e: 0, pml4e: 0, pdpte: 0, pde: 0 };
      const description = machineWith({ structureCaches });
      const lab = new Lab("4-level", { registers: { cr4: 0xa0n }, description });
      lab.map(PAGE, { entry: FRAME });
      lab.access("read", PAGE);
      lab.map(PAGE, { entry: level === 1 ? 0x5000n | GLOBAL : 1n << 30n, level });
      const physical = level === 1 ? 0x5000n : (1n << 30n) | (PAGE & 0x1f_ffffn);
      expect(lab.access("write", PAGE)).toMatchObject({ physical });
      expect(lab.access("read", PAGE)).toMatchObject({ physical, source: "l1" });
      lab.machine.invlpgAddress(0, PAGE);
      expect(lab.source("read", PAGE)).toBe("walk");
    }
  });

  test("D is known to the second level: a write after an eviction walks no more", () => {
    const lab = new Lab("4-level");
    const pages = Array.from({ length: 5 }, (_, index) => PAGE + BigInt(index * 16) * 0x1000n);
    for (const page of pages) lab.map(page, { entry: FRAME });
    for (const page of pages) for (const kind of ["read", "write"] as const) lab.access(kind, page);
    expect(lab.source("write", PAGE)).toBe("l2");
    expect(lab.source("write", PAGE)).toBe("l1");
  });

  test("a refused access leaves the leaf alone and marks the path", () => {
    const lab = new Lab("4-level");
    lab.map(PAGE, { entry: FRAME | P, exact: true });
    expect(lab.source("write", PAGE)).toEqual([14, 3]);
    expect(lab.entry(PAGE)).toBe(FRAME | P);
    for (const level of [2, 3, 4]) expect(lab.entry(PAGE, level) & (A | D)).toBe(A);
  });
});

describe("page sizes", () => {
  test("a 1G page translates 30 bits, and fills one entry", () => {
    const lab = new Lab("4-level");
    lab.map(0x4000_0000n, { entry: 7n << 30n, level: 3 });
    expect(lab.access("read", 0x7fff_fff8n)).toMatchObject({
      physical: (7n << 30n) | 0x3fff_fff8n,
    });
    expect(lab.source("read", 0x4000_0000n)).toBe("l1");
  });

  test("without 1G pages PS of a PDPTE is reserved", () => {
    const lab = new Lab("4-level", { features: { gigabytePages: false } });
    lab.map(0x4000_0000n, { entry: 7n << 30n, level: 3 });
    expect(lab.source("read", 0x4000_0000n)).toEqual([14, 9]);
  });

  test("a 4M page translates 22 bits, cached too, and INVLPG of its upper half drops it", () => {
    const lab = new Lab("32-bit");
    lab.map(0x0080_0000n, { entry: 0x1fc0_0000n, level: 2 });
    expect(lab.access("read", 0x0080_1234n)).toMatchObject({ physical: 0x1fc0_1234n });
    expect(lab.access("read", 0x00bf_fff8n)).toMatchObject({
      physical: 0x1fff_fff8n,
      source: "l1",
    });
    lab.machine.invlpgAddress(0, 0x00a0_0000n);
    expect(lab.source("read", 0x0080_1234n)).toBe("walk");
  });

  test("PSE-36: bits 20:13 of a 4M page's entry are its address bits 39:32", () => {
    for (let bit = 13n; bit <= 20n; bit++) {
      const lab = new Lab("32-bit");
      lab.map(0n, { entry: (1n << bit) | (3n << 22n), level: 2 });
      expect(lab.access("read", 0x12_3450n)).toMatchObject({
        physical: (1n << (bit + 19n)) | (3n << 22n) | 0x12_3450n,
      });
    }
  });

  test("PSE-36 with 36 address bits reserves bits 21:17, and bit 21 is always reserved", () => {
    const reserved = (physicalAddressBits: number): readonly bigint[] =>
      [12n, 13n, 16n, 17n, 20n, 21n].filter((bit) => {
        const lab = new Lab("32-bit", { features: { physicalAddressBits } });
        lab.map(0n, { entry: 1n << bit, level: 2 });
        return lab.access("read", 0n).fault?.errorCode === 9;
      });
    expect(reserved(36)).toEqual([17n, 20n, 21n]);
    expect(reserved(46)).toEqual([21n]);
  });

  test("without CR4.PSE the PS flag of a PDE is ignored", () => {
    const lab = new Lab("32-bit", { registers: { cr4: 0n } });
    lab.map(PAGE, { entry: FRAME });
    lab.put(PAGE, 2, lab.entry(PAGE, 2) | PS);
    expect(lab.access("read", PAGE)).toMatchObject({ physical: FRAME });
    lab.change("cr4", PSE);
    expect(lab.access("read", PAGE)).not.toMatchObject({ physical: FRAME });
  });

  test("bit 12 of a large page's entry is no part of its address", () => {
    const lab = new Lab("4-level");
    lab.map(PAGE, { entry: (1n << 30n) | 0x1000n, level: 2 });
    expect(lab.access("read", PAGE)).toMatchObject({ physical: (1n << 30n) | (PAGE & 0x1f_ffffn) });
  });
});

describe("accesses across a page", () => {
  const second = PAGE + 0x1000n;
  const across = (lab: Lab, kind: "read" | "write" | "execute", changed = {}) =>
    lab.access(kind, second - 4n, { bytes: 8, ...changed });

  test("go to two places", () => {
    const lab = new Lab("4-level");
    lab.map(PAGE, { entry: FRAME });
    lab.map(second, { entry: 0x5000n });
    expect(across(lab, "read")).toMatchObject({
      physical: FRAME + 0xffcn,
      secondPhysical: 0x5000n,
    });
    expect(lab.access("read", second - 8n, { bytes: 8 })).not.toHaveProperty("secondPhysical");
  });

  test("fault at the second page with its address and code, the first having its flags", () => {
    const lab = new Lab("4-level");
    lab.map(PAGE, { entry: FRAME });
    expect(across(lab, "write", { user: true }).fault).toEqual({
      vector: 14,
      errorCode: 6,
      address: second,
    });
    expect(lab.entry(PAGE)).toBe(FRAME | ALL | A | D);
  });

  test("fault at the first page without a look at the second", () => {
    const lab = new Lab("4-level");
    lab.map(second, { entry: FRAME });
    expect(across(lab, "write").fault).toEqual({ vector: 14, errorCode: 2, address: second - 4n });
    expect(lab.entry(second)).toBe(FRAME | ALL);
  });

  test("count as an access of each page", () => {
    const lab = new Lab("4-level");
    lab.map(PAGE, { entry: FRAME });
    lab.map(second, { entry: 0x5000n });
    across(lab, "read");
    across(lab, "read");
    expect(lab.machine.counters(0)).toMatchObject({ accesses: 4, walks: 2, l1Hits: 2, l2Hits: 0 });
  });

  test("need every right on both: a fetch that ends on an XD page", () => {
    const lab = new Lab("4-level");
    lab.map(PAGE, { entry: FRAME });
    lab.map(second, { entry: 0x5000n | XD | P | RW | US, exact: true });
    expect(across(lab, "execute").fault).toEqual({ vector: 14, errorCode: 17, address: second });
    expect(lab.access("execute", second - 4n, { bytes: 4 }).fault).toBeUndefined();
    expect(lab.access("execute", second - 1n, { bytes: 1 }).fault).toBeUndefined();
    expect(lab.source("execute", second - 1n, { bytes: 2 })).toEqual([14, 17]);
  });

  test.each(["none", "32-bit", "PAE"] as const)("wrap at 4 GiB in %s mode", (mode) => {
    const lab = new Lab(mode);
    const top = 0xffff_f000n;
    if (mode !== "none") {
      lab.map(top, { entry: FRAME });
      lab.map(0n, { entry: 0x5000n });
    }
    const [physical, secondPhysical] =
      mode === "none" ? [0xffff_fffen, 0n] : [FRAME | 0xffen, 0x5000n];
    expect(lab.access("read", 0xffff_fffen)).toMatchObject({ physical, secondPhysical });
    expect(lab.access("read", 0x7_0000_0000n)).toMatchObject({ physical: secondPhysical });
  });

  test("of the highest byte wrap to address 0 in 64-bit mode", () => {
    const lab = new Lab("4-level");
    lab.map(0xffff_ffff_ffff_f000n, { entry: FRAME });
    lab.map(0n, { entry: 0x5000n });
    expect(lab.access("read", 0xffff_ffff_ffff_fffen)).toMatchObject({ secondPhysical: 0x5000n });
  });
});
