// What of dist/ is older than what it is built from, and building it. Some tests run src/ on
// dist/machine.wasm, others run dist/ as users do: none may run yesterday's code.

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join, relative } from "node:path";

export interface StaleParts {
  /** Why the machine must be built; undefined if it need not. */
  readonly wasm: string | undefined;
  /** The same of the JavaScript. */
  readonly js: string | undefined;
  /** What tsc wrote for sources that are gone: nothing else would take it out of dist/. */
  readonly leftovers: readonly string[];
}

export type BuildScript = "build:wasm" | "build:js";

interface Builder {
  readonly say: (line: string) => void;
  readonly build: (script: BuildScript, root: string) => void;
}

const WASM_SOURCES = ["assembly", "asconfig.json", "scripts/build-wasm.js"];
const JS_OPTIONS = ["tsconfig.json", "tsconfig.build.json"];

const changedAt = (root: string, path: string): number => statSync(join(root, path)).mtimeMs;

/** The files at `path` from the root, with slashes: that path itself if it is a file. */
function filesAt(root: string, path: string): readonly string[] {
  const full = join(root, path);
  if (!existsSync(full)) return [];
  if (!statSync(full).isDirectory()) return [path];
  return readdirSync(full, { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(join(full, name)).isFile())
    .map((name) => relative(root, join(full, name)).replaceAll("\\", "/"));
}

/** Why `built` does not stand for `sources` any more; undefined if it does. */
function reasonToBuild(root: string, built: string, sources: readonly string[]) {
  if (!existsSync(join(root, built))) return `${built} is missing`;
  const newer = sources.find((source) => changedAt(root, source) > changedAt(root, built));
  return newer === undefined ? undefined : `${built} is older than ${newer}`;
}

const builtFrom = (source: string): string =>
  source.replace(/^src\//, "dist/").replace(/\.ts$/, ".js");

const sourceOf = (built: string): string =>
  built.replace(/^dist\//, "src/").replace(/(\.d\.ts|\.js)$/, ".ts");

export function staleParts(root: string): StaleParts {
  const sources = (paths: readonly string[]) => paths.flatMap((path) => filesAt(root, path));
  const options = sources(JS_OPTIONS);
  return {
    wasm: reasonToBuild(root, "dist/machine.wasm", sources(WASM_SOURCES)),
    js: filesAt(root, "src")
      .filter((file) => file.endsWith(".ts"))
      .map((file) => reasonToBuild(root, builtFrom(file), [file, ...options]))
      .find((reason) => reason !== undefined),
    leftovers: filesAt(root, "dist").filter(
      (file) => /(\.d\.ts|\.js)$/.test(file) && !existsSync(join(root, sourceOf(file))),
    ),
  };
}

const npmRun = (script: BuildScript, root: string): void => {
  execFileSync("npm", ["run", "--silent", script], { cwd: root, stdio: "inherit" });
};

const SAY_AND_BUILD: Builder = { say: (line) => console.log(line), build: npmRun };

/** Builds what is stale, and says so in a line for each part. */
export function refreshBuild(root: string, { say, build } = SAY_AND_BUILD): void {
  const { wasm, js, leftovers } = staleParts(root);
  for (const file of leftovers) {
    say(`${file} has no source: removed`);
    rmSync(join(root, file));
  }
  const parts: readonly (readonly [BuildScript, string | undefined])[] = [
    ["build:wasm", wasm],
    ["build:js", js],
  ];
  for (const [script, reason] of parts) {
    if (reason === undefined) continue;
    say(`${reason}: npm run ${script}`);
    build(script, root);
  }
}
