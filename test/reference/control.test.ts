// Writes to control registers, INVLPG and INVPCID: what #GP(0) is for. SDM 2, MOV to control
// registers, WRMSR, WRPKRU, INVPCID; SDM 3A 2.5, 4.1, 4.4.1.

import { describe, expect, test } from "vitest";
import type { ControlRegister, Fault, PagingFeatures } from "../../src/base/architecture.ts";
import type { ReferenceEngine } from "../../src/reference/reference.ts";
import {
  access,
  ALL,
  boot,
  GP,
  LA57,
  LMA,
  LME,
  map,
  type Mode,
  NXE,
  PAE,
  pageFault,
  PCIDE,
  PG,
  PKE,
  PKS,
  PSE,
  registersOf,
  SMAP,
  SMEP,
  WP,
} from "./space.ts";

const PE = 1n;
const NW = 1n << 29n;
const CD = 1n << 30n;
const UD = { vector: 6, errorCode: 0 };

const write = (
  engine: ReferenceEngine,
  register: ControlRegister,
  value: bigint,
): Fault | undefined => engine.control({ kind: "write", register, value });

interface Row {
  readonly what: string;
  readonly mode: Mode;
  readonly register: ControlRegister;
  readonly value: bigint;
  readonly cr3?: bigint;
  readonly cr4?: bigint;
  readonly efer?: bigint;
  readonly features?: Partial<PagingFeatures>;
  readonly ok?: true;
}

const CR0 = PG | WP | 0x33n;

