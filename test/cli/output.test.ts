import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { PRESET_NAMES } from "../../src/presets/presets.ts";
import type { ExperimentResult } from "../../src/experiment/result.ts";
import { TINY, shootdown, shootdownUnread } from "./command.ts";

const folder = mkdtempSync(join(tmpdir(), "shootdown-output-"));
afterAll(() => rmSync(folder, { recursive: true }));

const ROW_KEYS = (
  "configuration workload cores shootdowns initiatorCycles responderCycles " +
  "stolenCyclesPerCore ipis ipisToLazy flushes refillWalks refillCycles contextSwitches " +
  "switchesPerSecond refcountOps verdict expected violations"
).split(" ");

describe("run", () => {
  test("--json prints one document with the keys of the contract, and nothing else", async () => {
    const { code, stdout, stderr } = await shootdown("run", "munmap", "--json", ...TINY);
    const result = JSON.parse(stdout) as ExperimentResult;
    expect(Object.keys(result)).toEqual(["experiment", "seed", "rows"]);
    expect(result).toMatchObject({ experiment: "munmap", seed: 1 });
    for (const row of result.rows) {
      expect(Object.keys(row)).toEqual(expect.arrayContaining(ROW_KEYS));
      expect(Object.keys(row.initiatorCycles)).toEqual(["mean", "p50", "p99", "max"]);
      expect(row.configuration).toMatchObject({ cores: 2, rounds: 2 });
    }
    expect(stderr).toBe("");
    expect(code).toBe(0);
  });

  test("gives the same bytes whatever the number of workers", async () => {
    const words = ["run", "munmap", "--json", "--seeds", "2", ...TINY];
    const one = await shootdown(...words, "--workers", "1");
    const three = await shootdown(...words, "--workers", "3");
    expect(one.stdout).not.toBe("");
    expect(three.stdout).toBe(one.stdout);
  });

  test("another seed gives another measurement of the same configurations", async () => {
    const of = (seed: string) => shootdown("run", "server", "--json", "--seed", seed, ...TINY);
    const [first, second] = [await of("1"), await of("2")].map(
      ({ stdout }) => JSON.parse(stdout) as ExperimentResult,
    );
    expect(second!.rows.map((row) => row.configuration)).toEqual(
      first!.rows.map((row) => row.configuration),
    );
    expect(second!.rows).not.toEqual(first!.rows);
  });

  test("without a terminal prints a plain table no wider than 140 columns", async () => {
    const { stdout } = await shootdown("run", "munmap", ...TINY);
    expect(stdout).not.toContain("\u001b");
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(140);
    expect(stdout).toMatch(/^verdicts: /m);
  });

  test("a violation where one is expected is no failure", async () => {
    const words = ["run", "munmap", "--set", "lazyTlb=unrefcounted", "--set", "cores=2", "--json"];
    const { code, stdout } = await shootdown(...words);
    const [row] = (JSON.parse(stdout) as ExperimentResult).rows;
    expect(row).toMatchObject({ verdict: "violation", expected: "violation" });
    expect(row!.violations[0]!.replay).toMatch(/^shootdown run munmap .*--seed \d+$/);
    expect(code).toBe(0);
  });

  test("saves what it printed, whole, in the format of the file's name", async () => {
    const json = join(folder, "rows.json");
    const csv = join(folder, "rows.csv");
    const printed = await shootdown("run", "munmap", "--json", "--out", json, ...TINY);
    expect(readFileSync(json, "utf8")).toBe(printed.stdout);
    const listed = await shootdown("run", "munmap", "--csv", "--out", csv, ...TINY);
    expect(readFileSync(csv, "utf8")).toBe(listed.stdout);
    expect(readdirSync(folder).toSorted()).toEqual(["rows.csv", "rows.json"]);
  });

  test("says on stderr what was left out of a matrix", async () => {
    const words = ["run", "munmap", "--json", "--set", "cpu=skylake-sp,rome", ...TINY];
    const { code, stdout, stderr } = await shootdown(...words, "--set", "pcid=true,false");
    expect(stderr).toBe("shootdown: left out cpu=rome pcid=true: rome has no PCID\n");
    expect(() => JSON.parse(stdout) as unknown).not.toThrow();
    expect(code).toBe(0);
  });

  test("a reader that goes away is no error", async () => {
    const { stderr } = await shootdownUnread("run", "munmap", "--json", ...TINY);
    expect(stderr).toBe("");
  });
});

describe("presets", () => {
  test("lists every preset, and one with the source of every number", async () => {
    const [all, one, document] = await Promise.all([
      shootdown("presets"),
      shootdown("presets", "skylake-sp"),
      shootdown("presets", "skylake-sp", "--json"),
    ]);
    for (const name of PRESET_NAMES) expect(all.stdout).toContain(name);
    expect(one.stdout).toContain("frequency");
    expect(JSON.parse(document.stdout)).toHaveProperty("name", "skylake-sp");
  });
});
