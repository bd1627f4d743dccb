// No files import each other in a circle, types included: of two files, one can be read without the
// other. Of values there is no circle at all, so the order of loading cannot matter. Of types there
// is one, the kernel's nouns, which name each other as C structs do.

import { expect, test } from "vitest";
import { type Import, importsOf, SOURCE_FILES, type SourceFile } from "./source-files.ts";

const NOUNS = [
  "src/kernel/operation/activation.ts",
  "src/kernel/operation/area-operation.ts",
  "src/kernel/operation/entry-operation.ts",
  "src/kernel/operation/event.ts",
  "src/kernel/operation/operation.ts",
  "src/kernel/operation/remote-operation.ts",
  "src/kernel/operation/table-operation.ts",
  "src/kernel/state/call-queue.ts",
  "src/kernel/state/cpu.ts",
  "src/kernel/state/kernel.ts",
  "src/kernel/state/lazy-policy.ts",
  "src/kernel/state/shootdown-protocol.ts",
  "src/kernel/state/task.ts",
  "src/kernel/state/wait-queue.ts",
];

/** Groups of files of which each reaches every other by imports (Tarjan), in order. */
function circlesOf(
  files: readonly SourceFile[],
  counts: (one: Import) => boolean = () => true,
): readonly (readonly string[])[] {
  const targets = new Map(
    files.map((file) => {
      const imports = importsOf(file).filter((one) => !one.isByUrl && counts(one));
      return [file.path, imports.map(({ target }) => target)];
    }),
  );
  const order = new Map<string, number>();
  const open: string[] = [];
  const circles: string[][] = [];
  /** Returns the earliest open file that is reached from `path`, by its place in the order. */
  const visit = (path: string): number => {
    const own = order.size;
    order.set(path, own);
    open.push(path);
    let earliest = own;
    for (const target of targets.get(path)!) {
      if (!targets.has(target)) continue;
      if (!order.has(target)) earliest = Math.min(earliest, visit(target));
      else if (open.includes(target)) earliest = Math.min(earliest, order.get(target)!);
    }
    if (earliest === own) {
      const circle = open.splice(open.indexOf(path));
      if (circle.length > 1 || targets.get(path)!.includes(path)) circles.push(circle.toSorted());
    }
    return earliest;
  };
  for (const { path } of files) if (!order.has(path)) visit(path);
  return circles.toSorted(([a], [b]) => (a! < b! ? -1 : 1));
}

const isOfValues = (one: Import): boolean => !one.isTypeOnly;

/** A file `src/x.ts` that imports others of one letter. */
const file = (name: string, ...imports: readonly string[]): SourceFile => ({
  path: `src/${name}.ts`,
  text: imports.map((each) => `import ${each}.ts";\n`).join(""),
});

const RING = [
  file("a", '{ b } from "./b'),
  file("b", 'type { c } from "./c', '{ d } from "./d'),
  file("c", '{ type a } from "./a'),
  { path: "src/d.ts", text: 'new Worker(new URL("./b.ts", import.meta.url));\n' },
  file("e", '{ f } from "./f', '{ a } from "./a'),
  file("f", '{ e } from "./e'),
];

test("a circle is seen, and neither what leads to it nor a worker is in it", () => {
  expect(circlesOf(RING)).toEqual([
    ["src/a.ts", "src/b.ts", "src/c.ts"],
    ["src/e.ts", "src/f.ts"],
  ]);
  expect(circlesOf(RING, isOfValues)).toEqual([["src/e.ts", "src/f.ts"]]);
});

const OWN = SOURCE_FILES.filter(({ path }) => /^(src|assembly)\//.test(path));

test("no values are imported in a circle", () => {
  expect(OWN.length).toBeGreaterThan(300);
  expect(circlesOf(OWN, isOfValues)).toEqual([]);
});

test("no types are imported in a circle, except by the nouns of the kernel", () => {
  expect(circlesOf(OWN)).toEqual([NOUNS]);
});
