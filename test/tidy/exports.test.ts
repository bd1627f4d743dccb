// What is exported is for another file to import: of src/, assembly/, test/, bench/ or scripts/. A
// test counts, because it may look at a part that its layer keeps to itself. A type may be exported
// for what it is part of, which its own file shows by naming it again. Not held to it are the two
// faces, whose exports are for those outside: the package's and the machine's.

import { expect, test } from "vitest";
import {
  importsOf,
  problemsIn,
  type Rule,
  SOURCE_FILES,
  type SourceFile,
  sourceFilesOf,
} from "./source-files.ts";

const FACES = ["src/index.ts", "assembly/index.ts"];
const ALL = [...SOURCE_FILES, ...sourceFilesOf(["scripts"], /\.js$/)];

const VALUE = /^export (?:async |abstract )?(?:const|let|function\*?|class|enum) (\w+)/gm;
const TYPE = /^export (?:interface|type) (\w+)/gm;
const LISTED = /^export (?:type )?\{([^}]*)\}/gm;

const namesIn = (text: string, pattern: RegExp): readonly string[] =>
  [...text.matchAll(pattern)].map(([, name]) => name!);

const exportsOf = ({ text }: SourceFile): readonly string[] => [
  ...namesIn(text, VALUE),
  ...namesIn(text, TYPE),
  ...namesIn(text, LISTED).flatMap((list) => namesIn(list, /(\w+)\s*(?:,|$)/g)),
];

/** Types that something else in their file is made of. */
const partsOf = ({ text }: SourceFile): readonly string[] =>
  namesIn(text, TYPE).filter((name) => text.split(new RegExp(`\\b${name}\\b`)).length > 2);

type Taken = ReadonlyMap<string, ReadonlySet<string>>;

/** What others import of each file. */
function takenFrom(files: readonly SourceFile[]): Taken {
  const taken = new Map(files.map(({ path }) => [path, new Set<string>()]));
  const exported = new Map(files.map((file) => [file.path, exportsOf(file)]));
  for (const { target, names } of files.flatMap(importsOf)) {
    const all = names === "all" ? (exported.get(target) ?? []) : names;
    for (const name of all) taken.get(target)?.add(name);
  }
  return taken;
}

const known = new WeakMap<readonly SourceFile[], Taken>();

const exportsForOthers: Rule = (file, all) => {
  if (FACES.includes(file.path) || !/^(src|assembly)\//.test(file.path)) return [];
  const taken = known.get(all) ?? takenFrom(all);
  known.set(all, taken);
  const used = new Set([...taken.get(file.path)!, ...partsOf(file)]);
  const idle = exportsOf(file).filter((name) => !used.has(name));
  return idle.map((name) => `exports ${name}, which no other file imports`);
};

const exporter = (text: string): SourceFile => ({ path: "src/a.ts", text });
const importer = (text: string): SourceFile => ({ path: "test/b.ts", text });

test.each([
  ["export const one = 1;", 'import { two } from "../src/a.ts";'],
  ["export function* one() {}", 'import { type two, three as one } from "../src/a.ts";'],
  ["export interface one {}", 'import * as a from "../src/a.ts";\na.two();'],
  ["const one = 1;\nexport { one };", 'import "../src/a.ts";'],
  ["export { two as one } from './c.ts';", ""],
])("an export that nobody imports is seen: %s", (exported, imported) => {
  const files = [exporter(exported), importer(imported)];
  expect(problemsIn(files, exportsForOthers)).toEqual([
    "src/a.ts exports one, which no other file imports",
  ]);
});

test.each([
  'import { one } from "../src/a.ts";',
  'import {\n  type two,\n  type one,\n} from "../src/a.ts";',
  'import { one as two } from "../dist/a.js";',
  'export { one as two } from "../src/a.ts";',
  'export * from "../src/a";',
  'import * as a from "../src/a.ts";\na.one();',
  '(await import("../src/a.ts")).one();',
])("an export that another file imports is left alone: %s", (imported) => {
  const files = [exporter("export const one = 1;"), importer(imported)];
  expect(problemsIn(files, exportsForOthers)).toEqual([]);
});

test("a type that its file names again is left alone", () => {
  const files = [exporter("export interface one {}\nexport const two: one = {};"), importer("")];
  expect(problemsIn(files, exportsForOthers)).toEqual([
    "src/a.ts exports two, which no other file imports",
  ]);
});

test("what is exported is imported by another file", () => {
  expect(problemsIn(ALL, exportsForOthers)).toEqual([]);
});
