// Defects around control registers, each named for its symptom: PDPTE registers of PAE paging, and
// writes that are refused but leave something behind.

import { describe, expect, test } from "vitest";
import type { ControlRegister } from "../../src/base/architecture.ts";
import { ALL, P, PG } from "../reference/space.ts";
import { MACHINE } from "../machine/describe.ts";
import { Lab } from "../machine/lab.ts";

const PAGE = 0x4034_5000n;
const FRAME = 0x77_7000n;
const PCIDE = 1n << 17n;
const KEEP = 1n << 63n;
const GP = { vector: 13, errorCode: 0 };

function pae(): Lab {
  const lab = new Lab("PAE");
  lab.map(PAGE, { entry: FRAME });
  return lab;
}

describe("PDPTE registers", () => {
  test("are not read again by a walk, nor after INVLPG", () => {
    const lab = pae();
    lab.put(PAGE, 3, 0n);
    expect(lab.source("read", PAGE)).toBe("walk");
    lab.machine.invlpgAddress(0, PAGE);
    expect(lab.source("read", PAGE)).toBe("walk");
  });

  test("are read again by MOV CR3, also of the value that it has", () => {
    const lab = pae();
    lab.put(PAGE, 3, 0n);
    lab.write("cr3", lab.registers.cr3);
    expect(lab.source("read", PAGE)).toEqual([14, 0]);
  });

  test("are read again when CR0.NW changes by itself", () => {
    const lab = pae();
    const CD = 1n << 30n;
    lab.change("cr0", CD);
    lab.put(PAGE, 3, 0n);
    lab.write("cr0", lab.registers.cr0);
    expect(lab.source("read", PAGE)).toBe("walk");
    lab.change("cr0", CD >> 1n);
    lab.machine.invlpgAddress(0, PAGE);
    expect(lab.source("read", PAGE)).toEqual([14, 0]);
  });

  test("are found in 32 bytes anywhere below 4 GiB", () => {
    const lab = pae();
    const entry = lab.entry(PAGE, 3);
    lab.engine.writePhysical(0xffff_ffe8n, 8, entry);
    expect(lab.write("cr3", 0xffff_ffe0n)).toBeUndefined();
    expect(lab.access("read", PAGE)).toMatchObject({ physical: FRAME });
  });

  test("are four: what follows them is not checked", () => {
    const lab = pae();
    lab.engine.writePhysical(lab.root + 32n, 8, P | 2n);
    expect(lab.write("cr3", lab.root)).toBeUndefined();
  });

  test("one that is bad refuses MOV CR3 and leaves CR3, all four, the TLB and the clock", () => {
    const lab = pae();
    lab.access("read", PAGE);
    const { state } = lab;
    lab.engine.writePhysical(0x8000n, 8, lab.entry(PAGE, 2));
    lab.engine.writePhysical(0x8018n, 8, P | 2n);
    expect(lab.write("cr3", 0x8000n)).toEqual(GP);
    expect(lab.state).toEqual(state);
    expect(lab.source("read", PAGE)).toBe("l1");
    lab.machine.invlpgAddress(0, PAGE);
    expect(lab.access("read", PAGE)).toMatchObject({ physical: FRAME });
  });

  test("one that is bad refuses to turn paging on, which can be mended", () => {
    const lab = pae();
    const { cr0 } = lab.registers;
    lab.write("cr0", cr0 & ~PG);
    lab.engine.writePhysical(lab.root, 8, P | (1n << 8n));
    const { state } = lab;
    expect(lab.write("cr0", cr0)).toEqual(GP);
    expect(lab.state).toEqual(state);
    expect(lab.access("read", PAGE)).toMatchObject({ physical: PAGE });
    lab.engine.writePhysical(lab.root, 8, 0n);
    expect(lab.write("cr0", cr0)).toBeUndefined();
    expect(lab.access("read", PAGE)).toMatchObject({ physical: FRAME });
  });

  test("one that is bad refuses CR4.PAE, and paging goes on as it was", () => {
    const lab = new Lab("32-bit");
    lab.map(0x5000n, { entry: FRAME });
    const { state } = lab;
    expect(lab.change("cr4", 1n << 5n)).toEqual(GP);
    expect(lab.state).toEqual(state);
    expect(lab.access("read", 0x5000n)).toMatchObject({ physical: FRAME });
  });

  test("give no rights and take no A", () => {
    const lab = pae();
    expect(lab.source("write", PAGE, { user: true })).toBe("walk");
    expect(lab.entry(PAGE, 3) & 0xfffn).toBe(P);
  });

  test("are no part of paging with four levels, whose PDPTEs have rights", () => {
    const lab = new Lab("4-level");
    lab.map(PAGE, { entry: FRAME });
    lab.put(PAGE, 3, lab.entry(PAGE, 3) & ~4n);
    expect(lab.source("read", PAGE, { user: true })).toEqual([14, 5]);
  });
});

