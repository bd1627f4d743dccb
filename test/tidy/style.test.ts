// The house style as far as a program can see it. Each rule is first shown a file that breaks it.

import { basename } from "node:path";
import { describe, expect, test } from "vitest";
import { importsOf, problemsIn, type Rule, SOURCE_FILES, type SourceFile } from "./source-files.ts";

const MAX_LINES = 300;
const MAX_WIDTH = 100;

/** Files that something else than an import starts. */
const ENTRIES = [
  "src/index.ts",
  "src/faces/kernel.ts",
  "src/faces/explore.ts",
  "src/cli/main.ts",
  "src/cli/verify-matrix.ts",
  "src/cli/verify-oracle.ts",
  "src/cli/verify-random.ts",
  "assembly/index.ts",
];

const linesMatching =
  (pattern: RegExp, what: string): Rule =>
  ({ text }) =>
    text
      .split("\n")
      .flatMap((line, index) => (pattern.test(line) ? [`line ${index + 1}: ${what}`] : []));

const outside =
  (folders: readonly string[], rule: Rule): Rule =>
  (file, all) =>
    folders.some((folder) => file.path.startsWith(folder)) ? [] : rule(file, all);

const inside =
  (folders: readonly string[], rule: Rule): Rule =>
  (file, all) =>
    folders.some((folder) => file.path.startsWith(folder)) ? rule(file, all) : [];

const isShort: Rule = ({ text }) => {
  const lines = text.split("\n").length - 1;
  return lines > MAX_LINES ? [`has ${lines} lines`] : [];
};

const isNarrow: Rule = ({ text }) =>
  text
    .split("\n")
    .flatMap((line, index) =>
      [...line].length > MAX_WIDTH ? [`line ${index + 1} has ${[...line].length} columns`] : [],
    );

const BANNED_NAME = /util|helper|common|manager/i;

const hasNoBannedName: Rule = ({ path, text }) => {
  const declared = text.matchAll(/^\s*(?:export )?(?:const|let|function\*?|class|type)\s+(\w+)/gm);
  const names = [basename(path), ...[...declared].map(([, name]) => name!)];
  return names.filter((name) => BANNED_NAME.test(name)).map((name) => `is or declares ${name}`);
};