const ROWS: readonly Row[] = [
  { what: "PG without PE", mode: "none", register: "cr0", value: PG },
  { what: "PE alone", mode: "none", register: "cr0", value: PE, ok: true },
  { what: "NW without CD", mode: "4-level", register: "cr0", value: CR0 | NW },
  { what: "NW with CD", mode: "4-level", register: "cr0", value: CR0 | NW | CD, ok: true },
  { what: "bit 32 in 64-bit mode", mode: "4-level", register: "cr0", value: CR0 | (1n << 32n) },
  { what: "bit 32 elsewhere", mode: "PAE", register: "cr0", value: CR0 | (1n << 32n), ok: true },
  { what: "reserved bit 6", mode: "4-level", register: "cr0", value: CR0 | 0x40n, ok: true },
  { what: "PG off in 64-bit mode", mode: "4-level", register: "cr0", value: PE },
  { what: "PG off in 32-bit mode", mode: "32-bit", register: "cr0", value: PE, ok: true },
  { what: "PG off with PCIDE", mode: "PAE", register: "cr0", value: PE, cr4: PAE | PCIDE },
  { what: "PG on with LME but no PAE", mode: "none", register: "cr0", value: CR0, efer: LME },
  {
    what: "PG on with LME",
    mode: "none",
    register: "cr0",
    value: CR0,
    efer: LME,
    cr4: PAE,
    ok: true,
  },

  { what: "bit 46 with 46 bits", mode: "4-level", register: "cr3", value: 1n << 46n },
  { what: "bit 45 with 46 bits", mode: "4-level", register: "cr3", value: 1n << 45n, ok: true },
  { what: "the ignored bits", mode: "4-level", register: "cr3", value: 0xfffn, ok: true },
  { what: "bit 63 without PCIDE", mode: "4-level", register: "cr3", value: 1n << 63n },
  {
    what: "bit 63 with PCIDE",
    mode: "4-level",
    register: "cr3",
    value: 1n << 63n,
    cr4: PAE | PCIDE,
    ok: true,
  },
  {
    what: "bit 62 with PCIDE",
    mode: "4-level",
    register: "cr3",
    value: 1n << 62n,
    cr4: PAE | PCIDE,
  },
  { what: "bit 46 in PAE mode", mode: "PAE", register: "cr3", value: 1n << 46n, ok: true },

  { what: "bit 15", mode: "4-level", register: "cr4", value: PAE | (1n << 15n) },
  { what: "bit 63", mode: "4-level", register: "cr4", value: PAE | (1n << 63n) },
  { what: "PAE off in long mode", mode: "4-level", register: "cr4", value: 0n },
  { what: "PAE off in PAE mode", mode: "PAE", register: "cr4", value: 0n, ok: true },
  { what: "LA57 on in long mode", mode: "4-level", register: "cr4", value: PAE | LA57 },
  { what: "LA57 off in long mode", mode: "5-level", register: "cr4", value: PAE },
  { what: "LA57 elsewhere", mode: "32-bit", register: "cr4", value: LA57, ok: true },
  { what: "PCIDE in long mode", mode: "4-level", register: "cr4", value: PAE | PCIDE, ok: true },
  { what: "PCIDE with CR3[11:0]", mode: "4-level", register: "cr4", value: PAE | PCIDE, cr3: 8n },
  {
    what: "PCIDE kept, CR3[11:0]",
    mode: "4-level",
    register: "cr4",
    value: PAE | PCIDE,
    cr3: 8n,
    cr4: PAE | PCIDE,
    ok: true,
  },
  { what: "PCIDE in PAE mode", mode: "PAE", register: "cr4", value: PAE | PCIDE },
  {
    what: "PCIDE without the feature",
    mode: "4-level",
    register: "cr4",
    value: PAE | PCIDE,
    features: { pcid: false },
  },
  {
    what: "LA57 without the feature",
    mode: "none",
    register: "cr4",
    value: LA57,
    features: { fiveLevels: false },
  },
  {
    what: "SMEP without the feature",
    mode: "none",
    register: "cr4",
    value: SMEP,
    features: { smep: false },
  },
  {
    what: "SMAP without the feature",
    mode: "none",
    register: "cr4",
    value: SMAP,
    features: { smap: false },
  },
  {
    what: "PKE without the feature",
    mode: "none",
    register: "cr4",
    value: PKE,
    features: { protectionKeys: false },
  },
  {
    what: "PKS without the feature",
    mode: "none",
    register: "cr4",
    value: PKS,
    features: { supervisorKeys: false },
  },
  {
    what: "all of them",
    mode: "none",
    register: "cr4",
    value: PSE | LA57 | SMEP | SMAP | PKE | PKS,
    ok: true,
  },

  { what: "reserved bit 1", mode: "4-level", register: "efer", value: LME | LMA | 2n },
  { what: "LMA", mode: "none", register: "efer", value: LMA, ok: true },
  { what: "LME off under paging", mode: "4-level", register: "efer", value: NXE },
  { what: "LME on under paging", mode: "PAE", register: "efer", value: LME },
  { what: "LME on without paging", mode: "none", register: "efer", value: LME, ok: true },
  { what: "NXE off", mode: "4-level", register: "efer", value: LME, ok: true },
  {
    what: "NXE without the feature",
    mode: "none",
    register: "efer",
    value: NXE,
    features: { noExecute: false },
  },

  {
    what: "32 bits",
    mode: "4-level",
    register: "pkru",
    value: 0xffff_ffffn,
    cr4: PAE | PKE,
    ok: true,
  },
  { what: "bit 32", mode: "4-level", register: "pkru", value: 1n << 32n, cr4: PAE | PKE },
  { what: "32 bits", mode: "4-level", register: "pkrs", value: 0xffff_ffffn, ok: true },
  { what: "bit 32", mode: "4-level", register: "pkrs", value: 1n << 32n },
  {
    what: "anything without PKS",
    mode: "4-level",
    register: "pkrs",
    value: 0n,
    features: { supervisorKeys: false },
  },
];

