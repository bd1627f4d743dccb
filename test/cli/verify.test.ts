// `shootdown verify` as a user runs it.

import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { BadInput } from "../../src/base/bad-input.ts";
import { plain } from "../../src/report/paint.ts";
import { formatVerification } from "../../src/report/verification.ts";
import type { ExplainedFailure } from "../../src/verify/vectors/side-by-side.ts";
import { verify } from "../../src/verify/vectors/verify-files.ts";
import { lineOf, RECORD } from "../verify/vectors/record.ts";
import { shootdown, shootdownFed, shootdownReading } from "./command.ts";
import { endlessLink, scratch } from "../scratch.ts";

const { folder, file } = scratch("verify");

const RIGHT = `${lineOf()}\n`;
/** The page is there: what was recorded says that it is not. */
const WRONG = `${lineOf({
  id: "wrong",
  exp: { ...RECORD.exp, res: [{ vec: 14, ec: "0x0", cr2: "0x5008" }] },
})}\n`;
const SKIPPED = `${JSON.stringify({ id: "none", skip: "no such CPU" })}\n`;

const right = file("right.jsonl", RIGHT);
const wrong = file("wrong.jsonl", RIGHT + WRONG + SKIPPED);

describe("a file whose vectors all pass", () => {
  test("ends with exit code 0 and its counts", async () => {
    const { code, stdout, stderr } = await shootdown("verify", right);
    expect(stdout).toBe("1 case: 1 passed, 0 failed, 0 skipped\n");
    expect(stderr).toBe("");
    expect(code).toBe(0);
  });

  test("is summed with the others, whatever is compressed", async () => {
    const zipped = file("zipped", gzipSync(RIGHT + RIGHT));
    const { code, stdout } = await shootdown("verify", right, zipped, "--cpu", "rome");
    expect(stdout).toBe("3 cases: 3 passed, 0 failed, 0 skipped\n");
    expect(code).toBe(0);
  });

  test("may come from the standard input", async () => {
    const { code, stdout } = await shootdownFed(gzipSync(RIGHT), "verify", "-");
    expect(stdout).toBe("1 case: 1 passed, 0 failed, 0 skipped\n");
    expect(code).toBe(0);
  });
});

