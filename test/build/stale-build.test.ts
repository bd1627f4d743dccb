// What counts as stale, in a folder of empty files with chosen times.

import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type BuildScript, refreshBuild, staleParts } from "./stale-build.ts";

let root = "";

/** An empty file that was last changed `hour` hours after midnight. */
function fileOf(path: string, hour: number): void {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, "");
  const time = new Date(2026, 0, 1, hour);
  utimesSync(full, time, time);
}

const SOURCES = [
  "assembly/index.ts",
  "assembly/tlb.ts",
  "asconfig.json",
  "scripts/build-wasm.js",
  "src/index.ts",
  "src/cli/main.ts",
  "tsconfig.json",
  "tsconfig.build.json",
];
const BUILT = ["dist/machine.wasm", "dist/index.js", "dist/index.d.ts", "dist/cli/main.js"];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "shootdown-stale-"));
  for (const path of SOURCES) fileOf(path, 8);
  for (const path of BUILT) fileOf(path, 9);
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

/** What is built, removed and said. */
function refresh() {
  const built: BuildScript[] = [];
  const said: string[] = [];
  const build = (script: BuildScript): void => void built.push(script);
  refreshBuild(root, { build, say: (line) => void said.push(line) });
  return { built, said };
}

describe("a build", () => {
  test("that is newer than its sources stays", () => {
    expect(refresh()).toEqual({ built: [], said: [] });
  });

  test.each(["assembly/tlb.ts", "asconfig.json", "scripts/build-wasm.js"])(
    "is made again of the machine after a change of %s",
    (path) => {
      fileOf(path, 10);
      expect(refresh()).toEqual({
        built: ["build:wasm"],
        said: [`dist/machine.wasm is older than ${path}: npm run build:wasm`],
      });
    },
  );

  test("is made again of the JavaScript after a change of any source", () => {
    fileOf("src/cli/main.ts", 10);
    expect(refresh()).toEqual({
      built: ["build:js"],
      said: ["dist/cli/main.js is older than src/cli/main.ts: npm run build:js"],
    });
  });

  test("is made again after a change of the compiler's options", () => {
    fileOf("tsconfig.json", 10);
    expect(refresh().built).toEqual(["build:js"]);
  });

  test("is made for a source that was never built", () => {
    fileOf("src/cli/new.ts", 8);
    expect(staleParts(root)).toEqual({
      wasm: undefined,
      js: "dist/cli/new.js is missing",
      leftovers: [],
    });
  });

  test("loses what is left of a source that is gone, and is not made again for it", () => {
    fileOf("dist/old.js", 9);
    fileOf("dist/old.d.ts", 9);
    const { built, said } = refresh();
    expect(built).toEqual([]);
    expect(said.toSorted()).toEqual([
      "dist/old.d.ts has no source: removed",
      "dist/old.js has no source: removed",
    ]);
    expect(staleParts(root).leftovers).toEqual([]);
  });

  test("is made whole in an empty clone", () => {
    rmSync(join(root, "dist"), { recursive: true });
    expect(refresh().built).toEqual(["build:wasm", "build:js"]);
  });
});
