// Comparing, counting and reading files.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { bootReference } from "../../../src/reference/reference.ts";
import { compareResult } from "../../../src/verify/vectors/compare.ts";
import { readLines, readVectors } from "../../../src/verify/vectors/read-vectors.ts";
import { runCase } from "../../../src/verify/vectors/run-vector.ts";
import { verifyVectors } from "../../../src/verify/vectors/verify-vectors.ts";
import { lineOf, RECORD, vectorOf } from "./record.ts";

const FOLDER = mkdtempSync(join(tmpdir(), "vectors-"));
afterAll(() => rmSync(FOLDER, { recursive: true }));

function file(name: string, content: string | Buffer): string {
  const path = join(FOLDER, name);
  writeFileSync(path, content);
  return path;
}

/** Differences of the page of `record.ts` with one operation from an expected result. */
function differences(op: object, recorded: object, changed: object = {}) {
  const exp = { ...RECORD.exp, res: [recorded], ...changed };
  const vector = vectorOf({ ops: [op], exp });
  return compareResult(vector, runCase(bootReference, vector));
}

const READ = { op: "r", va: "0x5008" };
const GOOD = { ok: 1, val: "0x8f4000000009b8" };

describe("comparing", () => {
  const write = { op: "w", va: "0x5008", val: 1 };
  const DIRTY = { mem: ["0x2027", "0x3027", "0x4027", "0x9067"] };

  test("a store by the place that it reached", () => {
    expect(differences(write, { ok: 1, pa: "0x9008" }, DIRTY)).toEqual([]);
    expect(differences(write, { ok: 1 }, DIRTY)).toEqual([]);
    expect(differences(write, { ok: 1, pa: "0x9000" }, DIRTY)).toEqual([
      { operation: 0, expected: "stored at 0x9000", actual: "stored at 0x9008" },
    ]);
    expect(differences(write, { ok: 1, pa: "0x9008", pa2: "0xa000" }, DIRTY)).toHaveLength(1);
  });

  test("a jump by its frame", () => {
    const jump = { op: "x", va: "0x5008" };
    expect(differences(jump, { ok: 1, pfn: "0x9" })).toEqual([]);
    expect(differences(jump, { ok: 1, pfn: "0x8" })).toEqual([
      { operation: 0, expected: "executed in frame 0x8", actual: "executed in frame 0x9" },
    ]);
  });

  test("a fault by vector, error code and address", () => {
    const read = { op: "r", va: "0x6000", cpl: 3 };
    const untouched = { mem: ["0x2027", "0x3027", "0x4027", "0x9007"] };
    const expected = { vec: 14, ec: "0x4", cr2: "0x6000" };
    expect(differences(read, expected, untouched)).toEqual([]);
    for (const wrong of [{ ec: "0x5" }, { cr2: "0x6001" }, { vec: 13, cr2: undefined }]) {
      expect(differences(read, { ...expected, ...wrong }, untouched)).toHaveLength(1);
    }
    expect(differences(read, { ok: 1, val: 0 }, untouched)).toEqual([
      { operation: 0, expected: "read 0x0", actual: "#PF(0x4) at 0x6000" },
    ]);
  });

  test("final entries but for loose bits", () => {
    const mem = ["0x2027", "0x3027", "0x4027", "0x9007"];
    const value = { ok: 1, val: "0x8f400000009b8" };
    expect(differences(READ, value, { mem })).toEqual([
      {
        operation: "final",
        expected: "entry at 0x4028 is 0x9007",
        actual: "entry at 0x4028 is 0x9027",
      },
    ]);
    expect(differences(READ, value, { mem, loose: [["0x4028", "0x20"]] })).toEqual([]);
  });

  test("a load of CR3, and nothing else if that differs", () => {
    const exp = { res: [], ld: { vec: 13, ec: 0 }, mem: [0, 0, 0, 0] };
    const vector = vectorOf({ exp });
    expect(compareResult(vector, runCase(bootReference, vector))).toEqual([
      { operation: "load", expected: "#GP(0x0)", actual: "CR3 loaded" },
    ]);
  });

  test("a load by its value, not by the place", () => {
    const [difference] = differences(READ, GOOD);
    expect(difference).toEqual({
      operation: 0,
      expected: "read 0x8f4000000009b8",
      actual: "read 0x8f400000009b8",
    });
    expect(differences(READ, { ok: 1, val: "0x8f400000009b8", pa: "0x1" })).toEqual([]);
  });
});

describe("verifying", () => {
  const wrong = vectorOf({ exp: { ...RECORD.exp, res: [GOOD] } });
  const right = vectorOf({ exp: { ...RECORD.exp, res: [{ ok: 1, val: "0x8f400000009b8" }] } });

  test("counts what passed, failed and could not be recorded", async () => {
    const skipped = { id: "b", skipReason: "skip: tcg-start" };
    const result = await verifyVectors(bootReference, [right, wrong, skipped, skipped]);
    expect(result).toMatchObject({ cases: 4, passed: 1, failed: 1, skipped: 2 });
    expect(result.skippedReasons).toEqual({ "skip: tcg-start": 2 });
    expect(result.failures).toHaveLength(1);
    expect(result.failures[0]).toMatchObject({ id: "one", operation: 0 });
  });

  test("keeps the first failures and counts the others", async () => {
    const result = await verifyVectors(bootReference, [wrong, wrong, wrong], { failuresKept: 2 });
    expect(result.failed).toBe(3);
    expect(result.failures).toHaveLength(2);
  });
});

describe("a file", () => {
  const collect = async <T>(items: AsyncIterable<T>): Promise<readonly T[]> => {
    const all: T[] = [];
    for await (const item of items) all.push(item);
    return all;
  };

  test("may be plain or gzip, whatever its name", async () => {
    const text = `${lineOf()}\r\n\n${lineOf({ id: "two" })}`;
    for (const path of [file("a.gz", text), file("a.jsonl", gzipSync(text))]) {
      const vectors = await collect(readVectors(path));
      expect(vectors.map(({ id }) => id)).toEqual(["one", "two"]);
    }
  });

  test("has its lines numbered, blank ones too", async () => {
    const path = file("b", "\n\n{}\n");
    expect(await collect(readLines(path))).toEqual([{ where: `${path}:3`, text: "{}" }]);
    await expect(collect(readVectors(path))).rejects.toThrow(`${path}:3 mode: missing`);
  });

  test.each([
    ["is missing", () => join(FOLDER, "none"), "no such file"],
    ["is a directory", () => FOLDER, "a directory"],
    ["is empty", () => file("empty", ""), "empty file"],
    ["is empty gzip", () => file("empty.gz", gzipSync("\n")), "empty file"],
    ["ends too early", () => file("cut.gz", gzipSync(lineOf()).subarray(0, 60)), "ends too early"],
    ["is damaged", () => file("bad.gz", Buffer.from([0x1f, 0x8b, 9, 9, 9, 9])), "damaged"],
  ])("that %s is bad input", async (_, path, message) => {
    await expect(collect(readLines(path()))).rejects.toThrow(message);
  });
});

test("the reference model agrees with every recorded vector", async () => {
  const path = new URL("../../../data/vectors/vectors-dev.jsonl.gz", import.meta.url).pathname;
  const { failures, ...counts } = await verifyVectors(bootReference, readVectors(path));
  expect(failures).toEqual([]);
  expect(counts).toMatchObject({ cases: 20_285, passed: 20_285, failed: 0, skipped: 0 });
});
