// Every function of kernel code has a name for schedules, given beside it.

import { expect, test } from "vitest";
import { problemsIn, type Rule, SOURCE_FILES } from "./source-files.ts";

/** They run what they are handed: under each lock, or as a task. */
const NAMELESS = ["underEachLock", "program"];

/** Operations are what steps are made of; functions are where they are made. */
const isKernelCode = (path: string): boolean =>
  path.startsWith("src/kernel/") && !path.startsWith("src/kernel/operation/");

const hasNames: Rule = ({ text }) => {
  const given = [...text.matchAll(/nameFunctions\(\{([^}]*)\}\)/g)].map(([, list]) => list).join();
  const named = new Set([...given.matchAll(/\w+/g)].map(([word]) => word));
  return [...text.matchAll(/function\* (\w+)|const (\w+)[^=;]*= function\*/g)]
    .map(([, declared, assigned]) => declared ?? assigned!)
    .filter((name) => !named.has(name) && !NAMELESS.includes(name))
    .map((name) => `${name} is in no nameFunctions`);
};

test("kernel functions have names for schedules", () => {
  for (const text of [
    "export function* flush() {}\nnameFunctions({ flushes: flushed });\n",
    "const flush: Flush = function* (cpu) {};\n",
  ]) {
    expect(hasNames({ path: "src/kernel/a.ts", text }, [])).toHaveLength(1);
  }
  const files = SOURCE_FILES.filter(({ path }) => isKernelCode(path));
  expect(files.length).toBeGreaterThan(100);
  expect(problemsIn(files, hasNames)).toEqual([]);
});
