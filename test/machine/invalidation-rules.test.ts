// docs/invalidation.md, rule by rule: what must be gone is gone, and what the machine keeps is
// there. Each row of its tables is a row here, and they must say the same.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { ControlRegister } from "../../src/base/architecture.ts";
import { CR0, CR4, EFER } from "../../src/reference/registers.ts";
import type { Mode } from "../reference/space.ts";
import { type Dropped, OTHER, PCID, PLACES, type Region, type Scope, Warm } from "./cached.ts";
import { machineWith } from "./describe.ts";
import type { Lab } from "./lab.ts";

const DOC = readFileSync(new URL("../../docs/invalidation.md", import.meta.url), "utf8");
const KEEP = 1n << 63n;
const TIME_STAMP_DISABLE = 1n << 2n;

interface Rule {
  /** The first cell of the row. */
  readonly operation: string;
  /** The cells that say what this machine drops. */
  readonly drops: string;
  readonly does: (lab: Lab, target: Region) => void;
  /** Whether it names a page: then it is tried with every page. */
  readonly ofPage?: true;
}

const rule = (operation: string, drops: string, does: Rule["does"]): Rule => ({
  operation,
  drops,
  does,
});
const pageRule = (operation: string, drops: string, does: Rule["does"]): Rule => ({
  operation,
  drops,
  does,
  ofPage: true,
});

/** Sets bits, the register having been without them; and clears them, it having had them. */
const on = (register: ControlRegister, bit: bigint) => (lab: Lab) => {
  lab.set({ [register]: lab.registers[register] & ~bit });
  expect(lab.change(register, bit)).toBeUndefined();
};
const off = (register: ControlRegister, bit: bigint) => (lab: Lab) => {
  lab.set({ [register]: lab.registers[register] | bit });
  expect(lab.change(register, 0n, bit)).toBeUndefined();
};
const both = (register: ControlRegister, bit: bigint) => (lab: Lab) => {
  on(register, bit)(lab);
  off(register, bit)(lab);
};
const fine =
  (register: ControlRegister, value: (lab: Lab) => bigint) =>
  (lab: Lab): void =>
    expect(lab.write(register, value(lab))).toBeUndefined();
const refused =
  (register: ControlRegister, value: (lab: Lab) => bigint) =>
  (lab: Lab): void =>
    expect(lab.write(register, value(lab))).toMatchObject({ vector: 13 });
const invpcid =
  (type: bigint, pcid: bigint) =>
  (lab: Lab, { address }: Region): void =>
    expect(lab.machine.invpcid(0, type, { pcid, address: within(address) })).toBeUndefined();

/** Another address of the same 4 KiB page; of a larger one, any below its size will do. */
const within = (address: bigint): bigint => address | 0xabcn;
const invlpg = (lab: Lab, { address, level }: Region): void =>
  lab.machine.invlpgAddress(0, within(address) ^ (level > 1 ? 0x12_3000n : 0n));

const EVERYWHERE: readonly Rule[] = [
  rule("nothing", "none none none none none", () => undefined),
  rule("MOV CR0: WP", "none none none none none", both("cr0", CR0.WP)),
  rule("MOV CR0: CD", "none none none none none", both("cr0", CR0.CD)),
  rule(
    "MOV CR0 refused",
    "none none none none none",
    refused("cr0", ({ registers }) => registers.cr0 & ~CR0.PE),
  ),
  rule(
    "MOV CR4: no change",
    "none none none none none",
    fine("cr4", ({ registers }) => registers.cr4),
  ),
  rule("MOV CR4: PGE", "all all all all all", off("cr4", CR4.PGE)),
  rule("MOV CR4: PGE", "all all all all all", on("cr4", CR4.PGE)),
  rule("MOV CR4: PSE", "all all all all all", on("cr4", CR4.PSE)),
  rule("MOV CR4: PSE", "all all all all all", off("cr4", CR4.PSE)),
  rule("MOV CR4: SMEP 0 to 1", "all none all all none", on("cr4", CR4.SMEP)),
  rule("MOV CR4: SMEP 1 to 0", "none none none none none", off("cr4", CR4.SMEP)),
  rule("MOV CR4: SMAP", "none none none none none", both("cr4", CR4.SMAP)),
  rule("MOV CR4: PKE, PKS", "none none none none none", both("cr4", CR4.PKE)),
  rule("MOV CR4: PKE, PKS", "none none none none none", both("cr4", CR4.PKS)),
  rule("MOV CR4: other bits", "none none none none none", both("cr4", TIME_STAMP_DISABLE)),
  rule(
    "MOV CR4 refused",
    "none none none none none",
    refused("cr4", ({ registers }) => registers.cr4 ^ ((1n << 15n) | CR4.PGE)),
  ),
  rule("WRMSR EFER: NXE", "none none none none none", both("efer", EFER.NXE)),
  rule("WRMSR EFER: SCE", "none none none none none", both("efer", EFER.SCE)),
  pageRule("INVLPG", "page none page all none", invlpg),
  pageRule("page fault", "page none page page none", (lab, { address }) =>
    expect(lab.source("write", address, { user: true })).toEqual([14, 7]),
  ),
  rule("INVPCID 2", "all all all all all", invpcid(2n, 0n)),
  rule("INVPCID 3", "all all none all all", invpcid(3n, 0n)),
  rule("INVPCID refused", "none none none none none", (lab) => {
    for (const [type, pcid, address] of [
      [4n, 0n, 0n],
      [2n, 1n << 12n, 0n],
      [0n, 0n, 1n << 60n],
    ] as const) {
      expect(lab.machine.invpcid(0, type, { pcid, address })).toMatchObject({ vector: 13 });
    }
  }),
];

