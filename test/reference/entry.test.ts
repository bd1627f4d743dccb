// Reserved bits of every entry, bit by bit, against the tables of SDM 3A 4.3 to 4.5.

import { describe, expect, test } from "vitest";
import type { ControlRegisters, PagingFeatures } from "../../src/base/architecture.ts";
import {
  access,
  ALL,
  boot,
  map,
  type Mode,
  P,
  PAE,
  PG,
  PS,
  tableOf,
  entryAddress,
  entryBytes,
  LME,
  LMA,
} from "./space.ts";

const ADDRESS = 0x1234_5678n;

interface Row {
  readonly entry: string;
  readonly mode: Mode;
  readonly level: number;
  /** PS of the entry under test. */
  readonly large?: true;
  readonly features?: Partial<PagingFeatures>;
  readonly registers?: Partial<ControlRegisters>;
  /** Ranges high:low of reserved bits. */
  readonly reserved: readonly (readonly [number, number])[];
}

const NX_OFF = { efer: LME | LMA };
const AMD = { vendor: "amd" } as const;

/** MAXPHYADDR is 46 unless the row says otherwise. */
const ROWS: readonly Row[] = [
  // SDM 3A table 4-14, 4-15: PML5E and PML4E. APM 2: bit 8 must be zero as well.
  {
    entry: "PML5E",
    mode: "5-level",
    level: 5,
    reserved: [
      [51, 46],
      [7, 7],
    ],
  },
  {
    entry: "PML5E on AMD",
    mode: "5-level",
    level: 5,
    features: AMD,
    reserved: [
      [51, 46],
      [8, 7],
    ],
  },
  {
    entry: "PML4E under a PML5E",
    mode: "5-level",
    level: 4,
    reserved: [
      [51, 46],
      [7, 7],
    ],
  },
  {
    entry: "PML4E",
    mode: "4-level",
    level: 4,
    reserved: [
      [51, 46],
      [7, 7],
    ],
  },
  {
    entry: "PML4E on AMD",
    mode: "4-level",
    level: 4,
    features: AMD,
    reserved: [
      [51, 46],
      [8, 7],
    ],
  },
  {
    entry: "PML4E without NXE",
    mode: "4-level",
    level: 4,
    registers: NX_OFF,
    reserved: [
      [63, 63],
      [51, 46],
      [7, 7],
    ],
  },
  // Table 4-16, 4-17: PDPTE that maps a 1-GByte page, PDPTE that references a page directory.
  {
    entry: "PDPTE of a 1-GByte page",
    mode: "4-level",
    level: 3,
    large: true,
    reserved: [
      [51, 46],
      [29, 13],
    ],
  },
  { entry: "PDPTE of a page directory", mode: "4-level", level: 3, reserved: [[51, 46]] },
  { entry: "PDPTE on AMD", mode: "4-level", level: 3, features: AMD, reserved: [[51, 46]] },
  {
    entry: "PDPTE without 1-GByte pages",
    mode: "4-level",
    level: 3,
    features: { gigabytePages: false },
    reserved: [
      [51, 46],
      [7, 7],
    ],
  },
  // Table 4-18, 4-19, 4-20: PDE of a 2-MByte page, PDE of a page table, PTE.
  {
    entry: "PDE of a 2-MByte page",
    mode: "4-level",
    level: 2,
    large: true,
    reserved: [
      [51, 46],
      [20, 13],
    ],
  },
  { entry: "PDE of a page table", mode: "4-level", level: 2, reserved: [[51, 46]] },
  { entry: "PTE", mode: "4-level", level: 1, reserved: [[51, 46]] },
  {
    entry: "PTE without NXE",
    mode: "4-level",
    level: 1,
    registers: NX_OFF,
    reserved: [
      [63, 63],
      [51, 46],
    ],
  },
  {
    entry: "PTE with 52 address bits",
    mode: "4-level",
    level: 1,
    features: { physicalAddressBits: 52 },
    reserved: [],
  },
  {
    entry: "PTE with 36 address bits",
    mode: "4-level",
    level: 1,
    features: { physicalAddressBits: 36 },
    reserved: [[51, 36]],
  },
  // Table 4-9, 4-10, 4-11: PAE.
  {
    entry: "PDE of a 2-MByte page in PAE",
    mode: "PAE",
    level: 2,
    large: true,
    reserved: [
      [62, 46],
      [20, 13],
    ],
  },
  { entry: "PDE of a page table in PAE", mode: "PAE", level: 2, reserved: [[62, 46]] },
  { entry: "PTE in PAE", mode: "PAE", level: 1, reserved: [[62, 46]] },
  {
    entry: "PTE in PAE without NXE",
    mode: "PAE",
    level: 1,
    registers: { efer: 0n },
    reserved: [[63, 46]],
  },
  // Table 4-4, 4-5, 4-6: 32-bit. Of a 4-MByte page, bits 21:(M-19).
  {
    entry: "PDE of a 4-MByte page, M = 40",
    mode: "32-bit",
    level: 2,
    large: true,
    reserved: [[21, 21]],
  },
  {
    entry: "PDE of a 4-MByte page, M = 36",
    mode: "32-bit",
    level: 2,
    large: true,
    features: { physicalAddressBits: 36 },
    reserved: [[21, 17]],
  },
  {
    entry: "PDE of a 4-MByte page, M = 32",
    mode: "32-bit",
    level: 2,
    large: true,
    features: { physicalAddressBits: 32 },
    reserved: [[21, 13]],
  },
  { entry: "PDE without CR4.PSE", mode: "32-bit", level: 2, registers: { cr4: 0n }, reserved: [] },
  { entry: "PDE of a page table in 32-bit", mode: "32-bit", level: 2, reserved: [] },
  { entry: "PTE in 32-bit", mode: "32-bit", level: 1, reserved: [] },
];

