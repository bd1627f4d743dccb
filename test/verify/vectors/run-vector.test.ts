// What the runner adds to an engine: what memory holds, what accesses transfer, and loading CR3.

import { describe, expect, test } from "vitest";
import { bootReference } from "../../../src/reference/reference.ts";
import { marker, tablePages } from "../../../src/verify/vectors/marker.ts";
import { featuresOf, runCase } from "../../../src/verify/vectors/run-vector.ts";
import type { Vector } from "../../../src/verify/vectors/vector.ts";
import { ADDRESS, type RecordedOperation, vectorOf, withOperations } from "./record.ts";

const run = (vector: Vector) => runCase(bootReference, vector);
const outcomesOf = (...ops: readonly RecordedOperation[]) => run(withOperations(...ops)).outcomes;

/** Maps 0x6000 to the page table itself. */
const MAP_TABLE = { op: "pte", pa: "0x4030", val: "0x4007" };

describe("the marker", () => {
  test.each([
    [0x0n, 0x0000_f400_0000_00b8n],
    [0x9008n, 0x0008_f400_0000_09b8n],
    [0x900fn, 0x0008_f400_0000_09b8n],
    [0xfff_ffff_fff8n, 0x0ff8_f4ff_ffff_ffb8n],
    [0x5_6789_abcd_e123n, 0x6120_f478_9abc_deb8n],
  ])("of %s", (physical, expected) => {
    expect(marker(physical)).toBe(expected);
  });

  test("makes no present entry", () => {
    expect(marker(0x123_4567_89a8n) & 1n).toBe(0n);
  });
});

describe("table pages", () => {
  test("are those of entries, of rewritten entries and of every root", () => {
    const vector = withOperations(
      { op: "pte", pa: "0xa008", val: 0 },
      { op: "cr3", val: "0x800000000000b018" },
    );
    const pages = [0x1000n, 0x2000n, 0x3000n, 0x4000n, 0xa000n, 0xb000n];
    expect([...tablePages(vector)].sort((a, b) => Number(a - b))).toEqual(pages);
  });
});

describe("a run", () => {
  test("reads the marker where a page is, in part too", () => {
    expect(outcomesOf({ op: "r", va: ADDRESS })).toEqual([{ value: 0x8_f400_0000_09b8n }]);
    expect(outcomesOf({ op: "r", va: "0x500d", sz: 2 })).toEqual([{ value: 0x08f4n }]);
  });

  test("reads across two pages", () => {
    const ops = [
      { op: "pte", pa: "0x4030", val: "0x20007" },
      { op: "r", va: "0x5ffc" },
    ];
    expect(outcomesOf(...ops)[1]).toEqual({ value: 0x0000_20b8_0ff8_f400n });
  });

  test("reads entries where a table is", () => {
    const [, read] = outcomesOf(MAP_TABLE, { op: "r", va: "0x6028" });
    expect(read).toEqual({ value: 0x9007n });
  });

  test("forgets a store to a page of data", () => {
    const store = { op: "w", va: ADDRESS, val: 1 };
    expect(outcomesOf(store, { op: "r", va: ADDRESS })).toEqual([
      { physical: 0x9008n },
      { value: 0x8_f400_0000_09b8n },
    ]);
  });

  test("keeps the bytes that are stored into a table, and walks see them", () => {
    const ops = [
      MAP_TABLE,
      { op: "w", va: "0x6029", val: "0xa0", sz: 1 },
      { op: "r", va: ADDRESS },
    ];
    const { outcomes, finalEntries } = run(withOperations(...ops));
    expect(outcomes[2]).toEqual({ value: 0x8_f400_0000_0ab8n });
    expect(finalEntries[3]).toEqual({ address: 0x4028n, value: 0xa027n });
  });

  test("LOCK XADD answers the old value and stores the sum", () => {
    const add = { op: "rmw", va: "0x6028", val: "0x1000" };
    const [, outcome, read] = outcomesOf(MAP_TABLE, add, { op: "r", va: ADDRESS });
    expect(outcome).toEqual({ value: 0x9007n, physical: 0x4028n });
    expect(read).toEqual({ value: 0x8_f400_0000_0ab8n });
  });

  test("a LOCK CMPXCHG that does not match is a write", () => {
    const { outcomes, finalEntries } = run(withOperations({ op: "cx", va: ADDRESS, val: 1 }));
    expect(outcomes).toEqual([{ value: 0x8_f400_0000_09b8n }]);
    expect(finalEntries[3]!.value).toBe(0x9067n);
  });

  test("a jump answers its frame, and fetches what it executes", () => {
    expect(outcomesOf({ op: "x", va: ADDRESS })).toEqual([{ frame: 9n }]);
    const [fault] = outcomesOf({ op: "x", va: "0x5ffb" });
    expect(fault).toEqual({ fault: { vector: 14, errorCode: 0x10, address: 0x6000n } });
  });

  test("ends with every entry that was named", () => {
    const { finalEntries } = run(withOperations({ op: "pte", pa: "0x4038", val: "0x1" }));
    expect(finalEntries).toHaveLength(5);
    expect(finalEntries[4]).toEqual({ address: 0x4038n, value: 1n });
  });

  test("loads CR3 first, and goes no further if that faults", () => {
    const result = run(vectorOf({ cr3: "0x400000000000" }));
    expect(result).toMatchObject({ loadFault: { vector: 13, errorCode: 0 }, outcomes: [] });
  });

  test("refuses PDPTEs with reserved bits at that load", () => {
    const pae = { mode: "pae", efer: "0x800", ops: [], exp: { res: [], mem: ["0x3"] } };
    const { loadFault } = run(vectorOf({ ...pae, mem: [["0x1000", "0x3"]] }));
    expect(loadFault).toEqual({ vector: 13, errorCode: 0 });
  });

  test("entries have 4 bytes in 32-bit mode", () => {
    const mem = [
      ["0x1000", "0x2007"],
      ["0x2014", "0x9007"],
      ["0x2010", "0x8007"],
    ];
    const ops = [
      { op: "r", va: ADDRESS },
      { op: "pte", pa: "0x2014", val: "0x7007" },
    ];
    const exp = { res: [{ ok: 1, val: 0 }, { ok: 1 }], mem: [0, 0, 0] };
    const registers = { mode: "l2", cr4: 0, efer: 0 };
    const { outcomes, finalEntries } = run(vectorOf({ ...registers, mem, ops, exp }));
    expect(outcomes[0]).toEqual({ value: 0x9b8n });
    expect(finalEntries.map(({ value }) => value)).toEqual([0x2027n, 0x7007n, 0x8007n]);
  });

  test("instructions answer with their faults", () => {
    const GP = { fault: { vector: 13, errorCode: 0 } };
    const bad = { op: "invpcid", type: 9 };
    const outcomes = outcomesOf({ op: "invlpg", va: ADDRESS }, bad, { op: "cr0", val: 1 });
    expect(outcomes).toEqual([{}, GP, GP]);
  });

  test("a case's processor lacks what the case says, and nothing else", () => {
    const features = featuresOf(vectorOf({ gb: 0, vendor: "amd", maxphy: 40 }));
    const { vendor, physicalAddressBits, gigabytePages, ...others } = features;
    expect([vendor, physicalAddressBits, gigabytePages]).toEqual(["amd", 40, false]);
    expect(Object.values(others).every((there) => there)).toBe(true);
  });
});
