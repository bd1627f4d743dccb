// What a line may say, and what is said of one that says something else.

import { describe, expect, test } from "vitest";
import { BadInput } from "../../../src/base/bad-input.ts";
import { parseCase, parseVector } from "../../../src/verify/vectors/parse.ts";
import { lineOf, RECORD, vectorOf, withOperations } from "./record.ts";

const messageOf = (line: string): string => {
  try {
    parseVector("file.jsonl:7", line);
  } catch (error) {
    if (error instanceof BadInput) return error.message;
    throw error;
  }
  return "nothing";
};

describe("a line", () => {
  test("becomes a vector", () => {
    const { entries, expected, ...rest } = vectorOf();
    expect(rest).toMatchObject({ id: "one", mode: "l4", vendor: "intel", physicalAddressBits: 46 });
    expect(entries[3]).toEqual({ address: 0x4028n, value: 0x9007n });
    expect(expected.finalEntries[3]).toEqual({ address: 0x4028n, value: 0x9027n });
    expect(expected.outcomes).toEqual([{ value: 0x8_f400_0000_09b8n, physical: 0x9008n }]);
  });

  test("may have numbers where hex strings are usual", () => {
    const vector = vectorOf({ cr3: 4096, maxphy: "0x2e", id: 12, gb: true });
    expect(vector).toMatchObject({ cr3: 0x1000n, physicalAddressBits: 46, id: "12" });
  });

  test("may be a case of which nothing was recorded", () => {
    const { exp: _, gb: __, ...record } = RECORD;
    expect(parseCase("here:1", JSON.stringify(record)).gigabytePages).toBe(true);
    expect(messageOf(JSON.stringify(record))).toContain("file.jsonl:7 exp: missing");
  });

  test("has operations with defaults that depend on the mode", () => {
    const [read] = withOperations({ op: "r", va: 1 }).operations;
    expect(read).toMatchObject({ kind: "read", bytes: 8, user: false, stack: false });
    const l2 = { mode: "l2", mem: [], ops: [{ op: "x", va: "0x10", cpl: 3, ac: 1 }] };
    const [jump] = vectorOf({ ...l2, exp: { res: [{ ok: 1, pfn: 0 }], mem: [] } }).operations;
    expect(jump).toMatchObject({ kind: "execute", bytes: 4, user: true, alignmentCheck: true });
  });

  test("names final entries that are not among its own in extra", () => {
    const exp = { ...RECORD.exp, mem: ["0x1", "0x2", "0x3", "0x4", "0x5"], extra: ["0x4030"] };
    const { expected } = vectorOf({ exp });
    expect(expected.finalEntries.at(-1)).toEqual({ address: 0x4030n, value: 5n });
  });

  test("counts an entry that is given twice once", () => {
    const mem = [...RECORD.mem, ["0x4028", "0x9003"]];
    expect(vectorOf({ mem }).expected.finalEntries).toHaveLength(4);
  });

  test.each([
    [
      { vec: 14, ec: "0x5", cr2: "0x5008" },
      { vector: 14, errorCode: 5, address: 0x5008n },
    ],
    [
      { vec: 13, ec: "0x0" },
      { vector: 13, errorCode: 0 },
    ],
    [
      { vec: 12, ec: 0 },
      { vector: 12, errorCode: 0 },
    ],
    [{ vec: 6 }, { vector: 6, errorCode: 0 }],
  ])("has faults: %j", (recorded, fault) => {
    const exp = { ...RECORD.exp, res: [recorded] };
    expect(vectorOf({ exp }).expected.outcomes).toEqual([{ fault }]);
  });

  test("may say that loading CR3 faulted", () => {
    const exp = { ...RECORD.exp, res: [], ld: { vec: 13, ec: "0x0" } };
    expect(vectorOf({ exp }).expected.loadFault).toEqual({ vector: 13, errorCode: 0 });
  });

  test.each([
    [{ id: "a", skip: "mem-not-ram" }, "skip: mem-not-ram"],
    [{ ...RECORD, fail: "load:hang" }, "fail: load:hang"],
    [{ ...RECORD, exp: { res: [{ ok: 1 }, { fail: "bad-rip" }] } }, "fail: bad-rip"],
  ])("may say that the case could not be recorded", (record, skipReason) => {
    expect(parseVector("here:1", JSON.stringify(record))).toMatchObject({ skipReason });
  });
});

const operation = (op: unknown): string => lineOf({ ops: [op] });
const expected = (exp: object): string => lineOf({ exp: { ...RECORD.exp, ...exp } });
const result = (recorded: object): string => expected({ res: [recorded] });

