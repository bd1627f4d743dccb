// The nightly run of random programs, as a command.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("../../dist/cli/verify-random.js", import.meta.url));

const verifyRandom = (...words: readonly string[]) =>
  spawnSync(process.execPath, [MAIN, ...words], { encoding: "utf8" });

describe("verify-random", () => {
  test("says how many cases were judged, and from which seed", () => {
    const { status, stdout, stderr } = verifyRandom("--seed", "7", "--cases", "40");
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toBe("40 cases from seed 7, 0 failed\n");
  });

  test("writes one JSON document with --json", () => {
    const { stdout } = verifyRandom("--cases", "4", "--json");
    expect(JSON.parse(stdout)).toEqual({ seed: 1, cases: 4, failed: 0, failures: [] });
  });

  test.each([
    [["--cases", "0"], /^shootdown: --cases: "0": a whole number of 1 to/],
    [["--seed", "-1"], /^shootdown: --seed: "-1": a whole number/],
    [["--case", "1"], /^shootdown: --case: unknown option: did you mean --cases\?/],
  ])("refuses %j", (words, says) => {
    const { status, stdout, stderr } = verifyRandom(...words);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(says);
  });
});