const TAGGED: readonly Rule[] = [
  ...EVERYWHERE,
  rule(
    "MOV CR3: bit 63 set",
    "none none none none none",
    fine("cr3", ({ root }) => root | PCID | KEEP),
  ),
  rule(
    "MOV CR3: bit 63 set",
    "none none none none none",
    fine("cr3", ({ root }) => root | OTHER | KEEP),
  ),
  rule(
    "MOV CR3: bit 63 clear, current PCID",
    "all none none all none",
    fine("cr3", ({ root }) => root | PCID),
  ),
  rule(
    "MOV CR3: bit 63 clear, another PCID",
    "none all none none all",
    fine("cr3", ({ root }) => root | OTHER),
  ),
  rule(
    "MOV CR3 refused",
    "none none none none none",
    refused("cr3", ({ root }) => root | (1n << 62n)),
  ),
  rule("MOV CR4: PCIDE 0 to 1", "none none none none none", (lab) => {
    lab.set({ cr3: lab.root, cr4: lab.registers.cr4 & ~CR4.PCIDE });
    expect(lab.change("cr4", CR4.PCIDE)).toBeUndefined();
  }),
  rule("MOV CR4: PCIDE 1 to 0", "all all all all all", off("cr4", CR4.PCIDE)),
  rule(
    "MOV CR0: PG 1 to 0, refused",
    "none none none none none",
    refused("cr0", () => 0x33n),
  ),
  rule(
    "MOV CR4: LA57, PAE, refused",
    "none none none none none",
    refused("cr4", ({ registers }) => registers.cr4 ^ CR4.LA57),
  ),
  rule(
    "MOV CR4: LA57, PAE, refused",
    "none none none none none",
    refused("cr4", ({ registers }) => registers.cr4 ^ CR4.PAE),
  ),
  rule("WRPKRU", "none none none none none", (lab) => {
    lab.set({ cr4: lab.registers.cr4 | CR4.PKE });
    expect(lab.write("pkru", 0xffff_fffcn)).toBeUndefined();
    lab.set({ pkru: 0n });
  }),
  rule("WRMSR PKRS", "none none none none none", (lab) => {
    expect(lab.write("pkrs", 0xffff_ffffn)).toBeUndefined();
  }),
  rule("INVLPG, not canonical", "none none none none none", (lab, { address }) =>
    lab.machine.invlpgAddress(0, address ^ (1n << 62n)),
  ),
  pageRule("INVPCID 0, current PCID", "page none none page none", invpcid(0n, PCID)),
  pageRule("INVPCID 0, another PCID", "none page none none page", invpcid(0n, OTHER)),
  rule("INVPCID 1, current PCID", "all none none all none", invpcid(1n, PCID)),
  rule("INVPCID 1, another PCID", "none all none none all", invpcid(1n, OTHER)),
];

const UNTAGGED: readonly Rule[] = [
  ...EVERYWHERE,
  rule(
    "MOV CR3",
    "all none none all none",
    fine("cr3", ({ root }) => root),
  ),
  pageRule("INVPCID 0, PCID 0", "page none none page none", invpcid(0n, 0n)),
  rule("INVPCID 1, PCID 0", "all none none all none", invpcid(1n, 0n)),
];

