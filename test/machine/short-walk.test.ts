// A stream's misses are walked for in a short way when nothing is out of the ordinary. It must
// leave behind what a single access leaves: cycles, counters, entries, faults, what is cached.

import { expect, test } from "vitest";
import { pageNumber } from "../../src/base/address.ts";
import { userStream } from "../../src/machine/stream.ts";
import { A, ALL, D, P, PAE, RW, US, XD } from "../reference/space.ts";
import { Lab } from "./lab.ts";

const GLOBAL = 1n << 8n;
const KEY = 3n << 59n;
const PKE = 1n << 22n;
/** Enough to fill the first level. */
const FILLERS = Array.from({ length: 64 }, (_, index) => BigInt(index + 0x400) << 12n);
const DIRECTORY = 0x4000_0000n;
/** Of an index that has all bits of a page number's lowest nine, and one beside it. */
const TARGET = DIRECTORY | (0x1ffn << 12n);
const BESIDE = DIRECTORY | (0x1fen << 12n);
/** Of the index that is left of it without its highest bit. */
const HALF_WAY = DIRECTORY | (0xffn << 12n);
const FRAME = 0x77_7000n;

interface Case {
  readonly what: string;
  readonly leaf: bigint;
  /** Flags that the PDE lacks, or has beyond all. */
  readonly above?: bigint;
  readonly pkru?: bigint;
}

const CASES: readonly Case[] = [
  { what: "an ordinary page", leaf: ALL | A | D },
  { what: "a page without A", leaf: ALL },
  { what: "a page without D", leaf: ALL | A },
  { what: "a read-only page", leaf: P | US | A | D },
  { what: "a supervisor page", leaf: P | RW | A | D },
  { what: "a page that is not present", leaf: RW | US | A | D },
  { what: "an execute-disable page", leaf: ALL | A | D | XD },
  { what: "a global page", leaf: ALL | A | D | GLOBAL },
  { what: "a page with a reserved bit", leaf: ALL | A | D | (1n << 50n) },
  { what: "a page in a read-only directory entry", leaf: ALL | A | D, above: RW },
  { what: "a page in a supervisor directory entry", leaf: ALL | A | D, above: US },
  { what: "a page in an execute-disable directory entry", leaf: ALL | A | D, above: XD },
  { what: "a page with a key", leaf: ALL | A | D | KEY },
  { what: "a page whose key forbids", leaf: ALL | A | D | KEY, pkru: 3n << 6n },
  { what: "a page whose key forbids writes", leaf: ALL | A | D | KEY, pkru: 2n << 6n },
  { what: "a page whose key allows what others forbid", leaf: ALL | A | D | KEY, pkru: 3n << 8n },
];

/** First level full, the target's page table known to the PDE cache, the target not cached. */
function ready({ leaf, above = 0n, pkru = 0n }: Case): Lab {
  const registers = { cr4: PAE | PKE | (1n << 7n), pkru };
  const lab = new Lab("4-level", { registers });
  for (const page of FILLERS) lab.map(page, { entry: FRAME | A | D });
  lab.map(BESIDE, { entry: FRAME | A | D });
  lab.map(HALF_WAY, { entry: 0x5000n | A | D });
  lab.engine.writePhysical(0n, 8, 0x6000n | ALL | A | D);
  lab.put(TARGET, 1, FRAME | leaf);
  lab.put(TARGET, 2, lab.entry(TARGET, 2) ^ above);
  lab.access("read", BESIDE);
  for (const page of FILLERS) lab.access("read", page, { user: true });
  return lab;
}

const seen = (lab: Lab): unknown => {
  const { machine } = lab;
  const rest = [machine.now(0), machine.counters(0), lab.entry(TARGET), lab.entry(TARGET, 2)];
  lab.write("cr3", lab.root);
  const isGlobal = lab.source("read", TARGET, { user: true }) === "l1";
  return [...rest, isGlobal];
};

/** What is cached of the target, as far as other accesses and other keys show it. */
const cachedRights = (lab: Lab): unknown => {
  const { machine } = lab;
  const before = machine.snapshot();
  const shown = [0n, 3n << 6n, 2n << 6n, 0xffff_ff3fn].flatMap((pkru) =>
    (["read", "write", "execute"] as const).flatMap((kind) =>
      [false, true].map((user) => {
        machine.restore(before);
        lab.set({ pkru });
        const { fault, ...reached } = lab.access(kind, TARGET, { user });
        return fault ?? reached;
      }),
    ),
  );
  machine.restore(before);
  return shown;
};

const KINDS = ["read", "write"] as const;
const VARIANTS = CASES.flatMap((one) =>
  KINDS.flatMap((kind) => [false, true].map((cached) => ({ ...one, kind, cached }))),
);

test.each(VARIANTS)("$what, by a $kind, read before: $cached", ({ kind, cached, ...one }) => {
  const labs = [ready(one), ready(one)] as const;
  const [stream, single] = labs;
  for (const lab of cached ? labs : []) lab.access("read", TARGET, { user: true });
  const base = pageNumber(Number(TARGET >> 12n));
  const options = { base, elements: 1, accesses: 1, kind, stagger: false };
  stream.machine.runStream(0, userStream(options), Infinity);
  const { fault } = single.access(kind, TARGET, { user: true, bytes: 1 });
  if (fault !== undefined) {
    expect(stream.machine.fault(0).errorCode).toBe(fault.errorCode);
  }
  expect(cachedRights(stream)).toEqual(cachedRights(single));
  expect(seen(stream)).toEqual(seen(single));
});

test("the short walk reads the page's own entry, not the table's last one", () => {
  const lab = ready({ what: "an ordinary page", leaf: ALL | A | D });
  const low = 3n << 12n;
  lab.map(low, { entry: 0x9_9000n | A | D });
  lab.map(0x1ffn << 12n, { entry: 0x8_8000n | A | D });
  lab.map(4n << 12n, { entry: FRAME | A | D });
  // The page's table becomes known to the PDE cache.
  lab.access("read", 4n << 12n);
  const options = { base: pageNumber(3), elements: 1, accesses: 1, stagger: false };
  lab.machine.runStream(0, userStream(options), Infinity);
  expect(lab.source("read", low, { user: true })).toBe("l1");
  expect(lab.access("read", low, { user: true })).toMatchObject({ physical: 0x9_9000n });
});
