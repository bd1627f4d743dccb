// Access rights and error codes against SDM 3A 4.6 and 4.7, written out as tables.

import { describe, expect, test } from "vitest";
import type { Access, AccessKind } from "../../src/base/architecture.ts";
import {
  access,
  ALL,
  boot,
  map,
  type Mode,
  NXE,
  P,
  PAE,
  PG,
  PKE,
  PKS,
  RW,
  LMA,
  LME,
  pageFault,
  PSE,
  SMAP,
  SMEP,
  US,
  WP,
  XD,
} from "./space.ts";

const ADDRESS = 0x40_0000n;
const FRAME = 0x7_7000n;

interface Row {
  readonly kind: AccessKind;
  readonly as: "user" | "supervisor" | "implicit" | "implicit at CPL 3";
  readonly leaf: bigint;
  readonly cr4?: bigint;
  readonly wp?: false;
  readonly ac?: true;
  /** The error code of a refusal. */
  readonly code?: number;
}

const EXPLICIT = { user: {}, supervisor: {}, implicit: { implicit: true } };

const accessOf = ({ kind, as, ac }: Row): Access =>
  access(kind, ADDRESS, {
    user: as === "user" || as === "implicit at CPL 3",
    ...(as === "implicit at CPL 3" ? EXPLICIT.implicit : EXPLICIT[as]),
    ...(ac && { alignmentCheck: ac }),
  });

/** SDM 3A 4.6.1. Code: P 1, W/R 2, U/S 4, I/D 16. */
const ROWS: readonly Row[] = [
  // Supervisor-mode accesses to supervisor-mode addresses.
  { kind: "read", as: "supervisor", leaf: P },
  { kind: "write", as: "supervisor", leaf: P, code: 3 },
  { kind: "write", as: "supervisor", leaf: P, wp: false },
  { kind: "write", as: "supervisor", leaf: P | RW },
  { kind: "execute", as: "supervisor", leaf: P },
  { kind: "execute", as: "supervisor", leaf: P | XD, code: 17 },
  { kind: "execute", as: "supervisor", leaf: P, cr4: SMEP },
  { kind: "read", as: "supervisor", leaf: P, cr4: SMAP },
  { kind: "read", as: "supervisor", leaf: P | XD },
  // Supervisor-mode accesses to user-mode addresses.
  { kind: "read", as: "supervisor", leaf: P | US },
  { kind: "read", as: "supervisor", leaf: P | US, cr4: SMAP, code: 1 },
  { kind: "read", as: "supervisor", leaf: P | US, cr4: SMAP, ac: true },
  { kind: "write", as: "supervisor", leaf: P | US, code: 3 },
  { kind: "write", as: "supervisor", leaf: P | US, wp: false },
  { kind: "write", as: "supervisor", leaf: ALL },
  { kind: "write", as: "supervisor", leaf: ALL, cr4: SMAP, code: 3 },
  { kind: "write", as: "supervisor", leaf: ALL, cr4: SMAP, wp: false, code: 3 },
  { kind: "write", as: "supervisor", leaf: ALL, cr4: SMAP, ac: true },
  { kind: "write", as: "supervisor", leaf: P | US, cr4: SMAP, ac: true, code: 3 },
  { kind: "write", as: "supervisor", leaf: P | US, cr4: SMAP, ac: true, wp: false },
  { kind: "execute", as: "supervisor", leaf: P | US },
  { kind: "execute", as: "supervisor", leaf: P | US | XD, code: 17 },
  { kind: "execute", as: "supervisor", leaf: P | US, cr4: SMEP, code: 17 },
  { kind: "execute", as: "supervisor", leaf: P | US, cr4: SMAP },
  // Implicit ones: AC does not lift SMAP, and CPL does not matter.
  { kind: "read", as: "implicit", leaf: P | US, cr4: SMAP, ac: true, code: 1 },
  { kind: "read", as: "implicit at CPL 3", leaf: P | US, cr4: SMAP, ac: true, code: 1 },
  { kind: "read", as: "implicit at CPL 3", leaf: P },
  { kind: "write", as: "implicit at CPL 3", leaf: P, code: 3 },
  { kind: "write", as: "implicit at CPL 3", leaf: P, wp: false },
  // User-mode accesses.
  { kind: "read", as: "user", leaf: P | US },
  { kind: "read", as: "user", leaf: P | US, cr4: SMAP },
  { kind: "read", as: "user", leaf: P, code: 5 },
  { kind: "read", as: "user", leaf: P | RW, wp: false, code: 5 },
  { kind: "write", as: "user", leaf: ALL },
  { kind: "write", as: "user", leaf: P | US, code: 7 },
  { kind: "write", as: "user", leaf: P | US, wp: false, code: 7 },
  { kind: "execute", as: "user", leaf: P | US },
  { kind: "execute", as: "user", leaf: P | US, cr4: SMEP },
  { kind: "execute", as: "user", leaf: P | US | XD, code: 21 },
  { kind: "execute", as: "user", leaf: P, code: 21 },
  // Not present.
  { kind: "read", as: "supervisor", leaf: 0n, code: 0 },
  { kind: "write", as: "user", leaf: RW, code: 6 },
  { kind: "execute", as: "user", leaf: 0n, code: 20 },
];

