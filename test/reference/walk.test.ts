// Translation in every mode and page size, the flags that it sets, and accesses over two pages.

import { describe, expect, test } from "vitest";
import {
  A,
  access,
  ALL,
  boot,
  D,
  entryAddress,
  entryOf,
  LEVELS,
  map,
  type Mode,
  GP,
  P,
  PAE,
  pageFault,
  PG,
  PS,
  RW,
  SMEP,
  tableOf,
  US,
} from "./space.ts";

/** SDM 3A table 4-2. */
const SIZES = [
  { mode: "32-bit", level: 1, bytes: 0x1000n, address: 0x8765_4320n },
  { mode: "32-bit", level: 2, bytes: 0x40_0000n, address: 0x8765_4320n },
  { mode: "PAE", level: 1, bytes: 0x1000n, address: 0x8765_4320n },
  { mode: "PAE", level: 2, bytes: 0x20_0000n, address: 0x8765_4320n },
  { mode: "4-level", level: 1, bytes: 0x1000n, address: 0xffff_9234_5678_9a80n },
  { mode: "4-level", level: 2, bytes: 0x20_0000n, address: 0xffff_9234_5678_9a80n },
  { mode: "4-level", level: 3, bytes: 0x4000_0000n, address: 0xffff_9234_5678_9a80n },
  { mode: "5-level", level: 1, bytes: 0x1000n, address: 0xff12_3456_789a_bcd0n },
  { mode: "5-level", level: 2, bytes: 0x20_0000n, address: 0xff12_3456_789a_bcd0n },
  { mode: "5-level", level: 3, bytes: 0x4000_0000n, address: 0xff12_3456_789a_bcd0n },
] as const;

const ADDRESS = 0x40_0ff0n;
const FRAME = 0x7_7000n;

describe.each(SIZES)("a page of $bytes bytes in $mode mode", ({ mode, level, bytes, address }) => {
  const frame = mode === "32-bit" ? 0xc000_0000n : 0x12_c000_0000n;
  const leaf = frame | ALL | (level > 1 ? PS : 0n);

  test("keeps the offset and takes the frame", () => {
    const engine = boot(mode);
    map(engine, mode, { address, leaf, level });
    const physical = frame | (address & (bytes - 1n));
    expect(engine.access(access("read", address))).toEqual({ reached: { physical } });
    expect(engine.explain(access("read", address)).walks[0]!.outcome).toEqual({
      physical,
      pageBytes: bytes,
    });
  });

  test("gets A from a read and D from a write, and so do not the entries above", () => {
    const engine = boot(mode);
    map(engine, mode, { address, leaf, level });
    engine.access(access("read", address));
    expect(entryOf(engine, mode, level, address)).toBe(leaf | A);
    engine.access(access("write", address));
    expect(entryOf(engine, mode, level, address)).toBe(leaf | A | D);
    for (const above of LEVELS[mode].filter((other) => other > level)) {
      const flags = mode === "PAE" && above === 3 ? P : ALL | A;
      expect(entryOf(engine, mode, above, address)).toBe(tableOf(mode, above - 1) | flags);
    }
  });

  test("is refused without a trace in its leaf", () => {
    const engine = boot(mode);
    map(engine, mode, { address, leaf: leaf & ~RW, level });
    expect(engine.access(access("write", address))).toEqual(pageFault(3, address));
    expect(entryOf(engine, mode, level, address)).toBe(leaf & ~RW);
  });
});

describe("without paging", () => {
  test("linear addresses are physical, of 32 bits", () => {
    const outcome = boot("none").access(access("write", 0x1_8000_0000n));
    expect(outcome).toEqual({ reached: { physical: 0x8000_0000n } });
  });

  test("an access may still cross a page", () => {
    const outcome = boot("none").access(access("read", 0x1ffen));
    expect(outcome).toEqual({ reached: { physical: 0x1ffen, secondPhysical: 0x2000n } });
  });
});

describe("4-MByte pages", () => {
  test("have 40 address bits by PSE-36", () => {
    const engine = boot("32-bit");
    const leaf = 0x0040_0000n | (0xa5n << 13n) | ALL | PS;
    map(engine, "32-bit", { address: 0x1234n, leaf, level: 2 });
    expect(engine.access(access("read", 0x1234n))).toEqual({
      reached: { physical: 0xa5_0040_1234n },
    });
  });

  test("without CR4.PSE the PS flag means nothing", () => {
    const engine = boot("32-bit", { cr4: 0n });
    map(engine, "32-bit", { address: ADDRESS, leaf: FRAME | ALL, above: ALL | PS });
    expect(engine.access(access("read", ADDRESS))).toEqual({
      reached: { physical: FRAME | 0xff0n },
    });
  });
});

