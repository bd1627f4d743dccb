// A new kind of operation, event or activity does not compile before every place that must answer
// for it does. The sources are compiled with a kind more than they know, and the places counted.

import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const COMPILER = join(ROOT, "node_modules/typescript/bin/tsc");

/** By file: what is put before what. */
const NEW_KINDS: readonly (readonly [file: string, before: string, kind: string])[] = [
  [
    "src/kernel/operation/operation.ts",
    '\n  | { readonly kind: "fence" }',
    '\n  | { readonly kind: "newOperation" }',
  ],
  ["src/kernel/operation/activation.ts", ' "user";', ' "newActivity" |'],
  ["src/check/checker.ts", '\n  | { readonly kind: "tlbs" }', '\n  | { readonly kind: "newLook" }'],
  ["src/explore/execution/processes.ts", '"enter"]', '"newProcess", '],
  ["src/explore/execution/instructions.ts", '\n      | "writeCr4"', '\n      | "jiffies"'],
  ["src/check/deadlock.ts", "deadlock: lookAtNothing", "batchFlushBegin: lookAtNothing, "],
  ["src/check/freed-table.ts", '"tableFreed" |', '"measureEnd" | '],
  ["src/check/prev-mm.ts", 'case "switched":', 'case "kernelFlushBegin":\n        return;\n      '],
];

let folder = "";
let complaints: readonly string[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "exhaustive-"));
  for (const name of ["src", "assembly/abi.ts", "package.json", "tsconfig.json"]) {
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  for (const [file, before, kind] of NEW_KINDS) {
    const path = join(folder, file);
    const text = readFileSync(path, "utf8");
    expect(text.split(before), `${file} has ${before}`).toHaveLength(2);
    writeFileSync(path, text.replace(before, kind + before));
  }
  complaints = compile();
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true }));

function compile(): readonly string[] {
  try {
    execFileSync(process.execPath, [COMPILER, "-p", folder, "--pretty", "false"], { cwd: folder });
    return [];
  } catch (error) {
    return (error as { stdout: Buffer }).stdout.toString().split("\n");
  }
}

/** Files with an error about the kind, once for each error. */
const placesThatMiss = (kind: string): string[] =>
  complaints
    .filter((line) => line.includes(kind))
    .map((line) => /^(.*?)\(/.exec(line)![1]!)
    .toSorted();

test("a new operation must be answered for by both executors and by the reports", () => {
  expect(placesThatMiss("newOperation")).toEqual([
    "src/check/describe-operation.ts",
    "src/clock/timed-operations.ts",
    "src/explore/execution/stepwise-operations.ts", // whether the store buffer drains before it
    "src/explore/execution/stepwise-operations.ts", // whether it is a step of its own
    "src/explore/execution/stepwise-operations.ts", // what it does
  ]);
});

test("a new instruction must be answered for where the explorer has those of the TLB", () => {
  expect(placesThatMiss('{ readonly kind: "jiffies"; }')).toEqual([
    "src/explore/execution/instructions.ts",
  ]);
});

test("a new activity must be answered for by the clock", () => {
  expect(placesThatMiss("newActivity")).toEqual(["src/clock/clock.ts"]);
});

test("a new kind of process must be answered for by the executor and the narrator", () => {
  expect(placesThatMiss("newProcess")).toEqual([
    "src/explore/counterexample.ts",
    "src/explore/execution/executor.ts",
  ]);
});

test("what a checker looks at must be answered for by the explorer", () => {
  expect(placesThatMiss("newLook")).toEqual(["src/explore/execution/looks.ts"]);
});

test("a checker observes what it declares and declares what it observes", () => {
  // Declared without being observed, observed without being declared, and neither.
  expect(placesThatMiss("batchFlushBegin")).toEqual(["src/check/deadlock.ts"]);
  expect(placesThatMiss("kernelFlushBegin")).toEqual(["src/check/prev-mm.ts"]);
  expect(placesThatMiss("measureEnd")).toEqual([
    "src/check/freed-table.ts",
    "src/check/freed-table.ts",
  ]);
});

test("nothing else goes wrong", () => {
  expect(complaints.filter((line) => line.includes("error"))).toHaveLength(14);
});