const MODES: readonly Mode[] = ["4-level", "5-level", "PAE"];

describe.each(MODES)("access rights in %s mode", (mode) => {
  test.each(ROWS)("$as $kind of a page with $leaf, CR4 $cr4: $code", (row) => {
    const levels = mode === "5-level" ? PAE | (1n << 12n) : PAE;
    const cr0 = PG | 0x33n | (row.wp === false ? 0n : WP);
    const engine = boot(mode, { cr0, cr4: levels | (row.cr4 ?? 0n) });
    map(engine, mode, { address: ADDRESS, leaf: FRAME | row.leaf });
    const expected =
      row.code === undefined ? { reached: { physical: FRAME } } : pageFault(row.code, ADDRESS);
    expect(engine.access(accessOf(row))).toEqual(expected);
  });
});

describe("access rights over several levels", () => {
  test.each([
    ["R/W", ALL & ~RW, "write", 7],
    ["U/S", ALL & ~US, "read", 5],
    ["XD", ALL | XD, "execute", 21],
  ] as const)("%s of any entry decides", (_, weak, kind, code) => {
    for (const place of ["above", "leaf"] as const) {
      const engine = boot("4-level");
      const leaf = FRAME | (place === "leaf" ? weak : ALL);
      map(engine, "4-level", { address: ADDRESS, leaf, above: place === "above" ? weak : ALL });
      const outcome = engine.access(access(kind, ADDRESS, { user: true }));
      expect(outcome).toEqual(pageFault(code, ADDRESS));
    }
  });

  test("a page is a user-mode address only if every entry says so", () => {
    const engine = boot("4-level", { cr4: PAE | SMAP | SMEP });
    map(engine, "4-level", { address: ADDRESS, leaf: FRAME | ALL, above: P | RW });
    expect(engine.access(access("read", ADDRESS)).fault).toBeUndefined();
    expect(engine.access(access("execute", ADDRESS)).fault).toBeUndefined();
  });
});

describe("the I/D flag", () => {
  test.each([
    { mode: "4-level", cr4: PAE, efer: LME | LMA, code: 4 },
    { mode: "4-level", cr4: PAE | SMEP, efer: LME | LMA, code: 20 },
    { mode: "4-level", cr4: PAE, efer: LME | LMA | NXE, code: 20 },
    { mode: "PAE", cr4: PAE, efer: 0n, code: 4 },
    { mode: "PAE", cr4: PAE | SMEP, efer: 0n, code: 20 },
    { mode: "PAE", cr4: PAE, efer: NXE, code: 20 },
    { mode: "32-bit", cr4: PSE, efer: 0n, code: 4 },
    { mode: "32-bit", cr4: PSE, efer: NXE, code: 4 },
    { mode: "32-bit", cr4: PSE | SMEP, efer: NXE, code: 20 },
  ] as const)("of a fetch in $mode mode with CR4 $cr4 and EFER $efer", (row) => {
    const engine = boot(row.mode, { cr4: row.cr4, efer: row.efer });
    const outcome = engine.access(access("execute", ADDRESS, { user: true }));
    expect(outcome).toEqual(pageFault(row.code, ADDRESS));
  });
});

