// The walk on real tables: page sizes, accessed and dirty bits, rights and their faults.

import { describe, expect, test } from "vitest";
import { frameNumber, pageNumber, virtualAddress } from "../../src/base/address.ts";
import {
  ACCESSED,
  DIRTY,
  entryOf,
  frameOfEntry,
  PAGE_SIZE,
  PRESENT,
} from "../../src/machine/page-table.ts";
import { MACHINE, machineWith } from "./describe.ts";
import { at, Space } from "./space.ts";

const space = (): Space => new Space(MACHINE);

describe("page sizes", () => {
  const CASES = [
    { size: "4K", page: 0x12345, frame: 0x777, offset: 0xabc },
    { size: "2M", page: 0x12345, frame: 0x600, offset: 0xabc },
    { size: "1G", page: 0x5_2345, frame: 0xc_0000, offset: 0xabc },
  ] as const;
  for (const { size, page, frame, offset } of CASES) {
    test(`a ${size} page translates every bit below its size from the address`, () => {
      const { machine, tables } = space();
      tables.map(pageNumber(page), { frame: frameNumber(frame), size, user: true });
      const span = { "4K": 1, "2M": 512, "1G": 512 * 512 }[size];
      const physical = BigInt(frame + (page % span)) * 4096n + BigInt(offset);
      for (const source of ["walk", "l1"]) {
        const result = machine.access(0, { address: at(page, offset), kind: "read", user: true });
        expect(result).toMatchObject({ physical, source });
      }
    });
  }

  test("a walk costs its start and one load for each level, cold and warm", () => {
    const s = space();
    s.map(0);
    s.map(1);
    const { walkCycles } = MACHINE.tlb;
    const dram = MACHINE.dramCycles.local;
    expect(s.access(0)).toMatchObject({ cycles: walkCycles + 4 * dram + dram });
    // The PDE cache leaves one load, of a line that the first walk brought to L1D.
    expect(s.access(1)).toMatchObject({ cycles: walkCycles + MACHINE.l1d.latencyCycles + dram });
  });

  test("with 5 levels bits 56:48 select the root's entry and more addresses are canonical", () => {
    const s = space();
    const address = virtualAddress(0x0012_3456_7890_0000n);
    expect(s.machine.access(0, { address: address, kind: "read", user: true })).toMatchObject({
      fault: { vector: 13 },
    });
    s.machine.setRegisters(0, { cr4: s.machine.registers(0).cr4 | (1n << 12n) });
    expect(s.machine.access(0, { address: address, kind: "read", user: true })).toMatchObject({
      fault: { vector: 14, errorCode: 4 },
    });
    s.map(0x123_4567_8900, { frame: frameNumber(7) });
    expect(s.access(0x123_4567_8900)).toMatchObject({ source: "walk" });
    expect(s.machine.counters(0).walkLoads).toBe(1 + 5);
  });
});

describe("accessed and dirty", () => {
  test("a read sets A in every entry of the path and not D", () => {
    const s = space();
    s.map(5);
    s.access(5);
    expect(s.tables.entryAt(pageNumber(5)) & (ACCESSED | DIRTY)).toBe(ACCESSED);
    let table = s.tables.root;
    for (let level = 4; level > 1; level--) {
      const entry = s.machine.readEntry(table, 0);
      expect(entry & (ACCESSED | DIRTY)).toBe(ACCESSED);
      table = frameOfEntry(entry);
    }
  });

  test("a write sets D, also when a read has cached the translation", () => {
    const s = space();
    s.map(5);
    s.access(5);
    expect(s.source(5, "write")).toBe("walk");
    expect(s.tables.entryAt(pageNumber(5)) & DIRTY).toBe(DIRTY);
    expect(s.source(5, "write")).toBe("l1");
  });

  test("a refused write sets neither A nor D in the leaf", () => {
    const s = space();
    s.map(5, { writable: false });
    expect(s.source(5, "write")).toBe("fault 7");
    expect(s.tables.entryAt(pageNumber(5)) & (ACCESSED | DIRTY)).toBe(0n);
  });
});

