// Who may know whom: the table in docs/architecture.md, as a program sees it. Imports point
// downward, between the folders of src/ and between the rooms of the kernel.

import { expect, test } from "vitest";
import { importsOf, problemsIn, type Rule, SOURCE_FILES, type SourceFile } from "./source-files.ts";

/** What each folder of src/ may import from. The index may import from all. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  reference: ["base"],
  machine: ["base"],
  presets: ["base", "machine"],
  trace: ["base"],
  kernel: ["base", "machine"],
  check: ["base", "machine", "kernel"],
  clock: ["base", "machine", "kernel", "check"],
  workloads: ["base", "machine", "kernel", "trace"],
  catalogue: ["base", "machine", "presets", "kernel", "check", "workloads"],
  explore: ["base", "machine", "presets", "kernel", "check", "catalogue"],
  experiment: [
    "base",
    "machine",
    "presets",
    "trace",
    "kernel",
    "check",
    "clock",
    "workloads",
    "catalogue",
  ],
  perf: ["base", "machine", "presets", "experiment"],
  verify: ["base", "reference", "machine", "presets", "workloads", "catalogue", "experiment"],
  report: ["base", "reference", "machine", "experiment", "explore", "verify"],
  faces: ["base", "machine", "kernel", "check", "workloads", "catalogue", "explore"],
  cli: [
    "base",
    "machine",
    "presets",
    "trace",
    "kernel",
    "workloads",
    "catalogue",
    "explore",
    "experiment",
    "perf",
    "verify",
    "report",
  ],
};

/** The rooms of the kernel: what each may import from, beside base and machine. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  operation: [],
  state: ["operation"],
  locking: ["operation", "state"],
  cpu: ["operation", "state", "locking"],
  shootdown: ["operation", "state", "locking", "cpu"],
  memory: ["operation", "state", "locking", "cpu", "shootdown"],
  lazy: ["operation", "state", "cpu", "memory"],
  process: ["operation", "state", "locking", "cpu", "memory"],
  boot: ["operation", "state", "cpu"],
};

/** The nouns of the kernel name each other, as C structs do: by types alone. */
const NOUNS = ["operation", "state"];

const layerOf = (path: string): string => /^src\/(\w+)(?:\/|\.ts)/.exec(path)?.[1] ?? "";
const roomOf = (path: string): string => /^src\/kernel\/(\w+)(?:\/|\.ts)/.exec(path)?.[1] ?? "";

const pointsDownward: Rule = (file) => {
  const own = layerOf(file.path);
  const allowed = LAYERS[own];
  if (allowed === undefined) return ["is in no layer: see docs/architecture.md, Layers"];
  return importsOf(file).flatMap(({ target }) => {
    if (target === "assembly/abi.ts" || !/^(src|assembly)\//.test(target)) return [];
    if (target.startsWith("assembly/")) return [`imports ${target}: only abi.ts may be`];
    const layer = layerOf(target);
    return layer === own || allowed.includes(layer) ? [] : [`imports ${target}`];
  });
};

const staysInAssembly: Rule = (file) =>
  importsOf(file).flatMap(({ target }) =>
    target.startsWith("assembly/") ? [] : [`imports ${target} from outside assembly`],
  );

const keepsToItsFloor: Rule = (file) => {
  const own = roomOf(file.path);
  const allowed = ROOMS[own];
  if (allowed === undefined) return ["is in no room: see docs/architecture.md, The kernel"];
  return importsOf(file).flatMap(({ target, isTypeOnly }) => {
    if (!target.startsWith("src/kernel/")) return [];
    const room = roomOf(target);
    const areNouns = isTypeOnly && NOUNS.includes(own) && NOUNS.includes(room);
    return room === own || allowed.includes(room) || areNouns ? [] : [`imports ${target}`];
  });
};

const within = (folder: string): readonly SourceFile[] =>
  SOURCE_FILES.filter(({ path }) => path.startsWith(folder));

const importing = (path: string, target: string, type = ""): SourceFile => ({
  path,
  text: `import ${type}{ x } from "${target}";\n`,
});

test("imports between the folders of src/ are those that the table allows", () => {
  const broken = importing("src/base/a.ts", "../machine/x.ts");
  expect(problemsIn([broken], pointsDownward)).toHaveLength(1);
  const inner = importing("src/machine/a.ts", "../../assembly/tlb.ts");
  expect(problemsIn([inner], pointsDownward)).toHaveLength(1);
  const files = within("src/").filter(({ path }) => path.split("/").length > 2);
  expect(files.length).toBeGreaterThan(200);
  expect(problemsIn(files, pointsDownward)).toEqual([]);
});

test("the machine imports nothing from outside", () => {
  const broken = importing("assembly/a.ts", "../src/base/assert.ts");
  expect(problemsIn([broken], staysInAssembly)).toHaveLength(1);
  expect(problemsIn(within("assembly/"), staysInAssembly)).toEqual([]);
});

test("the rooms of the kernel keep to their floors", () => {
  const broken = importing("src/kernel/state/a.ts", "../cpu/smp.ts", "type ");
  expect(problemsIn([broken], keepsToItsFloor)).toHaveLength(1);
  const value = importing("src/kernel/operation/a.ts", "../state/mm.ts");
  expect(problemsIn([value], keepsToItsFloor)).toHaveLength(1);
  const type = importing("src/kernel/operation/a.ts", "../state/mm.ts", "type ");
  expect(problemsIn([type], keepsToItsFloor)).toEqual([]);
  expect(problemsIn(within("src/kernel/"), keepsToItsFloor)).toEqual([]);
});