/** SDM 3A 4.6.2. Two bits of PKRU or PKRS: AD 1, WD 2. The key is 5. */
const KEY_ROWS = [
  { kind: "read", user: true, page: US, rights: 0n },
  { kind: "read", user: true, page: US, rights: 1n, code: 0x25 },
  { kind: "read", user: true, page: US, rights: 2n },
  { kind: "write", user: true, page: US, rights: 2n, code: 0x27 },
  { kind: "write", user: true, page: US, rights: 2n, wp: false, code: 0x27 },
  { kind: "execute", user: true, page: US, rights: 3n },
  { kind: "read", user: false, page: US, rights: 1n, code: 0x21 },
  { kind: "write", user: false, page: US, rights: 2n, code: 0x23 },
  { kind: "write", user: false, page: US, rights: 2n, wp: false },
  { kind: "write", user: false, page: US, rights: 1n, wp: false, code: 0x23 },
  { kind: "read", user: false, page: 0n, rights: 0n },
  { kind: "read", user: false, page: 0n, rights: 1n, code: 0x21 },
  { kind: "read", user: false, page: 0n, rights: 2n },
  { kind: "write", user: false, page: 0n, rights: 2n, code: 0x23 },
  { kind: "write", user: false, page: 0n, rights: 2n, wp: false },
  { kind: "execute", user: false, page: 0n, rights: 3n },
  { kind: "read", user: true, page: 0n, rights: 1n, code: 0x25 },
] as const satisfies readonly (Partial<Row> & { rights: bigint; page: bigint; user: boolean })[];

describe("protection keys", () => {
  const KEY = 5n << 59n;
  const leafOf = (page: bigint): bigint => FRAME | P | RW | page | KEY;

  test.each(KEY_ROWS)("$kind, user $user, of a page with U/S $page, rights $rights", (row) => {
    const rights = row.rights << 10n;
    const cr0 = PG | 0x33n | ("wp" in row ? 0n : WP);
    const keys = row.page === US ? { pkru: rights } : { pkrs: rights };
    const engine = boot("4-level", { cr0, cr4: PAE | PKE | PKS, ...keys });
    map(engine, "4-level", { address: ADDRESS, leaf: leafOf(row.page) });
    const outcome = engine.access(access(row.kind, ADDRESS, { user: row.user }));
    const expected =
      "code" in row ? pageFault(row.code, ADDRESS) : { reached: { physical: FRAME } };
    expect(outcome).toEqual(expected);
  });

  test.each([
    ["PKRU says nothing of supervisor-mode addresses", PKE | PKS, 0n, { pkru: 0xffff_ffffn }],
    ["PKRS says nothing of user-mode addresses", PKE | PKS, US, { pkrs: 0xffff_ffffn }],
    ["PKRU counts only with CR4.PKE", PKS, US, { pkru: 0xffff_ffffn }],
    ["PKRS counts only with CR4.PKS", PKE, 0n, { pkrs: 0xffff_ffffn }],
  ])("%s", (_, cr4, page, keys) => {
    const engine = boot("4-level", { cr4: PAE | cr4, ...keys });
    map(engine, "4-level", { address: ADDRESS, leaf: leafOf(page) });
    expect(engine.access(access("read", ADDRESS)).fault).toBeUndefined();
  });

  test("PAE paging has none", () => {
    const engine = boot("PAE", { cr4: PAE | PKE | PKS, pkru: 0xffff_ffffn, pkrs: 0xffff_ffffn });
    map(engine, "PAE", { address: ADDRESS, leaf: FRAME | ALL });
    expect(engine.access(access("read", ADDRESS)).fault).toBeUndefined();
  });

  test("PK is reported beside another reason to refuse", () => {
    const engine = boot("4-level", { cr4: PAE | PKE | SMAP, pkru: 1n << 10n });
    map(engine, "4-level", { address: ADDRESS, leaf: leafOf(US) });
    expect(engine.access(access("read", ADDRESS))).toEqual(pageFault(0x21, ADDRESS));
  });

  test("a page that is not present has no key", () => {
    const engine = boot("4-level", { cr4: PAE | PKE, pkru: 0xffff_ffffn });
    map(engine, "4-level", { address: ADDRESS, leaf: leafOf(US) & ~P });
    expect(engine.access(access("read", ADDRESS))).toEqual(pageFault(0, ADDRESS));
  });
});
