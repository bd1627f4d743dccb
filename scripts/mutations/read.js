// The rules that are to be broken, one block each: a name, the text that embodies the rule, and what
// to put in its place (nothing, if there is no such line).
//
//   # NW needs CD
//   - the text, on one line or more, that is exactly once in the file
//   + its replacement
//
// registers.txt and registers-rights.txt are of assembly/registers.ts.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));

export function readRules() {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith(".txt"));
  const rules = names.sort().flatMap(readList);
  const seen = new Set();
  for (const { name } of rules) {
    if (seen.has(name)) throw new Error(`two rules are named "${name}"`);
    seen.add(name);
  }
  return rules;
}

function readList(list) {
  const file = `${list.split(/[-.]/)[0]}.ts`;
  const text = readFileSync(FOLDER + list, "utf8");
  return text
    .trim()
    .split("\n\n")
    .map((block) => {
      const lines = block.split("\n");
      const marked = (mark) =>
        lines.filter((line) => line.startsWith(`${mark} `)).map((line) => line.slice(2));
      const [name] = marked("#");
      return { file, name, from: marked("-").join("\n"), to: marked("+").join("\n") };
    });
}
