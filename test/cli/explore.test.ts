// `shootdown explore` as other programs call it.

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SHARES } from "../../src/explore/pass.ts";
import { shootdown } from "./command.ts";

const folder = mkdtempSync(join(tmpdir(), "shootdown-explore-"));
const inFolder = (name: string): string => join(folder, name);

describe("shootdown explore", () => {
  test("finds what is expected and exits 0, with the document of the contract", async () => {
    const run = await shootdown("explore", "exit-while-lazy", "--policy", "unrefcounted", "--json");
    expect(run.code).toBe(0);
    const [scenario] = JSON.parse(run.stdout).scenarios;
    expect(scenario).toMatchObject({
      name: "exit-while-lazy",
      policy: "unrefcounted",
      protocol: "linux-6.18",
      mutation: "none",
      memory: "tso",
      complete: false,
      expected: "violation",
    });
    expect(scenario.executions).toBeGreaterThan(0);
    expect(Object.keys(scenario.violations[0])).toEqual(
      expect.arrayContaining(["invariant", "message", "schedule"]),
    );
  });

  test("writes a counterexample that --replay runs to the same violation", async () => {
    const mutation = ["explore", "--mutation", "should-flush-ignores-switching"];
    const found = await shootdown(...mutation, "--json", "--diagram", inFolder("race.mmd"));
    writeFileSync(inFolder("race.json"), found.stdout);
    const again = await shootdown("explore", "--replay", inFolder("race.json"), "--json");
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout).violations).toEqual(
      JSON.parse(found.stdout).scenarios[0].violations,
    );
    expect(readFileSync(inFolder("race.mmd"), "utf8")).toMatch(
      /^sequenceDiagram\n {2}participant C0/,
    );
  });

  test("writes the same bytes on one thread and on two, which share one exploration", async () => {
    const job = ["explore", "reclaim-against-protect", "--policy", "refcounted", "--json"];
    const alone = await shootdown(...job, "--workers", "1");
    expect(JSON.parse(alone.stdout).scenarios[0].executions).toBeGreaterThan(SHARES.first);
    expect((await shootdown(...job, "--workers", "2")).stdout).toBe(alone.stdout);
  }, 120_000);

  test("says in a table who did what in which Linux function", async () => {
    const { stdout } = await shootdown("explore", "--mutation", "freed-tables-false");
    expect(stdout).toMatch(/I2: CPU 0 frees a page-table table of a while lazy CPU \d has it/);
    expect(stdout).toMatch(/Meanwhile CPU 1, lazy is in do_idle, before: /);
    expect(stdout).toMatch(/exit_mmap > zap_pte_range: exchangeEntry a page 0x10000/);
  });

  test("fails where a correct kernel is not covered to the end", async () => {
    const run = await shootdown(
      "explore",
      "two-flushers",
      "--max-executions",
      "10",
      "--policy",
      "eager",
    );
    expect(run.code).toBe(1);
    expect(run.stdout).toMatch(/no violation, cut by executions/);
  });

  test.each([
    [["exit-while-lasy"], /SCENARIO: "exit-while-lasy": did you mean exit-while-lazy\?/],
    [["--policy", "refcount"], /--policy: "refcount": did you mean refcounted\?/],
    [["--memory", "pso"], /--memory: "pso": did you mean \w+\?|--memory: "pso": one of sc, tso/],
    [["--max-steps", "-3"], /--max-steps: "-3": a whole number/],
    [
      ["isolated-reader", "--protocol", "linux-4.8"],
      /--protocol: "linux-4.8": isolated-reader needs/,
    ],
    [["--replay", "nowhere.json"], /--replay: "nowhere.json": ENOENT/],
    [["--replay", "package.json"], /package.json: .*a document of `shootdown explore --json`/],
  ])("refuses %j with one line and exit code 2", async (args, message) => {
    const run = await shootdown("explore", ...args);
    expect([run.code, run.stdout]).toEqual([2, ""]);
    expect(run.stderr).toMatch(message);
    expect(run.stderr.trimEnd().split("\n")).toHaveLength(1);
  });
});
