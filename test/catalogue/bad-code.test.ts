// Code from outside that is wrong: one line says where, what was found there, and what to write.

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { BadInput } from "../../src/base/bad-input.ts";
import { explore } from "../../src/explore/explore.ts";
import { shootdown } from "../cli/command.ts";
import { scratch } from "../scratch.ts";

const { folder, file } = scratch("code");

/** The one line on stderr, without the folder. */
async function refusal(...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await shootdown(...words);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  return stderr.trimEnd().replaceAll(`${folder}/`, "");
}

const PROTOCOL = `
import { LINUX_5_13_TRAITS, protocols, NAMES } from "shootdown/kernel";
export const mine = {
  ...protocols["linux-5.13"], name: "mine", FIELDS
};
`;
const protocol = (name: string, fields: string, more = ""): string =>
  file(name, PROTOCOL.replace(", NAMES", more).replace("FIELDS", fields));

const SMALL = "--set cores=2 --set rounds=1 --set lazyTlb=refcounted".split(" ");
const run = (path: string): readonly string[] => ["run", "munmap", "--protocol", path, ...SMALL];

describe("a file of a protocol is refused", () => {
  test("where it is missing", async () => {
    expect(await refusal(...run(join(folder, "none.ts")))).toContain("none.ts");
  });

  test("where it exports none", async () => {
    const path = file("empty.ts", "export const x = 1;\n");
    expect(await refusal(...run(path))).toMatch(/empty.ts": exports no protocol: an object with/);
  });

  test("where a part is missing", async () => {
    const path = protocol("part.ts", "flushKernelRange: undefined");
    expect(await refusal(...run(path))).toMatch(/part.ts: mine.flushKernelRange: missing: write a/);
  });

  test("where a trait is missing", async () => {
    const path = protocol("trait.ts", "traits: { ...LINUX_5_13_TRAITS, pcid: undefined }");
    expect(await refusal(...run(path))).toMatch(/mine.traits.pcid: missing: spread LINUX_5_13/);
  });

  test("where a trait is misspelt", async () => {
    const path = protocol("isolation.ts", 'traits: { ...LINUX_5_13_TRAITS, isolation: "ful" }');
    expect(await refusal(...run(path))).toMatch(
      /mine.traits.isolation: "ful": .*write one of none, kernel-pcids, full/,
    );
  });

  test("where a part of a part is missing", async () => {
    const path = protocol("batched.ts", "batchedUnmap: { add() {} }");
    expect(await refusal(...run(path))).toMatch(/mine.batchedUnmap.flush: missing: write a/);
  });

  test("where a hook within a part is no generator", async () => {
    const lazyUnmap = "lazyUnmap: { canPostpone: () => false, *postpone() {} }";
    expect(await refusal(...run(protocol("lazy-unmap.ts", lazyUnmap)))).toMatch(
      /mine.lazyUnmap.canPostpone: false: returned no coroutine/,
    );
  });

  test("where its name is taken", async () => {
    const path = protocol("taken.ts", 'name: "linux-4.8"');
    expect(await refusal(...run(path))).toMatch(/"linux-4.8": is the name of another protocol/);
  });

  test("where it imports what the package does not export", async () => {
    const use = "*flushRange(cpu) { yield* flushRage(cpu); }";
    const path = protocol("import.ts", use, ", flushRage");
    expect(await refusal(...run(path))).toMatch(
      /import.ts.*shootdown\/kernel exports no flushRage: did you mean flushRange\?/,
    );
  });

  test("where a hook is no generator", async () => {
    const path = protocol("plain.ts", "flushRange(cpu) { return false; }");
    expect(await refusal(...run(path))).toMatch(
      /plain.ts: mine.flushRange: false: returned no coroutine; write a generator function/,
    );
  });

  test("where a hook is an asynchronous generator, on a worker thread too", async () => {
    const path = protocol("async.ts", "async *flushRange() {}");
    const words = [...run(path), "--seeds", "2", "--workers", "2"];
    expect(await refusal(...words)).toMatch(/flushRange: "\[object AsyncGenerator\]": returned no/);
  });

  test("where its code fails in the middle of a run", async () => {
    const path = protocol("fails.ts", "*flushRange() { null.x; }");
    expect(await refusal(...run(path))).toMatch(
      /fails.ts: "munmap": its code fails: Cannot read.*fails.ts:\d+\)$/,
    );
  });

  test("where it yields what it should call by yield*", async () => {
    const path = protocol("yields.ts", "*flushRange() { yield fence(); }", ", fence");
    expect(await refusal(...run(path))).toMatch(/has yielded \[object Generator\]: write yield\*/);
  });

  test("where it does not compile", async () => {
    const path = file("syntax.ts", "export const mine = {;\n");
    expect(await refusal(...run(path))).toMatch(/syntax.ts": cannot be loaded: /);
  });
});

describe("a file of a CPU is refused", () => {
  const cpu = (name: string, text: string): readonly string[] =>
    ["run", "munmap", "--set", `cpu=${file(name, text)}`].concat(SMALL);

  test("where it names no base", async () => {
    expect(await refusal(...cpu("base.yaml", "name: x\n"))).toMatch(
      /base.yaml: base: missing: the/,
    );
  });

  test("where a key is misspelt", async () => {
    const text = "base: rome\ntlb: { secondLevelDate: [] }\n";
    expect(await refusal(...cpu("key.yaml", text))).toMatch(
      /key.yaml: tlb.secondLevelDate: .*did you mean secondLevelData\?/,
    );
  });

  test("where a value is of another type", async () => {
    const text = "base: rome\ntopology: { coresPerLlc: many }\n";
    expect(await refusal(...cpu("type.yaml", text))).toMatch(
      /type.yaml: topology.coresPerLlc: "many": a number, as 4 in the base/,
    );
  });

  test("where no such machine can be", async () => {
    const text = "base: rome\ntopology: { coresPerLlc: 2.5 }\n";
    expect(await refusal(...cpu("half.yaml", text))).toMatch(
      /half.yaml: coresPerLlc: 2.5: a whole number/,
    );
  });

  test("where it does not parse, with the line", async () => {
    const text = "base: rome\nbase: milan\n";
    expect(await refusal(...cpu("twice.yaml", text))).toMatch(
      /twice.yaml:2:1: "base: milan": write YAML or JSON: map/,
    );
  });

  test("where aliases unfold without end", async () => {
    const list = (of: string): string => `[${Array.from({ length: 9 }, () => of).join(",")}]`;
    const levels = [..."bcdefg"].map((key, at) => `${key}: &${key} ${list(`*${"abcdef"[at]}`)}\n`);
    const text = `base: rome\na: &a ${list("x")}\n${levels.join("")}`;
    expect(await refusal(...cpu("aliases.yaml", text))).toMatch(
      /aliases.yaml:7:7: .*: at most 100000 values/,
    );
  });
});

describe("a mutation is refused", () => {
  const mutation = (name: string, fields: string): readonly string[] => {
    const text = `export const m = { name: "mine", summary: "s", source: "t", ${fields} };\n`;
    return ["run", "munmap", "--mutation", file(name, text), ...SMALL];
  };

  test("where its function returns no kernel", async () => {
    expect(await refusal(...mutation("no-kernel.ts", "protocol() {}"))).toMatch(
      /no-kernel.ts: mine.protocol: missing: give a protocol/,
    );
  });

  test("where a hook of its kernel is no generator", async () => {
    const fields = "protocol: (right) => ({ ...right, flushRange: () => 1 })";
    expect(await refusal(...mutation("plain-hook.ts", fields))).toMatch(
      /mine.protocol: linux-5.13.flushRange: 1: returned no coroutine/,
    );
  });

  test("where what shows it fails", async () => {
    const fields = 'shows() { throw new Error("no such thing"); }';
    expect(await refusal(...mutation("throws.ts", fields))).toMatch(
      /"mine.shows": its code fails: no such thing/,
    );
  });

  test("where what shows it is no function", async () => {
    expect(await refusal(...mutation("shows.ts", "shows: true"))).toMatch(
      /mine.shows: true: write a function/,
    );
  });
});

describe("a checker is refused", () => {
  const checker = (name: string, made: string): readonly string[] => {
    const text = `export const c = { name: "mine", summary: "s", create: () => (${made}) };\n`;
    return ["run", "munmap", "--checker", file(name, text), ...SMALL];
  };

  test("where it does not say what it looks at", async () => {
    expect(await refusal(...checker("looks.ts", "{ observe() {}, save() {} }"))).toMatch(
      /looks.ts: mine.create: looksAt: missing: write an object/,
    );
  });

  test("where it looks at an event that there is not", async () => {
    const made = "{ looksAt: { flushReturns: () => [] }, observe() {}, save() {} }";
    expect(await refusal(...checker("event.ts", made))).toMatch(
      /event.ts: mine.create: looksAt: "flushReturns": did you mean flushReturn\?/,
    );
  });

  test("where it cannot be brought back", async () => {
    expect(await refusal(...checker("save.ts", "{ looksAt: {}, observe() {} }"))).toMatch(
      /save.ts: mine.create: save: missing: write a function/,
    );
  });
});

describe("a scenario is refused", () => {
  /** The one line of the command. */
  const told = (path: string): Promise<string> =>
    explore({ scenarios: [path], policy: "refcounted" }).then(
      () => "nothing",
      (error: unknown) => (error instanceof BadInput ? error.message : "no bad input"),
    );

  const scenario = (name: string, body: string): Promise<string> => {
    const text = `export const s = { name: "s", summary: "s", cpus: 2, prepare() { ${body} } };\n`;
    return told(file(name, text));
  };

  test("where it does not say what each CPU does", async () => {
    expect(await scenario("nothing.ts", "")).toMatch(/s.prepare: missing: return a/);
  });

  test("where a script is no generator", async () => {
    expect(await scenario("plain-script.ts", "return [() => 1];")).toMatch(
      /s: script of CPU 0: 1: returned no coroutine/,
    );
  });

  test("where it has a script for a CPU that is not there", async () => {
    const body = "return [undefined, undefined, function* () {}];";
    expect(await scenario("third.ts", body)).toMatch(/s.prepare: "3 scripts": there are 2 CPUs/);
  });

  test("where a script yields or returns what it should call by yield*", async () => {
    const remedy = /write yield\* where it calls kernel code/;
    const inner = "function* () { }";
    const yields = `return [function* () { yield (${inner})(); }];`;
    expect(await scenario("yields-code.ts", yields)).toMatch(remedy);
    const returns = `return [function* () { return (${inner})(); }];`;
    expect(await scenario("returns-code.ts", returns)).toMatch(remedy);
  });

  test.each([
    ["option.ts", "{ pcids: false }", /s\.kernel: "pcids": did you mean pcid\?/],
    ["flag.ts", '{ pcid: "no" }', /s\.kernel\.pcid: "no": true or false/],
    ["count.ts", "{ flushCeiling: NaN }", /s\.kernel\.flushCeiling: .*a whole number/],
    ["idle.ts", '{ idle: "C6" }', /s\.kernel\.idle: "C6": did you mean c6\?/],
  ])("where it asks for a kernel that there is not: %s", async (name, kernel, message) => {
    const text = `export const s = { name: "s", summary: "s", cpus: 1, kernel: ${kernel}, `;
    const path = file(name, `${text} prepare: () => [] };\n`);
    expect(await told(path)).toMatch(message);
  });
});

test("a CPU of code is refused where it is none", async () => {
  const text = 'export const c = { name: "c", microarchitecture: "x", tlb: {}, topology: {} };\n';
  const words = ["run", "munmap", "--set", `cpu=${file("cpu.ts", text)}`, ...SMALL];
  expect(await refusal(...words)).toMatch(/cpu.ts: c.vendor: missing: write a text/);
});

test("a workload that is none is refused by its name", async () => {
  const path = file("workload.ts", 'export const w = { name: "w", program: 1 };\n');
  expect(await refusal("run", "--workload", path)).toMatch(
    /workload.ts: w.summary: missing: write/,
  );
});