describe("a vector that fails", () => {
  test("ends with exit code 1 and one document with the keys of the contract", async () => {
    const { code, stdout, stderr } = await shootdown("verify", wrong, "--json");
    expect(JSON.parse(stdout)).toEqual({
      cases: 3,
      passed: 1,
      failed: 1,
      skipped: 1,
      failures: [
        {
          id: "wrong",
          operation: 0,
          expected: "#PF(0x0) at 0x5008",
          actual: "read 0x8f400000009b8",
        },
      ],
      skippedReasons: { "skip: no such CPU": 1 },
    });
    expect(stderr).toBe("");
    expect(code).toBe(1);
  });

  test("is shown with the walks of the machine and the reference model", async () => {
    const { code, stdout } = await shootdown("verify", wrong);
    expect(stdout).toBe(`\
3 cases: 1 passed, 1 failed, 1 skipped
skipped 1: skip: no such CPU

failed wrong operation 0: load of 8 bytes at 0x5008, CPL 0
  expected  #PF(0x0) at 0x5008 (kvm)
  actual    read 0x8f400000009b8
         machine                   | reference model
  PML4E  0x1000 0x2007 200 cycles  | 0x1000 0x2007 WUX +A
  PDPTE  0x2000 0x3007 200 cycles  | 0x2000 0x3007 WUX +A
  PDE    0x3000 0x4007 200 cycles  | 0x3000 0x4007 WUX +A
  PTE    0x4028 0x9007 200 cycles  | 0x4028 0x9007 WUX +A
         0x9008, walk, 1016 cycles | 0x9008

W writable, U user, X executable by the entries so far; +A, +D: set by the walk
`);
    expect(code).toBe(1);
  });

  test("is counted when it is not shown", async () => {
    const { code, stdout } = await shootdown("verify", wrong, "--failures", "0");
    expect(stdout).toMatch(/^3 cases: 1 passed, 1 failed, 1 skipped\n/);
    expect(stdout).toMatch(/\n1 more failed; --failures N shows N of them\n$/);
    expect(stdout).not.toContain("PML4E");
    expect(code).toBe(1);
  });

  test("has the reference model beside the machine only where both fit", async () => {
    const explained: ExplainedFailure[] = [];
    const verification = await verify(wrong, { onFailure: (one) => explained.push(one) });
    const printed = formatVerification(verification, explained, { paint: plain, columns: 80 });
    expect(printed).toContain(`\
         machine
  PML4E  0x1000 0x2007 200 cycles
  PDPTE  0x2000 0x3007 200 cycles
  PDE    0x3000 0x4007 200 cycles
  PTE    0x4028 0x9007 200 cycles
         0x9008, walk, 1016 cycles
         reference model
  PML4E  0x1000 0x2007 WUX +A
`);
    expect(Math.max(...printed.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  });
});

test("a directory as standard input is refused, and nothing is waited for", () => {
  const { code, stdout, stderr } = shootdownReading(folder, "verify", "-");
  expect(stderr).toBe('shootdown: stdin: "a directory": name one file in it\n');
  expect([code, stdout]).toEqual([2, ""]);
});

test("without a file the recorded vectors are run, and that is said", async () => {
  const { code, stdout, stderr } = await shootdown("verify", "--json");
  expect(stderr).toMatch(/^shootdown: no FILE given: the recorded vectors, \S+\.jsonl\.gz\n$/);
  expect(JSON.parse(stdout)).toMatchObject({ cases: 20_285, passed: 20_285, failed: 0 });
  expect(code).toBe(0);
});

const second = (line: string): string => RIGHT + line;
const cases: readonly (readonly [what: string, paths: readonly string[], says: RegExp])[] = [
  ["a missing file", [join(folder, "none")], /none: "no such file": name a file/],
  ["a missing file after a good one", [right, join(folder, "none")], /none: "no such file"/],
  ["a file for a folder", [join(right, "x")], /x: "no such file": name a file/],
  ["a directory", [folder], /: "a directory": name one file in it$/],
  ["an empty file", [file("empty", "")], /empty: "empty file": /],
  ["a file of blank lines", [file("blank", "\n\n")], /blank: "empty file": /],
  [
    "a truncated gzip",
    [file("cut.gz", gzipSync(RIGHT.repeat(9)).subarray(0, 99))],
    /cut\.gz: "gzip data ends too early": copy the file again$/,
  ],
  ["a damaged gzip", [file("bad.gz", Buffer.from("1f8b09090909", "hex"))], /"damaged gzip data"/],
  ["nothing but skipped records", [file("s", SKIPPED + SKIPPED)], /s: "2 skipped, and no other/],
  ["an unknown field", [file("f", second(lineOf({ gbb: 1 })))], /f:2 gbb: "gbb": did you mean gb/],
  [
    "brackets without end",
    [file("deep", "[".repeat(200_000))],
    /deep:1: "\[{76}\.\.\.: one JSON object on a line$/,
  ],
  ["a file without end", ["/dev/zero"], /^\/dev\/zero: "not text": /],
  [
    "a link that leads to itself",
    [endlessLink(folder, "loop")],
    /loop: "a link that leads to itself"/,
  ],
  ["the standard input twice", ["-", "-"], /^-: "2 times": name the input once$/],
  ["a line that is no JSON", [file("j", second('{"id": 1,'))], /j:2: ".*": one JSON object on a/],
  ["a line that is a list", [file("l", second("[]"))], /l:2: \[\]: a JSON object$/],
  [
    "a field that is missing",
    [file("m", second(lineOf({ cr3: undefined })))],
    /m:2 cr3: missing: a whole number, or hex/,
  ],
  [
    "a number that is no hex",
    [file("h", second(lineOf({ cr4: "0xg" })))],
    /h:2 cr4: "0xg": a whole number, or hex/,
  ],
  [
    "an unknown mode",
    [file("o", second(lineOf({ mode: "l3" })))],
    /o:2 mode: "l3": did you mean l4\?/,
  ],
  [
    "an unknown operation",
    [file("p", second(lineOf({ ops: [{ op: "rmv", va: 0 }] })))],
    /p:2 ops\[0\]\.op: "rmv": did you mean/,
  ],
  [
    "an operation without its result",
    [file("q", second(lineOf({ exp: { ...RECORD.exp, res: [] } })))],
    /q:2 exp\.res: \[\]: 1 results/,
  ],
  ["a case without an answer", [file("r", second(lineOf({ exp: undefined })))], /r:2 exp: missing/],
];

describe("bad input in one line is", () => {
  test.each(cases)("%s", async (_, paths, says) => {
    const error = await verify(paths).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(BadInput);
    expect((error as BadInput).message).toMatch(says);
  });
});

test.for([
  ["a malformed line after a good one", [file("bad", second('{"id": 1}'))], /bad:2 mode: missing/],
  ["a missing file after a good one", [right, join(folder, "none")], /none: "no such file": /],
  ["an unknown preset", [right, "--cpu", "skylake"], /--cpu: "skylake": did you mean skylake-sp\?/],
  ["no number of failures", [right, "--failures", "-1"], /--failures: "-1": a whole number of 0/],
] as const)(
  "%s ends with exit code 2, and nothing is printed",
  async ([, words, says], context) => {
    const { code, stdout, stderr } = await shootdown("verify", ...words);
    context.expect(stderr).toMatch(/^shootdown: [^\n]+\n$/);
    context.expect(stderr.trimEnd()).toMatch(says);
    context.expect(stdout).toBe("");
    context.expect(code).toBe(2);
  },
);
