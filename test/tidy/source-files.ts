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
}

const FROM = /^(?:import|export)\s+(type\s+)?([^;"]*?)\s*from\s+"(\.[^"]+)"/.source;
const BARE = /(?:\bimport\s*\(?|new URL\()\s*"(\.[^"]+)"/.source;
const IMPORT = new RegExp(`${FROM}|${BARE}`, "gm");

const areTypes = (names: string): boolean => {
  const inner = /^\{([^}]*)\}$/.exec(names)?.[1];
  if (inner === undefined) return false;
  const each = inner.split(",").map((name) => name.trim());
  return each.every((name) => name === "" || name.startsWith("type "));
};

const cache = new WeakMap<SourceFile, readonly Import[]>();

export function importsOf(file: SourceFile): readonly Import[] {
  let found = cache.get(file);
  if (found === undefined) {
    found = [...file.text.matchAll(IMPORT)].map(([, type, names = "", from, bare]) => ({
      target: normalize(join(dirname(file.path), (from ?? bare)!)).replace(/\.js$/, ".ts"),
      isTypeOnly: type !== undefined || areTypes(names),
    }));
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
