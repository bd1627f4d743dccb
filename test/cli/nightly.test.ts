// `npm run nightly`, with seconds in place of hours, and with stand-ins where a step must fail.

import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const standIn = mkdtempSync(join(tmpdir(), "shootdown-nightly-"));

function nightly(root: string, ...words: readonly string[]) {
  const script = join(root, "scripts/nightly.js");
  const ended = spawnSync(process.execPath, [script, ...words], { encoding: "utf8" });
  return { ...ended, lines: ended.stdout.trim().split("\n") };
}

/** A project in which random programs fail. */
beforeAll(() => {
  writeFileSync(join(standIn, "package.json"), '{"type": "module"}');
  cpSync(join(ROOT, "scripts"), join(standIn, "scripts"), { recursive: true });
  mkdirSync(join(standIn, "dist/cli"), { recursive: true });
  for (const name of readdirSync(join(ROOT, "dist"))) {
    if (name !== "cli") symlinkSync(join(ROOT, "dist", name), join(standIn, "dist", name));
  }
  const fails = 'console.log("7 cases from seed 5, 1 failed");\nprocess.exitCode = 1;\n';
  writeFileSync(join(standIn, "dist/cli/verify-random.js"), fails);
});

afterAll(() => rmSync(standIn, { recursive: true, force: true }));

interface Verdicts {
  verdictOf(step: { kind: string }, ended: { code: number; stdout: string }): string;
}

interface Steps {
  stepsOf(
    night: number,
    kinds: readonly string[],
    secondsLeft: () => number,
  ): AsyncIterable<{ readonly words: readonly string[] }>;
}

const script = (name: string): Promise<unknown> =>
  import(new URL(`../../scripts/nightly/${name}.js`, import.meta.url).href);
const { verdictOf } = (await script("verdict")) as Verdicts;
const { stepsOf } = (await script("steps")) as Steps;

/** The first commands of a night of eight hours. */
async function planOf(seed: number, kinds: string, steps: number): Promise<readonly string[]> {
  const plan: string[] = [];
  for await (const { words } of stepsOf(seed, kinds.split(","), () => 8 * 3600)) {
    plan.push(["node", ...words].join(" "));
    if (plan.length === steps) break;
  }
  return plan;
}

describe("a night", () => {
  test("runs a step of random programs in a second, and names its one seed", () => {
    const words = ["--hours", "0.0003", "--seed", "5", "--only", "random"];
    const { status, lines } = nightly(ROOT, ...words);
    expect(status).toBe(0);
    expect(lines[0]).toBe("seed 5, 0.0003 hours: random");
    expect(lines[1]).toMatch(
      /^passed after \d+ s: node dist\/cli\/verify-random.js --seed 20971520 --cases \d+$/,
    );
    expect(lines.at(-1)).toMatch(/^seed 5: \d+ passed, 0 failed, 0 cut$/);
  });

  test("has steps of each kind in turn, the same for the same seed", async () => {
    const kinds = "random,matrix,explore,mutants";
    const steps = await planOf(5, kinds, 8);
    const scripts = ["verify-random.js", "verify-matrix.js", "main.js explore", "mutate.js"];
    for (const [index, step] of steps.entries()) expect(step).toContain(scripts[index % 4]);
    expect(await planOf(5, kinds, 8)).toEqual(steps);
    const other = await planOf(6, kinds, 8);
    expect(other.filter((step) => steps.includes(step))).toEqual([]);
  });

  test("shares no random program with the night after it, however many it runs", async () => {
    const casesOf = async (night: number): Promise<[number, number]> => {
      const steps = await planOf(night, "random", 10_000);
      const of = steps.map((step) => step.match(/\d+/g)!.map(Number) as [number, number]);
      for (const [index, [seed]] of of.slice(1).entries()) {
        expect(seed).toBe(of[index]![0] + of[index]![1]);
      }
      return [of[0]![0], of.at(-1)![0] + of.at(-1)![1]];
    };
    const [first, second] = [await casesOf(1), await casesOf(2)];
    expect(first[1] - first[0]).toBeGreaterThan(4_000_000);
    expect(first[1]).toBe(second[0]);
  });

  test("judges every kernel in every workload, an array, then lots from the first", async () => {
    const [kernels, array, ...lots] = await planOf(5, "matrix", 4);
    expect(kernels).toBe("node dist/cli/verify-matrix.js --seed 5 --kernels");
    const words = ["--hours", "8", "--seed", "5", "--only", "matrix", "--plan", "4"];
    expect(nightly(ROOT, ...words).lines).toEqual([kernels, array, ...lots]);
    expect(array).toBe("node dist/cli/verify-matrix.js --seed 5 --cover");
    expect(lots.map((step) => step.match(/--from \d+/)![0])).toEqual(["--from 1", "--from 31"]);
  });

  test("explores every scenario in time, each under a kernel that may be", async () => {
    const steps = await planOf(1, "explore", 10_000);
    expect(new Set(steps).size).toBe(steps.length);
    expect(steps.length).toBeGreaterThan(1000);
    expect(steps.some((step) => step.includes("--protocol linux-4.8 --policy null-prev"))).toBe(
      false,
    );
  });

  test("goes on after a failure, prints the command that repeats it, and exits 1", () => {
    const words = ["--hours", "0.0001", "--seed", "5", "--only", "random"];
    const { status, lines } = nightly(standIn, ...words);
    expect(status).toBe(1);
    expect(lines[1]).toMatch(/^failed after \d+ s: node dist\/cli\/verify-random.js --seed 2/);
    expect(lines[2]).toBe("7 cases from seed 5, 1 failed");
    expect(lines[3]).toMatch(/^again: npm run build && node dist\/cli\/verify-random.js --seed 2/);
    expect(lines.at(-1)).toMatch(/^seed 5: 0 passed, [1-9]\d* failed, 0 cut$/);
  });

  test.each([
    [{ expected: "ok", violations: [], complete: true }, "passed"],
    [{ expected: "ok", violations: [], complete: false }, "cut"],
    [{ expected: "ok", violations: ["I1"], complete: false }, "failed"],
    [{ expected: "violation", violations: ["I1"], complete: false }, "passed"],
    [{ expected: "violation", violations: [], complete: false }, "cut"],
    [{ expected: "violation", violations: [], complete: true }, "failed"],
  ])("makes of an exploration %j: %s", (scenario, verdict) => {
    const stdout = JSON.stringify({ scenarios: [scenario] });
    for (const code of [0, 1]) {
      expect(verdictOf({ kind: "explore" }, { code, stdout })).toBe(verdict);
    }
    expect(verdictOf({ kind: "explore" }, { code: 2, stdout })).toBe("failed");
    expect(verdictOf({ kind: "explore" }, { code: 1, stdout: "" })).toBe("failed");
  });

  test.each([
    [["--hours", "soon"], /^nightly: --hours: "soon": a number of 0 to 1000\n$/],
    [["--seed", "1"], /^nightly: --hours is missing: how long it may take\n$/],
    [["--hours", "1", "--only", "walks"], /--only: "walks": some of random, matrix, explore, mut/],
    [["--hours", "1", "--sede", "1"], /^nightly: Unknown option '--sede'/],
  ])("refuses %j", (words, says) => {
    const { status, stdout, stderr } = nightly(ROOT, ...words);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(says);
  });
});
