// fewer-parameters: core code that names a previous mm, or reads active_mm, does not type-check.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const COMPILER = join(ROOT, "node_modules/typescript/bin/tsc");

const WITHOUT = JSON.stringify(join(ROOT, "src/kernel/lazy/without-active-mm.ts"));

const IMPORTS = `
import type { Cpu } from ${JSON.stringify(join(ROOT, "src/kernel/state/cpu.ts"))};
import type { Mm } from ${JSON.stringify(join(ROOT, "src/kernel/state/mm.ts"))};
import type { KernelCode } from ${JSON.stringify(join(ROOT, "src/kernel/operation/operation.ts"))};
import { switchMm, switchMmTo } from ${JSON.stringify(join(ROOT, "src/kernel/cpu/switch-mm.ts"))};
import { switchingWithoutActiveMm } from ${WITHOUT};
import type { SwitchTo, TaskWithoutActiveMm } from ${WITHOUT};
`;

/** Each is a module of its own; the name says what core code does in it. */
const SAMPLES = {
  "next-only": `export function* go(cpu: Cpu, to: SwitchTo, next: TaskWithoutActiveMm): KernelCode {
    yield* to(cpu, next.mm!);
    yield* switchMmTo(cpu, next.mm!);
  }`,
  "passes-previous": `export function* go(cpu: Cpu, to: SwitchTo, prev: Mm, next: Mm): KernelCode {
    yield* to(cpu, prev, next);
  }`,
  "passes-previous-by-name": `export function* go(cpu: Cpu, prev: Mm, next: Mm): KernelCode {
    yield* switchMmTo(cpu, prev, next);
  }`,
  "reads-active-mm": `type Code = KernelCode;
  export function* go(cpu: Cpu, to: SwitchTo, t: TaskWithoutActiveMm): Code {
    yield* to(cpu, t.activeMm!);
  }`,
  "builds-on-three-parameters": `export const policy = switchingWithoutActiveMm(switchMm);`,
} as const;

let folder = "";
let complaints: readonly string[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "signature-"));
  const files = Object.entries(SAMPLES).map(([name, text]) => {
    const file = join(folder, `${name}.ts`);
    writeFileSync(file, IMPORTS + text);
    return file;
  });
  complaints = compile(files);
});

afterAll(() => rmSync(folder, { recursive: true }));

function compile(files: readonly string[]): readonly string[] {
  const compilerOptions = {
    noUnusedLocals: false,
    types: [],
    rewriteRelativeImportExtensions: false,
  };
  const project = { extends: join(ROOT, "tsconfig.json"), compilerOptions, files, include: [] };
  const path = join(folder, "tsconfig.json");
  writeFileSync(path, JSON.stringify(project));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  try {
    execFileSync(process.execPath, [COMPILER, "-p", path, "--pretty", "false"], { cwd: folder });
    return [];
  } catch (error) {
    const { stdout } = error as { stdout: Buffer };
    return stdout
      .toString()
      .split("\n")
      .filter((line) => line.includes("error"));
  }
}

const codesIn = (name: keyof typeof SAMPLES): string[] =>
  complaints
    .filter((line) => line.startsWith(`${name}.ts(`))
    .map((line) => /error (TS\d+)/.exec(line)![1]!);

test("the compiler finds what the samples import", () => {
  const codes = Object.keys(SAMPLES).flatMap((name) => codesIn(name as keyof typeof SAMPLES));
  expect(codes).not.toContain("TS2307");
  expect(codes).toHaveLength(4);
});

test("switch_mm(next) type-checks", () => {
  expect(codesIn("next-only")).toEqual([]);
});

test.each(["passes-previous", "passes-previous-by-name"] as const)(
  "a call that passes a previous mm does not (%s)",
  (name) => {
    expect(codesIn(name)).toEqual(["TS2554"]); // expected 2 arguments, but got 3
  },
);

test("reading active_mm does not", () => {
  expect(codesIn("reads-active-mm")).toEqual(["TS2339"]); // no such property
});

test("handing core code a switch_mm of three parameters does not", () => {
  expect(codesIn("builds-on-three-parameters")).toEqual(["TS2345"]);
});
