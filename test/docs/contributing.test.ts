// CONTRIBUTING.md is true: what it names is there, and each recipe says what holds it.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { PROJECTS } from "../../vitest.config.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const TEXT = read("CONTRIBUTING.md");
const SCRIPTS = (JSON.parse(read("package.json")) as { scripts: object }).scripts;

/** Paths that the text names; NAME stands for the name of what is added. */
const pathsIn = (text: string): readonly string[] =>
  [...text.matchAll(/`((?:\.ci|assembly|docs|scripts|src|test)\/[^`\s]*|[A-Z]+\.md|[\w.]+\.ts)`/g)]
    .map(([, path]) => path!)
    .filter((path) => !path.includes("NAME"));

const recipes = TEXT.slice(TEXT.indexOf("## Recipes"))
  .split(/^### /m)
  .slice(1)
  .map((text) => [text.slice(0, text.indexOf("\n")), text] as const);

test("every file that is named exists", () => {
  const paths = pathsIn(TEXT);
  expect(paths.length).toBeGreaterThan(60);
  expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test("every script that is named exists", () => {
  const named = [...TEXT.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name!);
  expect(named).toEqual(expect.arrayContaining(["check", "test:quick", "test:watch", "nightly"]));
  expect(named.filter((name) => !Object.hasOwn(SCRIPTS, name))).toEqual([]);
});

test("the projects are those of vitest.config.ts", () => {
  const rows = [...TEXT.matchAll(/^\| `(\w+)` +\|/gm)].map(([, name]) => name);
  expect(rows).toEqual(["unit", ...Object.keys(PROJECTS)]);
});

describe("a recipe", () => {
  test("is there for each of the things that one adds", () => {
    expect(recipes.map(([title]) => title)).toEqual([
      "A lazy policy",
      "A protocol",
      "A workload",
      "A CPU preset",
      "A scenario",
      "A mutation",
      "An operation",
      "A kernel function",
      "An event and a checker",
      "An axis",
      "A command",
      "A machine counter",
      "A field of the machine's description",
    ]);
  });

  test.each(recipes)("for %s names files to touch, and a test that holds it", (_title, text) => {
    const [steps = "", holders = ""] = text.split("Held by:");
    expect(steps.match(/^\d+\. /gm)!.length).toBeGreaterThan(2);
    expect(pathsIn(holders).filter((path) => path.startsWith("test/"))).not.toEqual([]);
  });
});