const isImported: Rule = ({ path }, all) => {
  if (ENTRIES.includes(path) || !/^(src|assembly)\//.test(path)) return [];
  const used = all.some((other) => /^(src|assembly)\//.test(other.path) && imports(other, path));
  return used ? [] : ["is imported by nobody"];
};

const imports = (file: SourceFile, path: string): boolean =>
  importsOf(file).some(({ target }) => target === path);

const isOpenedByComment: Rule = ({ text }) =>
  text.replace(/^#!.*\n/, "").startsWith("//") ? [] : ["does not say in its first line what it is"];

/** A call that begins a statement or is a condition, after if, else and for as well. */
const CALL_STATEMENT =
  /^\s*(?:\} )?(?:else )?(?:(?:if|for|while) \((?:.*\) |!?))?(?:await )?([\w.!?[\]]*?)(\w+)\(/;

/** A generator that is called without yield* type-checks and does nothing. Left alone: calls of the
 *  machine, whose instructions share their names, and generators handed over as arguments. */
const yieldsToGenerators: Rule = ({ text }, all) => {
  const generators = generatorsOf(all);
  return text.split("\n").flatMap((line, index) => {
    const [, receiver = "", name = ""] = CALL_STATEMENT.exec(line) ?? [];
    const passed = receiver.endsWith("machine.") || line.endsWith(",") || declares(line);
    return generators.has(name) && !passed ? [`line ${index + 1}: ${name} without yield*`] : [];
  });
};

const known = new WeakMap<readonly SourceFile[], ReadonlySet<string>>();

/** The names of all generators in `all`, looked up once for the same files. */
function generatorsOf(all: readonly SourceFile[]): ReadonlySet<string> {
  const generators = known.get(all) ?? new Set(all.flatMap(({ text }) => generatorNames(text)));
  known.set(all, generators);
  return generators;
}

const generatorNames = (text: string): readonly string[] =>
  [
    ...text.matchAll(/function\*\s+(\w+)/g),
    ...text.matchAll(/function\s+(\w+)\(.*\): KernelCode/g),
    ...text.matchAll(/^\s+(?:(?:private|protected|public|static) )*\*(\w+)[(<]/gm),
  ].map(([, name]) => name!);

const declares = (line: string): boolean => /\)\s*:\s*[\w<>, ]+\s*[;{]\s*$|\*\w+\(/.test(line);

const RULES: Readonly<Record<string, { readonly rule: Rule; readonly broken: SourceFile }>> = {
  "a file has at most 300 lines": {
    rule: isShort,
    broken: { path: "src/a.ts", text: "\n".repeat(301) },
  },
  "a line has at most 100 columns": {
    rule: isNarrow,
    broken: { path: "src/a.ts", text: "x".repeat(101) },
  },
  "no file or identifier has a banned name": {
    rule: outside(["test/tidy"], hasNoBannedName),
    broken: { path: "src/base/string-utils.ts", text: "" },
  },
  "results depend on neither clock nor chance": {
    rule: inside(
      ["src/"],
      outside(
        // An exploration may be given a time; what it finds within it is no less so.
        ["src/perf/", "src/cli/", "src/explore/search/explorer.ts", "src/explore/explore.ts"],
        linesMatching(
          /\bDate\.now|\bnew Date\(\)|Math\.random|performance\.now/,
          "clock or chance",
        ),
      ),
    ),
    broken: { path: "src/kernel/a.ts", text: "const x = Math.random();" },
  },
  "every file is imported by another": {
    rule: isImported,
    broken: { path: "src/base/nobody.ts", text: "" },
  },
  "exports are named": {
    rule: inside(
      ["src/", "assembly/", "test/"],
      linesMatching(/^export default/, "default export"),
    ),
    broken: { path: "src/a.ts", text: "export default 1;" },
  },
  "only the faces of the package and of the machine gather exports": {
    rule: outside(
      ["src/index.ts", "assembly/index.ts"],
      linesMatching(/^export \* from/, "a barrel"),
    ),

    broken: { path: "src/machine/index.ts", text: 'export * from "./x.ts";' },
  },
  "nothing is left to do": {
    rule: outside(["test/tidy"], linesMatching(/\b(TODO|FIXME|XXX)\b/, "something left to do")),
    broken: { path: "src/a.ts", text: "// TODO: later" },
  },
  "the type checker is never silenced": {
    rule: outside(
      ["test/tidy"],
      linesMatching(/@ts-(ignore|nocheck|expect-error)|(eslint|oxlint)-disable/, "silenced"),
    ),
    broken: { path: "src/a.ts", text: "// @ts-ignore" },
  },
  "a file opens by saying what it is": {
    rule: inside(["src/", "assembly/"], isOpenedByComment),
    broken: { path: "src/a.ts", text: "export const x = 1;\n" },
  },
  "a generator is called with yield*": {
    rule: inside(["src/kernel/", "src/workloads/"], yieldsToGenerators),
    broken: {
      path: "src/kernel/a.ts",
      text: "export function* walk() {}\nfunction* f() {\n  walk();\n}\n",
    },
  },
};

describe("tidy", () => {
  for (const [name, { rule, broken }] of Object.entries(RULES)) {
    test(name, () => {
      expect(rule(broken, [broken]), "the rule must see a file that breaks it").not.toEqual([]);
      const problems = problemsIn(SOURCE_FILES, rule);
      expect(problems).toEqual([]);
    });
  }

  test("there is something to look at", () => {
    expect(SOURCE_FILES.length).toBeGreaterThan(20);
  });

  test("a function that returns kernel code is one, too", () => {
    const text = "function walk(): KernelCode {\n  return HOLDS;\n}\nwalk();\n";
    const file = { path: "src/kernel/a.ts", text };
    expect(RULES["a generator is called with yield*"]!.rule(file, [file])).toHaveLength(1);
  });

  test.each([
    "walk();",
    "if (x) walk();",
    "else walk();",
    "for (a of b) c.walk();",
    "if (!walk())",
  ])("a lost yield* is seen in: %s", (line) => {
    const text = `function* walk() {}\n${line}\n`;
    const file = { path: "src/kernel/a.ts", text };
    expect(RULES["a generator is called with yield*"]!.rule(file, [file])).toHaveLength(1);
  });

  test.each(["yield* walk();", "start(walk());", "if (x) yield* walk();", "machine.walk();"])(
    "nothing is lost in: %s",
    (line) => {
      const text = `function* walk() {}\n${line}\n`;
      const file = { path: "src/kernel/a.ts", text };
      expect(RULES["a generator is called with yield*"]!.rule(file, [file])).toEqual([]);
    },
  );
});