describe("CR3 locates the root", () => {
  test("by 32 bits with 32-bit paging", () => {
    const lab = new Lab("32-bit");
    lab.map(PAGE, { entry: FRAME });
    lab.set({ cr3: lab.root | (1n << 35n) });
    expect(lab.access("read", PAGE)).toMatchObject({ physical: FRAME });
  });

  test("by bit 51 too with 52 physical-address bits", () => {
    const lab = new Lab("4-level", { features: { physicalAddressBits: 52 } });
    lab.map(PAGE, { entry: FRAME });
    expect(lab.write("cr3", lab.root | (1n << 51n))).toBeUndefined();
    expect(lab.source("read", PAGE)).toEqual([14, 0]);
  });
});

describe("a write that is refused changes nothing at all:", () => {
  const WRITES: readonly (readonly [string, ControlRegister, (lab: Lab) => bigint])[] = [
    ["CR0.PG with PCIDE", "cr0", () => 0x33n],
    ["CR3 beyond MAXPHYADDR", "cr3", ({ root }) => root | (1n << 46n) | KEEP],
    ["a reserved bit of CR4 next to PGE", "cr4", ({ registers }) => registers.cr4 ^ 0x8080n],
    ["PAE of CR4 next to PGE", "cr4", ({ registers }) => registers.cr4 ^ 0xa0n],
    ["EFER.LME next to NXE", "efer", () => 0n],
    ["bit 32 of PKRS", "pkrs", () => 1n << 32n],
  ];
  test.each(WRITES)("%s", (_, register, value) => {
    const lab = new Lab("4-level");
    lab.map(PAGE, { entry: FRAME });
    lab.change("cr4", PCIDE);
    lab.write("cr3", lab.root | 9n | KEEP);
    lab.access("read", PAGE);
    const { state } = lab;
    expect(lab.write(register, value(lab))).toEqual(GP);
    expect(lab.state).toEqual(state);
    expect(lab.source("read", PAGE)).toBe("l1");
    expect(lab.machine.pcid(0)).toBe(9);
  });
});

test("an instruction that drops takes the cycles of its description", () => {
  const lab = new Lab("4-level", { registers: { cr4: 0x20n | PCIDE } });
  const cyclesOf = (does: () => unknown): number => {
    const before = lab.machine.now(0);
    does();
    return lab.machine.now(0) - before;
  };
  const descriptor = { pcid: 0n, address: 0n };
  const { writeCr3Flush, writeCr3NoFlush, writeCr4, invlpg, invpcid } = MACHINE.instruction;
  expect(cyclesOf(() => lab.write("cr3", lab.root))).toBe(writeCr3Flush);
  expect(cyclesOf(() => lab.write("cr3", lab.root | KEEP))).toBe(writeCr3NoFlush);
  expect(cyclesOf(() => lab.change("cr4", 0x80n))).toBe(writeCr4);
  expect(cyclesOf(() => lab.machine.invlpgAddress(0, PAGE))).toBe(invlpg);
  const types = [0n, 1n, 2n, 3n].map((type) => () => lab.machine.invpcid(0, type, descriptor));
  expect(types.map(cyclesOf)).toEqual(invpcid);
  const { cr3Writes, cr3Flushes, cr4Writes, invlpgs, invpcids } = lab.machine.counters(0);
  // Lab loads CR3 once by itself.
  expect([cr3Writes, cr3Flushes, cr4Writes, invlpgs, invpcids]).toEqual([3, 2, 1, 1, 4]);
});

describe("turning paging off and on", () => {
  test("translates nothing between, and nothing stale after", () => {
    const lab = new Lab("32-bit");
    lab.map(PAGE, { entry: FRAME });
    lab.access("read", PAGE);
    const { cr0 } = lab.registers;
    lab.write("cr0", cr0 & ~PG);
    expect(lab.access("write", PAGE)).toMatchObject({ physical: PAGE, source: "l1" });
    lab.put(PAGE, 1, 0x5000n | ALL);
    lab.write("cr0", cr0);
    expect(lab.access("read", PAGE)).toMatchObject({ physical: 0x5000n, source: "walk" });
  });

  test("changes how many levels the tables have", () => {
    const modes = ["none", "32-bit", "PAE", "4-level", "5-level"] as const;
    expect(modes.map((mode) => new Lab(mode).machine.levels)).toEqual([0, 2, 3, 4, 5]);
  });

  test("with EFER.LME set activates IA-32e mode, LMA included", () => {
    const lab = new Lab("none", { registers: { cr4: 0x20n, efer: 0x100n } });
    expect(lab.write("cr0", PG | 0x33n)).toBeUndefined();
    expect(lab.registers.efer).toBe(0x500n);
    expect(lab.source("read", 1n << 60n)).toEqual([13, 0]);
  });
});
