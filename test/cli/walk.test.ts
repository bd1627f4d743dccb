import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { shootdown } from "./command.ts";

const folder = mkdtempSync(join(tmpdir(), "shootdown-walk-"));
afterAll(() => rmSync(folder, { recursive: true }));

function tables(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

/** A user page at 0x1000, read-only by its PDE, not executable by its PTE. */
const MEM = [
  ["0x1000", "0x2027"],
  ["0x2000", "0x3027"],
  ["0x3000", "0x4025"],
  ["0x4008", "0x8000000000005067"],
];
const LONG = tables("long.json", { cr3: "0x1000", mem: MEM });

/** JSON of fifty thousand levels. */
const BRACKETS = "[".repeat(50_000) + "]".repeat(50_000);
const DEEP = tables("deep.json", `{"cr3": 0, "mem": ${BRACKETS}}`);

/** The control state of a vector. */
const RECORDED = {
  id: "a",
  mode: "l4",
  vendor: "intel",
  maxphy: 46,
  gb: 1,
  cr0: "0x80010033",
  cr3: "0x1000",
  cr4: "0x20",
  efer: "0xd00",
};

interface Document {
  readonly mode: string;
  readonly source: string;
  readonly start?: string;
  readonly physical?: string;
  readonly fault?: { readonly errorCode: number; readonly address: string };
  readonly cycles: number;
  readonly steps: readonly {
    readonly entry: string;
    readonly address: string;
    readonly value: string;
    readonly cycles: number;
    readonly loadedFrom: string;
    readonly rights: object;
  }[];
}

async function explained(...words: readonly string[]): Promise<Document> {
  const { code, stdout, stderr } = await shootdown("walk", ...words, "--json");
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as Document;
}

describe("walk", () => {
  test("tells each entry that is loaded, where from, and what the path so far allows", async () => {
    const walk = await explained("0x1234", "--tables", LONG);
    expect(walk).toMatchObject({ mode: "4-level", start: "CR3", physical: "0x5234" });
    expect(walk.steps.map(({ entry, address }) => [entry, address])).toEqual([
      ["PML4E", "0x1000"],
      ["PDPTE", "0x2000"],
      ["PDE", "0x3000"],
      ["PTE", "0x4008"],
    ]);
    expect(walk.steps.map(({ rights }) => rights)).toEqual([
      { writable: true, user: true, executable: true },
      { writable: true, user: true, executable: true },
      { writable: false, user: true, executable: true },
      { writable: false, user: true, executable: false },
    ]);
    const loads = walk.steps.reduce((sum, { cycles }) => sum + cycles, 0);
    expect(walk.steps.map(({ loadedFrom }) => loadedFrom)).toEqual(Array(4).fill("memory"));
    expect(walk.cycles).toBeGreaterThan(loads);
  });

  test("a refused access ends in its fault, in words", async () => {
    const { stdout } = await shootdown("walk", "0x1234", "--tables", LONG, "--access", "write");
    expect(stdout).toContain("#PF, error code 0x7 (present, write, user), CR2 0x1234");
    const supervisor = ["--access", "execute", "--supervisor"];
    const walk = await explained("0x1234", "--tables", LONG, ...supervisor);
    expect(walk.fault).toMatchObject({ errorCode: 0x11, address: "0x1234" });
  });

  test("the second of two equal accesses is in the TLB and loads no entry", async () => {
    const walk = await explained("0x1234", "--tables", LONG, "--times", "2");
    expect(walk).toMatchObject({ source: "a first-level TLB has the translation", steps: [] });
  });

  test("after a fault, a walk begins at what the structure caches still know", async () => {
    const neighbour = tables("two.json", { cr3: "0x1000", mem: [...MEM, ["0x4010", "0x6067"]] });
    const recorded = {
      ...RECORDED,
      mem: [...MEM, ["0x4010", "0x6067"]],
      ops: [{ op: "r", va: "0x1000", cpl: 3 }],
      exp: { res: [{ ok: 1, val: 0 }], mem: [...MEM.map(([, value]) => value), "0x6067"] },
    };
    const vector = tables("two.jsonl", recorded);
    expect((await explained("0x2000", "--tables", neighbour)).start).toBe("CR3");
    const warm = await explained("0x2000", "--vector", vector, "--id", "a", "--after", "1");
    expect(warm.start).toBe("the PDE cache");
    expect(warm.steps).toMatchObject([{ entry: "PTE", address: "0x4010", loadedFrom: "L1D" }]);
    expect(warm.steps[0]!.rights).toEqual({ writable: false, user: true, executable: true });
  });

  test("32-bit and PAE tables are walked as their modes say", async () => {
    const large = tables("l2.json", { mode: "l2", cr3: "0x1000", mem: [["0x1004", "0x8020e7"]] });
    const walk = await explained("0x412345", "--tables", large);
    expect(walk).toMatchObject({ mode: "32-bit", physical: "0x100812345" });
    const pae = tables("pae.json", {
      mode: "pae",
      cr3: "0x1020",
      mem: [
        ["0x1020", "0x2001"],
        ["0x2000", "0x3067"],
        ["0x3008", "0x5067"],
      ],
    });
    const three = await explained("0x1008", "--tables", pae);
    expect(three).toMatchObject({ mode: "PAE", start: "a PDPTE register", physical: "0x5008" });
    expect(three.steps.map(({ entry }) => entry)).toEqual(["PDE", "PTE"]);
  });

  test("a task of a running workload: whose tables they are is said on stderr", async () => {
    const words = ["walk", "0x7f0000000000", "--run", "munmap", "--at", "150000", "--core", "1"];
    const { code, stdout, stderr } = await shootdown(...words);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^shootdown: core 1 runs \S+: .*0x7f0000000000-/);
    expect(stdout).toContain("physical address 0x");
  });
});