const LONG: readonly Rule[] = [
  rule(
    "MOV CR3: bit 63, refused",
    "none none none none none",
    refused("cr3", ({ root }) => root | KEEP),
  ),
];

const LEGACY: readonly Rule[] = [
  rule(
    "MOV CR3: bit 63, ignored",
    "all none none all none",
    fine("cr3", ({ root }) => root | KEEP),
  ),
  rule(
    "MOV CR0: PG 1 to 0",
    "all all all all all",
    fine("cr0", () => 0x33n),
  ),
  rule("MOV CR4: PAE", "all all all all all", (lab) => {
    // Where the PDPTEs of PAE paging would be loaded from, the 32-bit directory is empty.
    lab.set({ cr3: lab.root | 0xfe0n });
    expect(lab.write("cr4", lab.registers.cr4 ^ CR4.PAE)).toBeUndefined();
  }),
  rule("MOV CR4: LA57, of no effect", "none none none none none", both("cr4", CR4.LA57)),
  pageRule("INVLPG, bits above 31", "page none page all none", (lab, { address, ...rest }) =>
    invlpg(lab, { ...rest, address: address | (5n << 32n) }),
  ),
];

const SETTINGS: readonly {
  readonly mode: Mode;
  readonly pcids: boolean;
  readonly rules: readonly Rule[];
}[] = [
  { mode: "5-level", pcids: true, rules: TAGGED },
  { mode: "4-level", pcids: true, rules: TAGGED },
  { mode: "4-level", pcids: false, rules: [...UNTAGGED, ...LONG] },
  { mode: "PAE", pcids: false, rules: [...UNTAGGED, ...LEGACY] },
  { mode: "32-bit", pcids: false, rules: [...UNTAGGED, ...LEGACY] },
];

const droppedBy = ({ drops }: Rule): Dropped => {
  const [current, other, global, paths, otherPaths] = drops.split(" ") as Scope[];
  return { current, other, global, paths, otherPaths } as Dropped;
};

function check(warm: Warm, one: Rule): void {
  for (const target of one.ofPage ? warm.regions : warm.regions.slice(0, 1)) {
    expect(warm.goneAfter(one.does, target)).toEqual(warm.expected(droppedBy(one), target));
  }
}

describe.each(SETTINGS)("in $mode mode, PCIDs $pcids", ({ mode, pcids, rules }) => {
  // The two modes with PCIDs differ in a level: of the second, one place is enough.
  const places = mode === "4-level" && pcids ? PLACES.slice(0, 1) : PLACES;
  describe.each(places)("$name", (place) => {
    const warm = new Warm(mode, place, pcids);
    test.each(rules)("after $operation", (one) => check(warm, one));
  });
});

describe("loading one more PCID than are tracked", () => {
  const TRACKED = rule("one PCID more than tracked", "none all none none all", (lab) => {
    expect(lab.write("cr3", lab.root | 7n | KEEP)).toBeUndefined();
  });
  test.each(PLACES)("in the $name", (place) => {
    const tlb = { ...place.description.tlb, pcidsTracked: 2 };
    const description = machineWith({ ...place.description, tlb });
    check(new Warm("4-level", place, true, description), TRACKED);
  });
  test("is a row of the document", () => expect(DOC_ROWS).toContain(rowOf(TRACKED)));
});

/** The first cell of each row, and the five that say what is dropped. */
const DOC_ROWS = DOC.split("\n")
  .filter((line) => line.startsWith("|"))
  .map((line) => line.split("|").map((cell) => cell.trim()))
  .map(([, operation, ...cells]) => `${operation}: ${cells.slice(2, 7).join(" ")}`);

const rowOf = ({ operation, drops }: Rule): string => `${operation}: ${drops}`;

test("the document says the same of every operation, and no other", () => {
  const rules = SETTINGS.flatMap((setting) => setting.rules).map(rowOf);
  const documented = DOC_ROWS.filter((row) => /(?: (?:all|page|none)){5}$/.test(row));
  expect(documented.length).toBeGreaterThan(0);
  for (const row of new Set(rules)) expect(documented).toContain(row);
  const extra = documented.filter((row) => !rules.includes(row));
  expect(extra).toEqual(["one PCID more than tracked: none all none none all"]);
});