describe("a write to a control register", () => {
  test.each(ROWS)("$register in $mode mode: $what, fine: $ok", (row) => {
    const { mode, register, value, features, ok } = row;
    const given = registersOf(mode);
    const { cr3 = 0n, cr4 = given.cr4, efer = given.efer } = row;
    const engine = boot(mode, { cr3, cr4, efer }, features);
    expect(write(engine, register, value)).toEqual(ok ? undefined : GP);
  });

  test("of PKRU needs CR4.PKE", () => {
    expect(write(boot("4-level"), "pkru", 0n)).toEqual(UD);
  });

  test("that faults changes nothing", () => {
    const engine = boot("4-level");
    map(engine, "4-level", { address: 0x5000n, leaf: 0x9000n | ALL });
    expect(write(engine, "cr3", 1n << 60n)).toEqual(GP);
    expect(engine.access(access("read", 0x5000n)).fault).toBeUndefined();
  });

  test("may turn paging on and off", () => {
    const engine = boot("32-bit");
    map(engine, "32-bit", { address: 0x5000n, leaf: 0x9000n | ALL });
    write(engine, "cr0", PE);
    expect(engine.access(access("read", 0x5000n))).toEqual({ reached: { physical: 0x5000n } });
    write(engine, "cr0", PE | PG);
    expect(engine.access(access("read", 0x5000n))).toEqual({ reached: { physical: 0x9000n } });
  });

  test("of CR0.PG activates IA-32e mode if EFER.LME is set", () => {
    const engine = boot("none", { cr4: PAE, efer: LME });
    map(engine, "4-level", { address: 0x5000n, leaf: 0x9000n | ALL });
    expect(write(engine, "cr0", PE | PG)).toBeUndefined();
    expect(engine.access(access("read", 0x5000n))).toEqual({ reached: { physical: 0x9000n } });
    expect(engine.access(access("read", 1n << 60n)).fault).toEqual(GP);
    expect(write(engine, "cr0", PE)).toEqual(GP);
  });

  test("of CR0.WP and EFER.NXE count from the next access", () => {
    const engine = boot("4-level");
    const XD = 1n << 63n;
    map(engine, "4-level", { address: 0x5000n, leaf: 0x9000n | 1n | XD });
    expect(engine.access(access("write", 0x5000n))).toEqual(pageFault(3, 0x5000n));
    write(engine, "cr0", CR0 & ~WP);
    expect(engine.access(access("write", 0x5000n)).fault).toBeUndefined();
    write(engine, "efer", LME);
    expect(engine.access(access("read", 0x5000n))).toEqual(pageFault(9, 0x5000n));
  });
});

describe("INVLPG and INVPCID", () => {
  const invpcid = (
    engine: ReferenceEngine,
    type: bigint,
    pcid = 0n,
    address = 0n,
  ): Fault | undefined => engine.control({ kind: "invpcid", type, pcid, address });

  test("INVLPG of an address that is not canonical does nothing", () => {
    expect(boot("4-level").control({ kind: "invlpg", address: 1n << 60n })).toBeUndefined();
  });

  test.each([0n, 1n, 2n, 3n])("INVPCID type %s is there", (type) => {
    expect(invpcid(boot("4-level"), type)).toBeUndefined();
  });

  test.each([
    ["type 4", 4n, 0n, 0n, GP],
    ["type 2^32", 1n << 32n, 0n, 0n, GP],
    ["descriptor bit 12", 2n, 1n << 12n, 0n, GP],
    ["descriptor bit 63", 3n, 1n << 63n, 0n, GP],
    ["an address that is not canonical", 0n, 0n, 1n << 47n, GP],
    ["such an address where none is needed", 1n, 0n, 1n << 47n, undefined],
    ["a PCID without PCIDE, type 0", 0n, 5n, 0n, GP],
    ["a PCID without PCIDE, type 1", 1n, 5n, 0n, GP],
    ["a PCID without PCIDE, type 2", 2n, 5n, 0n, undefined],
  ])("INVPCID with %s", (_, type, pcid, address, fault) => {
    expect(invpcid(boot("4-level"), type, pcid, address)).toEqual(fault);
  });

  test("INVPCID names any PCID once they are enabled", () => {
    const engine = boot("4-level", { cr4: PAE | PCIDE });
    expect(invpcid(engine, 0n, 0xfffn)).toBeUndefined();
    expect(invpcid(engine, 1n, 0xfffn)).toBeUndefined();
  });

  test("INVPCID is no instruction without the feature", () => {
    expect(invpcid(boot("4-level", {}, { invpcid: false }), 2n)).toEqual(UD);
  });
});