describe("bad input", () => {
  const BAD: readonly (readonly [string, readonly string[], string])[] = [
    ["no address", ["walk"], "address: missing: see --help"],
    ["an address that is none", ["walk", "here"], 'address: "here": hex of at most 64 bits'],
    ["a file that is not there", ["walk", "0x0", "--tables", "none.json"], "no such file"],
    ["tables without an end", ["walk", "0x0", "--tables", "/dev/zero"], "more than 64 MiB"],
    [
      "a CPU for a workload",
      ["walk", "0x0", "--cpu", "milan"],
      '--cpu: "milan": leave it out: the',
    ],
    [
      "an id of no vector",
      ["walk", "0x0", "--id", "nope"],
      '--id: "nope": leave it out: the tables',
    ],
    [
      "tables and a workload",
      ["walk", "0x0", "--tables", "t.json", "--run", "munmap"],
      '--run: "munmap": leave it out: --tables says whose tables they are',
    ],
    [
      "tables and a vector",
      ["walk", "0x0", "--tables", "t.json", "--vector", "v.jsonl"],
      '--vector: "v.jsonl": leave it out: --tables says',
    ],
    ["two counts of cores", ["walk", "0x0", "--set", "cores=2,4"], '"2,4": one value: one walk'],
    ["tables without a root", ["walk", "0x0", "--tables", tables("r.json", { mem: [] })], "cr3"],
    [
      "brackets within brackets",
      ["walk", "0x0", "--tables", DEEP],
      "mem[0]: a list: a pair: [address, value]",
    ],
    ["no JSON", ["walk", "0x0", "--tables", tables("n.json", "cr3: 1")], "a JSON object"],
    ["a vector without an id", ["walk", "0x0", "--vector", "x.jsonl"], "--id: missing"],
    ["a cycle after the end", ["walk", "0x0", "--at", "999999999999"], "where munmap ends"],
    ["a core too many", ["walk", "0x0", "--core", "7"], "a core from 0 to 1"],
    ["an access that is none", ["walk", "0x0", "--access", "raed"], "did you mean read?"],
    [
      "a root above MAXPHYADDR",
      ["walk", "0x0", "--tables", tables("h.json", { cr3: "0x8000000000000", mem: [] })],
      "a root that MOV to CR3 takes, below 2^46",
    ],
  ];
  for (const [what, words, message] of BAD) {
    test(`${what}: exit 2 and one line`, async () => {
      const { code, stdout, stderr } = await shootdown(...words);
      expect(stderr).toContain(message);
      expect([code, stdout, stderr.split("\n").length]).toEqual([2, "", 2]);
    });
  }
});