describe("a malformed line", () => {
  test.each([
    ["not JSON", "{", 'file.jsonl:7: "{": one JSON object'],
    ["no object", "[1]", "file.jsonl:7: [1]: a JSON object"],
    ["a missing register", lineOf({ cr4: undefined }), "file.jsonl:7 cr4: missing"],
    ["bad hex", lineOf({ cr0: "0xzz" }), 'file.jsonl:7 cr0: "0xzz": a whole number'],
    ["too much hex", lineOf({ cr0: "0x10000000000000000" }), "file.jsonl:7 cr0:"],
    ["an inexact number", lineOf({ cr0: 2 ** 60 }), "file.jsonl:7 cr0:"],
    ["a negative number", lineOf({ cr0: -1 }), "file.jsonl:7 cr0: -1"],
    ["an unknown mode", lineOf({ mode: "l3" }), "file.jsonl:7 mode:"],
    ["an unknown vendor", lineOf({ vendor: "inteel" }), "did you mean intel?"],
    ["a wrong MAXPHYADDR", lineOf({ maxphy: 53 }), "file.jsonl:7 maxphy: 53: 32 to 52"],
    ["a wrong flag", lineOf({ gb: 2 }), "file.jsonl:7 gb: 2: 0 or 1"],
    ["no entries", lineOf({ mem: {} }), "file.jsonl:7 mem: {}: a list"],
    ["half an entry", lineOf({ mem: [["0x1000"]] }), "file.jsonl:7 mem[0]:"],
    ["a bad value", lineOf({ mem: [["0x1000", "7x"]] }), 'file.jsonl:7 mem[0][1]: "7x"'],
    ["an entry in between", lineOf({ mem: [["0x1004", 1]] }), "a multiple of 8"],
    ["an entry too far", lineOf({ mem: [["0x10000000000000", 1]] }), "at most 52 bits"],
    ["an unknown operation", operation({ op: "read", va: 0 }), "file.jsonl:7 ops[0].op:"],
    ["an operation without address", operation({ op: "r" }), "file.jsonl:7 ops[0].va: missing"],
    ["a store of nothing", operation({ op: "w", va: 0 }), "file.jsonl:7 ops[0].val: missing"],
    ["a size of 3", operation({ op: "r", va: 0, sz: 3 }), "ops[0].sz: 3: one of 1, 2, 4, 8"],
    ["ring 1", operation({ op: "r", va: 0, cpl: 1 }), "ops[0].cpl: 1: one of 0, 3"],
    ["another segment", operation({ op: "r", va: 0, seg: "fs" }), 'ops[0].seg: "fs"'],
    ["a misspelt field", operation({ op: "r", va: 0, size: 4 }), "ops[0].size:"],
    ["a result too many", expected({ res: [{ ok: 1 }, { ok: 1 }] }), "exp.res:"],
    ["results after a fault", expected({ ld: { vec: 13, ec: 0 } }), "0 results"],
    ["a result of neither kind", expected({ res: [{}] }), "exp.res[0].ok: missing"],
    ["another vector", expected({ res: [{ vec: 17, ec: 0 }] }), "exp.res[0].vec: 17"],
    ["a page fault nowhere", expected({ res: [{ vec: 14, ec: 0 }] }), "exp.res[0].cr2: missing"],
    ["too few final entries", expected({ mem: [] }), "exp.mem: []: 4 values"],
    ["half a mask", expected({ loose: [["0x1000"]] }), "exp.loose[0]:"],
    ["a field that nobody reads", lineOf({ gbb: 0 }), 'file.jsonl:7 gbb: "gbb": did you mean gb?'],
    ["a misspelt mask", expected({ looze: [] }), 'exp.looze: "looze": did you mean loose?'],
    ["a misspelt value", result({ ok: 1, vall: 1 }), 'exp.res[0].vall: "vall": did you mean val?'],
    ["a result that is not ok", result({ ok: 0 }), "exp.res[0].ok: 0: 1, or vec, ec and cr2"],
    ["a result that is perhaps ok", result({ ok: "no" }), 'exp.res[0].ok: "no": 0 or 1'],
    ["a load of which no value is said", result({ ok: 1, pa: 1 }), "exp.res[0].val: missing: what"],
    ["a place for a load's value", result({ ok: 1, val: 1, pa2: 1 }), "exp.res[0].pa2:"],
    ["an address of #GP", result({ vec: 13, ec: 0, cr2: 0 }), "exp.res[0].cr2:"],
    ["a fault that is ok", result({ ok: 1, vec: 13, ec: 0 }), "exp.res[0].ok:"],
    ["a field of another operation", operation({ op: "r", va: 0, pcid: 0 }), "ops[0].pcid:"],
    ["a size that is null", operation({ op: "r", va: 0, sz: null }), "ops[0].sz: null: one of"],
    ["an unknown field though it is skipped", '{"id":"a","skip":"b","skp":1}', "file.jsonl:7 skp:"],
  ])("with %s is named with its field", (_, line, message) => {
    expect(messageOf(line)).toContain(message);
  });
});