/** Bits whose setting would make another entry of it. */
const isKind = ({ mode, level, features, registers }: Row, position: number): boolean =>
  position === 7 &&
  level > 1 &&
  level < 4 &&
  !(level === 3 && features?.gigabytePages === false) &&
  !(mode === "32-bit" && registers?.cr4 === 0n);

describe("reserved bits", () => {
  test.each(ROWS)("of a $entry", (row) => {
    const { mode, level, large, features, registers, reserved } = row;
    const engine = boot(mode, registers, features);
    const base = large ? ALL | PS : level === 1 ? ALL : tableOf(mode, level - 1) | ALL;
    map(engine, mode, { address: ADDRESS, leaf: base, level });
    const found: number[] = [];
    for (let position = 3; position < 8 * entryBytes(mode); position++) {
      if (isKind(row, position)) continue;
      const value = base | (1n << BigInt(position));
      engine.writePhysical(entryAddress(mode, level, ADDRESS), entryBytes(mode), value);
      const { fault } = engine.access(access("read", ADDRESS));
      if (fault !== undefined && (fault.errorCode & 8) !== 0) found.push(position);
      else if (fault !== undefined) expect(fault.errorCode).toBe(0);
    }
    const expected = reserved.flatMap(([high, low]) =>
      Array.from({ length: high - low + 1 }, (_, index) => low + index),
    );
    expect(found).toEqual(expected.sort((a, b) => a - b));
  });

  test("are not looked at in an entry that is not present", () => {
    const engine = boot("4-level");
    map(engine, "4-level", { address: ADDRESS, leaf: (1n << 50n) | PS });
    const { fault } = engine.access(access("read", ADDRESS));
    expect(fault?.errorCode).toBe(0);
  });

  test("of an upper entry are found before a lower one is not present", () => {
    const engine = boot("4-level");
    map(engine, "4-level", { address: ADDRESS, leaf: 0n, above: ALL | (1n << 50n) });
    expect(engine.access(access("write", ADDRESS)).fault?.errorCode).toBe(0b1011);
  });

  test("the modes of the rows are those of the control registers", () => {
    expect(boot("PAE").explain(access("read", 0n)).walks[0]!.mode).toBe("PAE");
    expect(boot("32-bit").explain(access("read", 0n)).walks[0]!.mode).toBe("32-bit");
    const withoutPaging = boot("none", { cr4: PAE });
    expect(withoutPaging.explain(access("read", 0n)).walks[0]!.mode).toBe("none");
    expect(boot("none", { cr0: PG | P }).explain(access("read", 0n)).walks[0]!.mode).toBe("32-bit");
  });
});
