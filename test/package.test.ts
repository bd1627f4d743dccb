// The package as its users get it: packed, unpacked elsewhere, imported by name.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Installed } from "./installed.ts";

const FIRST_SCRIPT = `
import {
  Machine, PageTables, addressOfPage, bootKernel, completeConfiguration, describeMachine,
  frameNumber, pageNumber, presets, replay, runExperiment, verify, type Row, type Verification,
} from "shootdown";

const machine = new Machine(describeMachine(presets["skylake-sp"], { cores: 2 }));
let lastFrame = 0x100;
const tables = new PageTables(machine, () => frameNumber(lastFrame++));
const page = pageNumber(0x400);
tables.map(page, { frame: frameNumber(0x80), user: true, writable: true });
machine.writeCr3(0, { root: tables.root, pcid: 0, keep: false });
const access = { address: addressOfPage(page), kind: "read", user: true } as const;
const accesses = [1, 2].map(() => machine.access(0, access));

const kernel = bootKernel(completeConfiguration({ cores: 3 }));
const { rows } = await runExperiment("munmap", {
  axes: { cores: 2, rounds: 2, lazyTlb: ["refcounted", "eager"] },
});
const replayed = await replay("madvise-free", { axes: { lazyTlb: "refcounted", pcid: true } });
const verified: Verification = await verify("one.jsonl");
const cost = (row: Row): number => row.initiatorCycles.mean;
console.log(
  JSON.stringify({
    sources: accesses.map((access) => (access.fault ? "fault" : access.source)),
    cpus: kernel.cpus.length,
    policies: rows.map((row) => row.configuration.lazyTlb),
    costs: rows.map(cost),
    trace: replayed.rows[0]?.workload,
    vectors: [verified.cases, verified.passed, verified.failed],
  }),
);
`;

const SCENARIO = `
import { mprotect, onePage, type Scenario } from "shootdown";

export const mine: Scenario = {
  name: "mine",
  summary: "a page is protected while a lazy CPU returns to a thread that reads it",
  cpus: 2,
  prepare(stage) {
    const [cpu0, cpu1] = stage.cpus;
    const mm = stage.mm("mm");
    stage.switchTo(stage.task(cpu0, "protector", mm));
    stage.makeReady(stage.reader(cpu1, mm));
    return [(cpu) => mprotect(cpu, mm, onePage(), { writable: false, executable: false })];
  },
};
`;

const MISSPELT = `
import { runExperiment } from "shootdown";
await runExperiment("munmap", { axes: { coers: 2 } });
`;

let app: Installed;

beforeAll(() => {
  app = new Installed();
  app.write("first.ts", FIRST_SCRIPT);
  app.write("mine.ts", SCENARIO);
  const file = join(app.package, "data/vectors/vectors-dev.jsonl.gz");
  const vectors = gunzipSync(readFileSync(file));
  app.write("one.jsonl", vectors.subarray(0, vectors.indexOf("\n")));
});

afterAll(() => app.remove());

test("scripts and examples type-check, and the first script runs on plain Node", () => {
  app.typeCheck();
  const said = JSON.parse(app.run(process.execPath, "first.js")) as Record<string, unknown>;
  expect(said).toMatchObject({
    sources: ["walk", "l1"],
    cpus: 3,
    policies: ["refcounted", "eager"],
    trace: "madvise-free",
    vectors: [1, 1, 0],
  });
  for (const cost of said["costs"] as number[]) expect(cost).toBeGreaterThan(0);
});

test("the types refuse a misspelt axis", () => {
  app.write("misspelt.ts", MISSPELT);
  expect(() => app.typeCheck()).toThrow();
});

test("the script of the README prints what the README says", () => {
  const readme = readFileSync(join(app.package, "README.md"), "utf8");
  const [, script = ""] = /```js\n(.*?)```/s.exec(readme) ?? [];
  const [, quoted] = /It prints six lines, `([^`]*)` among them/.exec(readme) ?? [];
  app.write("readme.js", script);
  const lines = app.run(process.execPath, "readme.js").trimEnd().split("\n");
  expect(lines).toHaveLength(6);
  expect(lines).toContain(quoted);
});

test("the command of the package runs from where it is installed", () => {
  const main = join(app.package, "dist/cli/main.js");
  const stdout = app.run(process.execPath, main, "run", "munmap", "--json", "--set", "rounds=2");
  expect(JSON.parse(stdout)).toHaveProperty("experiment", "munmap");
  expect(readFileSync(main, "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
});

test("a scenario in the user's folder type-checks and is explored", async () => {
  const { stdout } = await app.shootdown(
    "explore",
    "mine.ts",
    "--policy",
    "eager",
    "--workers",
    "1",
    "--json",
  );
  const [result] = JSON.parse(stdout).scenarios;
  expect(result).toMatchObject({ name: "mine", file: "mine.ts", complete: true, violations: [] });
});

test("the package carries no sources and no tests", () => {
  const files = app.run("find", app.package, "-type", "f").split("\n");
  expect(files.some((file) => file.endsWith("dist/machine.wasm"))).toBe(true);
  expect(files.filter((file) => /\/(src|test|assembly)\//.test(file))).toEqual([]);
});

/** Every relative import of a packed module, as the file that it names. */
const importsIn = (file: string): string[] =>
  [...readFileSync(file, "utf8").matchAll(/(?:from |import\(|new URL\()"(\.[^"]+)"/g)].map(
    ([, target]) => join(dirname(file), target!),
  );

test("the package leaves out what only its own nights run, and lacks nothing of the rest", () => {
  const files = app.run("find", join(app.package, "dist"), "-type", "f").trim().split("\n");
  expect(files.filter((file) => /verify-(matrix|oracle|random)\./.test(file))).toEqual([]);
  expect(files.filter((file) => /\/verify\/(matrix|oracle|programs)\//.test(file))).toEqual([]);
  expect(files.some((file) => file.endsWith("dist/cli/verify-command.js"))).toBe(true);
  const modules = files.filter((file) => /(\.d\.ts|\.js)$/.test(file));
  const imports = modules.flatMap(importsIn);
  expect(imports.length).toBeGreaterThan(500);
  expect(imports.filter((target) => !existsSync(target) && !existsSync(typesOf(target)))).toEqual(
    [],
  );
});

/** Types that import "./x.ts" mean the declarations beside it. */
const typesOf = (target: string): string => target.replace(/\.ts$/, ".d.ts");
