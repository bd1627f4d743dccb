// Every bit of every entry in every paging mode, against the reference model: where the access goes
// or how it faults, and the entries that it leaves behind.

import { describe, expect, test } from "vitest";
import type { ControlRegisters, PagingFeatures } from "../../src/base/architecture.ts";
import { EFER } from "../../src/reference/registers.ts";
import { access, ALL, LEVELS, type Mode, NXE, PS, registersOf } from "../reference/space.ts";
import { Both, text } from "./both.ts";

const MODES = ["32-bit", "PAE", "4-level", "5-level"] as const;

interface Setting {
  readonly what: string;
  readonly registers: (mode: Mode) => Partial<ControlRegisters>;
  readonly features: Partial<PagingFeatures>;
}

const withoutNxe = (mode: Mode): Partial<ControlRegisters> => ({
  efer: registersOf(mode).efer & ~EFER.NXE,
});
const withoutPse = (mode: Mode): Partial<ControlRegisters> => ({
  cr4: registersOf(mode).cr4 & ~(1n << 4n),
});

const SETTINGS: readonly Setting[] = [
  { what: "46 bits", registers: () => ({}), features: {} },
  {
    what: "36 bits of AMD",
    registers: () => ({}),
    features: { vendor: "amd", physicalAddressBits: 36 },
  },
  { what: "52 bits", registers: () => ({}), features: { physicalAddressBits: 52 } },
  {
    what: "40 bits without 1G pages",
    registers: () => ({}),
    features: { physicalAddressBits: 40, gigabytePages: false },
  },
  { what: "39 bits without NXE", registers: withoutNxe, features: { physicalAddressBits: 39 } },
  { what: "32 bits without PSE", registers: withoutPse, features: { physicalAddressBits: 32 } },
];

/** Below 512 GiB, of different index at each level; a second one in another slot of everything. */
const ADDRESSES = [0x1_4060_9abcn, 0x8_cb21_3004n] as const;

describe.each(MODES)("in %s mode", (mode) => {
  describe.each(SETTINGS)("$what", ({ registers, features }) => {
    const bits = mode === "32-bit" ? 32 : 64;
    for (const level of LEVELS[mode].filter((one) => mode !== "PAE" || one < 3)) {
      for (const large of level === 1 ? [false] : [false, true]) {
        test(`entries of level ${level}${large ? " with PS" : ""}`, () => {
          const both = new Both(mode, registers(mode), features);
          const address =
            mode === "32-bit" || mode === "PAE" ? ADDRESSES[0] & 0xffff_ffffn : ADDRESSES[0];
          const wrong: string[] = [];
          for (let position = -1; position < bits; position++) {
            for (const kind of ["read", "write", "execute"] as const) {
              both.map({ address, leaf: 0x7_7000n | ALL });
              const table = level === 1 ? 0x7_7000n : entryTable(mode, level);
              const base = (large ? PS : table) | ALL;
              both.put(address, level, position < 0 ? base : base ^ (1n << BigInt(position)));
              both.forget();
              const answers = both.access(access(kind, address, { user: true }));
              for (const [found, wanted] of [answers, both.entries(address)]) {
                if (text(found) !== text(wanted)) wrong.push(`${position} ${kind} ${text(found)}`);
              }
            }
          }
          expect(wrong).toEqual([]);
        });
      }
    }
  });
});

/** Where the reference space keeps the table below an entry of `level`. */
const entryTable = (mode: Mode, level: number): bigint =>
  0x1_0000n + BigInt(LEVELS[mode].indexOf(level) + 1) * 0x1000n;

describe("PDPTE registers", () => {
  test.each([32, 36, 46, 52])("of %i physical-address bits: every bit of each", (bits) => {
    for (let index = 0n; index < 4n; index++) {
      for (let position = 0; position < 64; position++) {
        const both = new Both("PAE", {}, { physicalAddressBits: bits });
        const address = index << 30n;
        both.map({ address, leaf: 0x7_7000n | ALL });
        both.put(address, 3, 1n | (1n << BigInt(position)) | 0x1_1000n);
        const [machine, reference] = both.write("cr3", 0x1_0020n);
        expect([position, machine]).toEqual([position, reference]);
        const [found, wanted] = both.access(access("read", address));
        expect([position, found]).toEqual([position, wanted]);
      }
    }
  });

  const CR0 = registersOf("PAE").cr0;
  const CR4 = registersOf("PAE").cr4;
  test.each([
    ...[16n, 18n, 29n, 30n].map(
      (bit) => ["cr0", CR0 ^ (1n << bit) ^ (bit === 29n ? 1n << 30n : 0n)] as const,
    ),
    ...[2n, 4n, 7n, 12n, 20n, 21n, 22n, 24n].map((bit) => ["cr4", CR4 ^ (1n << bit)] as const),
    ["cr0", CR0] as const,
    ["cr3", 0x1_0020n] as const,
    ["cr3", 0x1_003fn] as const,
    ["efer", NXE] as const,
    ["efer", 0n] as const,
  ])("are loaded or not, and checked, by writing %s with %s", (register, value) => {
    for (const bad of [false, true]) {
      const both = new Both("PAE");
      const address = 0x5000n;
      both.map({ address, leaf: 0x7_7000n | ALL });
      const before = both.machine.machine.registers(0);
      both.put(address, 3, bad ? 3n : 0n);
      const [machine, reference] = both.write(register, value);
      expect(machine).toEqual(reference);
      if (machine !== undefined) expect(both.machine.machine.registers(0)).toEqual(before);
      both.forget();
      both.put(address, 3, bad ? 3n : 0n);
      const [found, wanted] = both.access(access("read", address));
      expect(found).toEqual(wanted);
    }
  });
});
