// The repository's source files as the rules of tidy see them, read once.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

export interface SourceFile {
  /** From the root of the repository, with slashes. */
  readonly path: string;
  readonly text: string;
}

/** What is wrong with a file: a sentence for each problem, which begins after the file's name. */
export type Rule = (file: SourceFile, all: readonly SourceFile[]) => readonly string[];

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export const sourceFilesOf = (folders: readonly string[], ending: RegExp): readonly SourceFile[] =>
  folders
    .filter((folder) => existsSync(join(ROOT, folder)))
    .flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
        .filter((path) => ending.test(path) && !path.includes("node_modules"))
        .map((path) => ({
          path: `${folder}/${path.replaceAll("\\", "/")}`,
          text: readFileSync(join(ROOT, folder, path), "utf8"),
        })),
    );

export const SOURCE_FILES = sourceFilesOf(
  ["src", "assembly", "test", "bench", "examples"],
  /\.(ts|js|mjs)$/,
);

/** One import of a file: its target from the root of the repository. */
export interface Import {
  readonly target: string;
  /** The names are types: nothing is left of the import when the program runs. */
  readonly isTypeOnly: boolean;
  /** What is taken of it; "all" of `export *`, none of an import for its effect. */
  readonly names: readonly string[] | "all";
  /** Named by its URL: another thread loads it. */
  readonly isByUrl: boolean;
}

const FROM = /^(?:import|export)\s+(type\s+)?([^;"]*?)\s*from\s+"(\.[^"]+)"/.source;
const BARE = /(?:\bimport\s*\(?|(new URL\())\s*"(\.[^"]+)"(?:\)\)\.(\w+))?/.source;
const IMPORT = new RegExp(`${FROM}|${BARE}`, "gm");

const areTypes = (names: string): boolean => {
  const inner = /^\{([^}]*)\}$/.exec(names)?.[1];
  if (inner === undefined) return false;
  const each = inner.split(",").map((name) => name.trim());
  return each.every((name) => name === "" || name.startsWith("type "));
};

/** The names of `{ a, type b, c as d }`, or of what the file uses of `* as a`. */
function namesTaken(names: string, text: string): readonly string[] | "all" {
  const all = /^\* as (\w+)$/.exec(names)?.[1];
  if (all !== undefined) {
    return [...text.matchAll(new RegExp(`\\b${all}\\.(\\w+)`, "g"))].map(([, name]) => name!);
  }
  if (names === "*") return "all";
  return [...names.matchAll(/(?:^\{|,)\s*(?:type\s+)?(\w+)/g)].map(([, name]) => name!);
}

/** Where an import leads: scripts use the built files. */
const targetOf = (from: string, importer: string): string =>
  normalize(join(dirname(importer), from))
    .replace(/^dist\/(.*)\.js$/, "src/$1.ts")
    .replace(/(?:\.js|(?<!\.\w+))$/, ".ts");

const cache = new WeakMap<SourceFile, readonly Import[]>();

export function importsOf(file: SourceFile): readonly Import[] {
  let found = cache.get(file);
  if (found === undefined) {
    found = [...file.text.matchAll(IMPORT)].map(
      ([, type, names = "", from, url, bare, member]) => ({
        target: targetOf((from ?? bare)!, file.path),
        isTypeOnly: type !== undefined || areTypes(names),
        names: member === undefined ? namesTaken(names, file.text) : [member],
        isByUrl: url !== undefined,
      }),
    );
    cache.set(file, found);
  }
  return found;
}

/** The problems that `rule` finds in `files`, each with the name of its file. */
export const problemsIn = (
  files: readonly SourceFile[],
  rule: Rule,
  all: readonly SourceFile[] = files,
): readonly string[] =>
  files.flatMap((file) => rule(file, all).map((problem) => `${file.path} ${problem}`));