describe("the steps of a walk", () => {
  test("say where each entry is, what it said and what is allowed so far", () => {
    const engine = boot("4-level");
    map(engine, "4-level", { address: ADDRESS, leaf: FRAME | P | US, above: ALL });
    const { walks } = engine.explain(access("write", ADDRESS, { user: true }));
    const [{ mode, steps, outcome }] = walks as [(typeof walks)[0]];
    expect(mode).toBe("4-level");
    expect(steps.map(({ entry }) => entry)).toEqual(["PML4E", "PDPTE", "PDE", "PTE"]);
    expect(steps.map(({ address }) => address)).toEqual(
      LEVELS["4-level"].map((level) => entryAddress("4-level", level, ADDRESS)),
    );
    expect(steps.map(({ flags }) => flags)).toEqual([A, A, A, 0n]);
    expect(steps.map(({ rights }) => rights.writable)).toEqual([true, true, true, false]);
    expect(outcome).toEqual({ ...pageFault(7, ADDRESS), refusal: "access rights" });
  });

  test("name the reserved bits that were set", () => {
    const engine = boot("4-level");
    map(engine, "4-level", { address: ADDRESS, leaf: FRAME | ALL | (1n << 47n) });
    const { walks } = engine.explain(access("read", ADDRESS));
    expect(walks[0]!.steps.at(-1)!.reserved).toBe(1n << 47n);
  });

  test("explaining changes nothing", () => {
    const engine = boot("4-level");
    map(engine, "4-level", { address: ADDRESS, leaf: FRAME | ALL });
    engine.explain(access("write", ADDRESS));
    expect(entryOf(engine, "4-level", 1, ADDRESS)).toBe(FRAME | ALL);
  });

  test("an entry that references its own table is walked as any other", () => {
    const engine = boot("4-level");
    const root = tableOf("4-level", 4);
    engine.writePhysical(root, 8, root | ALL);
    engine.control({ kind: "write", register: "cr3", value: root });
    expect(engine.access(access("write", 0x123n))).toEqual({
      reached: { physical: root | 0x123n },
    });
    expect(engine.readPhysical(root, 8)).toBe(root | ALL | A | D);
  });
});

describe("an access over two pages", () => {
  const CROSSING = ADDRESS + 0xen;
  const SECOND = ADDRESS + 0x10n;

  function twoPages(mode: Mode, second: bigint) {
    const engine = boot(mode);
    map(engine, mode, { address: ADDRESS, leaf: FRAME | ALL });
    map(engine, mode, { address: SECOND, leaf: second });
    return engine;
  }

  test("reaches both", () => {
    const outcome = twoPages("4-level", 0x3000n | ALL).access(access("write", CROSSING));
    expect(outcome).toEqual({ reached: { physical: FRAME | 0xffen, secondPhysical: 0x3000n } });
  });

  test("ends on the first if its last byte is there", () => {
    const outcome = twoPages("4-level", 0n).access(access("read", ADDRESS + 0xcn));
    expect(outcome).toEqual({ reached: { physical: FRAME | 0xffcn } });
  });

  test("faults at the second page's first byte", () => {
    const engine = twoPages("4-level", 0x3000n | P | US);
    expect(engine.access(access("write", CROSSING))).toEqual(pageFault(3, SECOND));
    expect(entryOf(engine, "4-level", 1, SECOND)).toBe(0x3000n | P | US);
    expect(entryOf(engine, "4-level", 1, ADDRESS)).toBe(FRAME | ALL | A | D);
  });

  test("faults at its own first byte if both pages would", () => {
    const outcome = boot("4-level").access(access("read", CROSSING));
    expect(outcome).toEqual(pageFault(0, CROSSING));
  });

  test("wraps around 4 GByte outside 64-bit mode", () => {
    const engine = boot("32-bit");
    map(engine, "32-bit", { address: 0xffff_f000n, leaf: FRAME | ALL });
    map(engine, "32-bit", { address: 0n, leaf: 0x3000n | ALL });
    const reached = { physical: FRAME | 0xffen, secondPhysical: 0x3000n };
    expect(engine.access(access("read", 0xffff_fffen))).toEqual({ reached });
    expect(engine.access(access("read", 0x5_ffff_fffen))).toEqual({ reached });
  });
});

describe("canonical addresses", () => {
  test.each([
    { mode: "4-level", address: 0x0000_7fff_ffff_fffcn, ok: true },
    { mode: "4-level", address: 0x0000_7fff_ffff_fffdn, ok: false },
    { mode: "4-level", address: 0x0000_8000_0000_0000n, ok: false },
    { mode: "4-level", address: 0xffff_7fff_ffff_fffcn, ok: false },
    { mode: "4-level", address: 0xffff_7fff_ffff_fffdn, ok: false },
    { mode: "4-level", address: 0xffff_8000_0000_0000n, ok: true },
    { mode: "5-level", address: 0x0000_8000_0000_0000n, ok: true },
    { mode: "5-level", address: 0x00ff_ffff_ffff_fffcn, ok: true },
    { mode: "5-level", address: 0x0100_0000_0000_0000n, ok: false },
    { mode: "5-level", address: 0xff00_0000_0000_0000n, ok: true },
  ] as const)("in $mode mode $address: $ok", ({ mode, address, ok }) => {
    const { fault } = boot(mode).access(access("read", address));
    expect(fault).toEqual(ok ? pageFault(0, address).fault : GP);
  });

  test("the stack has a fault of its own", () => {
    const { fault } = boot("4-level").access(access("write", 1n << 48n, { stack: true }));
    expect(fault).toEqual({ vector: 12, errorCode: 0 });
  });

  test("outside 64-bit mode the upper half of an address is not there", () => {
    const engine = boot("PAE", { cr0: PG | 0x33n, cr4: PAE | SMEP });
    const { fault } = engine.access(access("read", (1n << 48n) | 0x1000n));
    expect(fault).toEqual(pageFault(0, 0x1000n).fault);
  });
});
