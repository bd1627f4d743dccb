// The nightly run of the whole product, as a command.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { everyLot } from "../../src/verify/matrix/lots.ts";
import { familiesOfLot } from "../../src/verify/matrix/product.ts";

const MAIN = fileURLToPath(new URL("../../dist/cli/verify-matrix.js", import.meta.url));

const verifyMatrix = (...words: readonly string[]) =>
  spawnSync(process.execPath, [MAIN, ...words], { encoding: "utf8" });

describe("verify-matrix", () => {
  const lots = everyLot(1);
  const empty = 1 + lots.findIndex(({ kernel }) => familiesOfLot(kernel).length === 0);

  test("says how many passed, and how to go on", () => {
    const { status, stdout, stderr } = verifyMatrix("--from", String(empty), "--lots", "1");
    expect([status, stdout]).toEqual([0, "0 passed, 0 failed\n"]);
    expect(stderr).toBe(
      `${empty} of ${lots.length} lots: 0 passed, 0 failed; ` +
        `to go on: --seed 1 --from ${empty + 1}\n`,
    );
  });

  test("has the same lots in an order of the seed", () => {
    const inOrder = (seed: number): string[] =>
      everyLot(seed).map(({ kernel }) => JSON.stringify(kernel));
    expect(inOrder(1)).toEqual(inOrder(1));
    expect(inOrder(2)).not.toEqual(inOrder(1));
    expect(inOrder(2).toSorted()).toEqual(inOrder(1).toSorted());
  });

  test.each([
    [["--from", "0"], /^shootdown: --from: "0": a whole number of 1 to/],
    [["--workers", "0"], /^shootdown: --workers: "0": a whole number of 1 to/],
    [["--seed", "-1"], /^shootdown: --seed: "-1": a whole number/],
    [
      ["--from", String(lots.length + 1)],
      new RegExp(`--from: ${lots.length + 1}: at most ${lots.length}, the last lot\n$`),
    ],
    [["--cover", "--from", "1"], /^shootdown: --from: 1: not with --cover: leave one .* out\n$/],
    [["--cover", "--lots", "7"], /^shootdown: --lots: 7: not with --cover: leave one .* out\n$/],
    [["--cover", "--workers", "2"], /^shootdown: --workers: 2: not with --cover: .* out\n$/],
    [
      ["--cover", "--kernels"],
      /^shootdown: --kernels: true: not with --cover: leave one .* out\n$/,
    ],
    [
      ["--kernels", "--lots", "7"],
      /^shootdown: --lots: 7: not with --kernels: leave one .* out\n$/,
    ],
    [["--form", "1"], /^shootdown: --form: unknown option: did you mean --from\?/],
  ])("refuses %j", (words, says) => {
    const { status, stdout, stderr } = verifyMatrix(...words);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(says);
  });
});
