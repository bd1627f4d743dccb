// Writes the tables of axes into docs/commands/run.md (all of them) and README.md (a newcomer's),
// from src/experiment/axes.ts, and the table of built-in experiments into run.md. Needs a build.
//
//   npm run docs:axes [-- --check]
//
// --check writes nothing, and exits 1 where the docs are not as they would be written.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";
import { BUILT_IN } from "../dist/catalogue/catalogue.js";
import { AXES, AXIS_NAMES } from "../dist/experiment/axes.js";
import { BUILT_IN_NAMES, builtIn } from "../dist/experiment/builtin.js";
import { claims } from "../dist/experiment/claims.js";
import { questions } from "../dist/experiment/questions.js";

const MAX_CELL = 90;
const MAX_WIDTH = 100;

/** What a newcomer sets. */
const FIRST_AXES = ["cpu", "protocol", "cores", "pages", "lazyTlb"];
/** Where README.md sends the reader for values that are too many for a cell. */
const LISTED_IN = { protocol: "docs/protocols.md", lazyTlb: "docs/lazy-tlb.md" };

const code = (text) => `\`${text}\``;
const list = (names) => names.map(code).join(", ");

/** A row of a table, whose cells must be short. */
function line(cells) {
  const wide = cells.find((cell) => cell.length > MAX_CELL);
  if (wide !== undefined) throw new Error(`over ${MAX_CELL} characters: ${wide}`);
  return `| ${cells.join(" | ")} |`;
}

const table = (head, rows) => [head, head.map(() => "---"), ...rows].map(line).join("\n");

/** What may be written, with names as code. */
function valuesOf(axis) {
  const accepts = axis.accepts(BUILT_IN);
  const names = axis.names?.(BUILT_IN);
  if (names === undefined) return accepts;
  return accepts
    .replace(names.join(", "), list(names))
    .replace(/^one of |^true or false$/, (all) => (all === "true or false" ? list(names) : ""));
}

const isLong = (axis) => valuesOf(AXES[axis]).length > MAX_CELL;

function tableOf(axes, longValues) {
  const rows = axes.map((axis) => {
    const { summary, defaultText, read } = AXES[axis];
    const values = isLong(axis) ? longValues(axis) : valuesOf(AXES[axis]);
    const isValue = read(defaultText, BUILT_IN) !== undefined;
    return [code(axis), summary, values, isValue ? code(defaultText) : defaultText];
  });
  return table(["axis", "what it says", "values", "default"], rows);
}

/** `text` in lines of at most MAX_WIDTH columns. */
function wrapped(text) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`.trimStart();
    if (longer.length > MAX_WIDTH) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines.join("\n");
}

const everyAxis = [
  tableOf(AXIS_NAMES, (axis) => `${AXES[axis].names(BUILT_IN).length} names, listed below`),
  ...AXIS_NAMES.filter(isLong).map((axis) =>
    wrapped(`The values of ${code(axis)}: ${list(AXES[axis].names(BUILT_IN))}.`),
  ),
].join("\n\n");

const firstAxes = tableOf(
  FIRST_AXES,
  (axis) => `[${AXES[axis].names(BUILT_IN).length} names](${LISTED_IN[axis]})`,
);

const kindOf = (name) =>
  questions.some((one) => one.name === name)
    ? "question"
    : claims.some((one) => one.name === name)
      ? "claim"
      : name === "default"
        ? "default"
        : "workload";

const experiments = table(
  ["experiment", "kind", "what it runs"],
  BUILT_IN_NAMES.map((name) => [code(name), kindOf(name), builtIn(name).title]),
);

/** `before` with each text of `tables` between the two comments that name it. */
const filled = (before, tables) =>
  Object.entries(tables).reduce((draft, [name, text]) => {
    const [begin, end] = [`<!-- table of ${name} -->`, `<!-- end of the table of ${name} -->`];
    const [head, rest] = draft.split(begin);
    const [, tail] = rest.split(end);
    return `${head}${begin}\n\n${text}\n\n${end}${tail}`;
  }, before);

async function write(name, tables) {
  const file = fileURLToPath(new URL(`../${name}`, import.meta.url));
  const before = readFileSync(file, "utf8");
  const options = await resolveConfig(file);
  const after = await format(filled(before, tables), { ...options, filepath: file });
  if (!process.argv.includes("--check")) writeFileSync(file, after);
  else if (after !== before) {
    process.stderr.write(`${name} is out of date: npm run docs:axes\n`);
    process.exitCode = 1;
  }
}

await write("docs/commands/run.md", { axes: everyAxis, experiments });
await write("README.md", { axes: firstAxes });