describe("faults", () => {
  const CASES = [
    { what: "not present, user read", change: null, kind: "read", user: true, code: 4 },
    { what: "not present, supervisor write", change: null, kind: "write", user: false, code: 2 },
    { what: "not present, fetch", change: null, kind: "execute", user: true, code: 20 },
    { what: "supervisor page", change: { user: false }, kind: "read", user: true, code: 5 },
    { what: "read-only page", change: { writable: false }, kind: "write", user: true, code: 7 },
    { what: "CR0.WP", change: { writable: false }, kind: "write", user: false, code: 3 },
    { what: "execute-disable", change: { noExecute: true }, kind: "execute", user: true, code: 21 },
  ] as const;
  for (const { what, change, kind, user, code } of CASES) {
    for (const cached of [false, true]) {
      test(`${what}${cached ? ", with the translation cached" : ""}`, () => {
        const s = space();
        if (change !== null) s.map(9, change);
        if (cached) s.access(9, "read", false);
        const fault = { errorCode: code, vector: 14, address: at(9, 8) };
        expect(s.machine.access(0, { address: at(9, 8), kind: kind, user: user })).toEqual({
          fault,
        });
      });
    }
  }

  test("rights are those that every level grants", () => {
    const s = space();
    s.map(9);
    s.machine.writeEntry(s.tables.root, 0, s.machine.readEntry(s.tables.root, 0) & ~2n);
    expect(s.source(9, "write")).toBe("fault 7");
    expect(s.source(9, "write", false)).toBe("fault 3");
    expect(s.source(9)).toBe("walk");
  });

  const RESERVED = [
    { what: "bit 46 of a PTE with 46 physical-address bits", level: 1, bits: 1n << 46n },
    { what: "bit 51 of a PDE", level: 2, bits: 1n << 51n },
    { what: "PS in a PML4E", level: 4, bits: PAGE_SIZE },
    { what: "bit 13 of a 2 MiB page", level: 2, bits: PAGE_SIZE | (1n << 13n) },
    { what: "bit 29 of a 1 GiB page", level: 3, bits: PAGE_SIZE | (1n << 29n) },
  ];
  for (const { what, level, bits } of RESERVED) {
    test(`reserved: ${what}`, () => {
      const s = space();
      s.map(9);
      let table = s.tables.root;
      for (let at = 4; at > level; at--) table = frameOfEntry(s.machine.readEntry(table, 0));
      const index = level === 1 ? 9 : 0;
      const frame = level === 1 || level === 4 ? 0x100 : 0;
      const entry = entryOf(frameNumber(frame), { user: true, writable: true }) | bits;
      s.machine.writeEntry(table, index, entry);
      expect(s.source(9, "write")).toBe("fault 15");
    });
  }

  test("reserved: bit 63 while EFER.NXE is 0, and a fetch then has no I/D", () => {
    const s = space();
    s.map(9, { noExecute: true });
    s.machine.setRegisters(0, { efer: s.machine.registers(0).efer & ~(1n << 11n) });
    expect(s.source(9, "execute")).toBe("fault 13");
  });

  test("with CR0.WP clear the supervisor writes to read-only pages", () => {
    const s = space();
    s.map(9, { writable: false });
    s.machine.setRegisters(0, { cr0: s.machine.registers(0).cr0 & ~(1n << 16n) });
    expect(s.source(9, "write", false)).toBe("walk");
    expect(s.source(9, "write", true)).toBe("fault 7");
  });

  test("an address that is not canonical is a general-protection fault", () => {
    const { machine } = space();
    for (const value of [0x0000_8000_0000_0000n, 0xffff_7fff_ffff_ffffn, 1n << 63n]) {
      const result = machine.access(0, {
        address: virtualAddress(value),
        kind: "read",
        user: true,
      });
      expect(result).toMatchObject({ fault: { vector: 13, errorCode: 0 } });
    }
  });

  test("the highest half is reached by sign-extended page numbers", () => {
    const s = space();
    const page = 0xf_ffff_8000_0123;
    s.map(page, { frame: frameNumber(0x321) });
    expect(s.access(page)).toMatchObject({ physical: 0x321_000n });
    expect(s.source(page)).toBe("l1");
    expect(s.machine.translate(s.tables.root, pageNumber(page)) & PRESENT).toBe(PRESENT);
  });

  test("a fault drops what would make it recur: the table may be mended without a flush", () => {
    const s = space();
    s.map(9, { writable: false });
    s.access(9);
    s.map(9);
    expect(s.source(9, "write")).toBe("fault 7");
    expect(s.source(9, "write")).toBe("walk");
  });
});

test("fewer physical-address bits reserve more", () => {
  const s = new Space(machineWith({ paging: { ...MACHINE.paging, physicalAddressBits: 36 } }));
  s.map(9, { frame: frameNumber(1 << 24) });
  expect(s.source(9)).toBe("fault 13");
});
