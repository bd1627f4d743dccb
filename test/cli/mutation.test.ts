// --mutation and --no-checks as a user writes them, and the command that a violation prints.

import { expect, test } from "vitest";
import type { ExperimentResult } from "../../src/experiment/result.ts";
import { shootdown, TINY } from "./command.ts";

const rowsOf = (stdout: string) => (JSON.parse(stdout) as ExperimentResult).rows;
/** The words of a shell command without quotes, but for the program's name. */
const wordsOf = (command: string): readonly string[] => command.split(" ").slice(1);

test("the command that a violation prints runs into the same violation", async () => {
  const mistake = ["--mutation", "cpumask-after-cr3", "--set", "protocol=linux-4.8"];
  const words = ["munmap", ...TINY, "--set", "lazyTlb=refcounted", ...mistake, "--seed", "7"];
  const once = await shootdown("run", ...words, "--json");
  expect([once.code, once.stderr]).toEqual([0, ""]);
  const [row] = rowsOf(once.stdout);
  expect(row!.configuration).toMatchObject({ mutation: "cpumask-after-cr3" });
  const [first] = row!.violations;
  expect(first).toMatchObject({ invariant: "I7", seed: 7, mm: expect.any(String) as string });
  expect(first!.operations.map(({ cpu }) => cpu)).toEqual(first!.cpus);
  expect(first!.operations[0]!.last.at(-1)).toMatch(/^\d+: MOV CR3 /);
  const again = await shootdown(...wordsOf(first!.replay), "--json");
  expect(again.code).toBe(0);
  expect(rowsOf(again.stdout).map(({ violations }) => violations)).toEqual([row!.violations]);
});

test("a mistake goes with a replay, too, and its violation names the replay", async () => {
  const settings = ["--set", "lazyTlb=refcounted", "--set", "pcid=true"];
  const words = ["replay", "lazy-dontneed", ...settings, "--mutation", "prev-mm-kept", "--json"];
  const { stdout } = await shootdown(...words);
  const [row] = rowsOf(stdout);
  expect(row!.verdict).toBe("violation");
  expect(row!.violations[0]!.replay).toMatch(
    /^shootdown replay lazy-dontneed .*--mutation prev-mm/,
  );
});

test("without checks nothing is found, and the exit code is 0", async () => {
  const words = [
    "run",
    "munmap",
    ...TINY,
    "--set",
    "lazyTlb=unrefcounted",
    "--no-checks",
    "--json",
  ];
  const { stdout, code } = await shootdown(...words);
  const [row] = rowsOf(stdout);
  expect([code, row!.verdict, row!.violations]).toEqual([0, "unchecked", []]);
});

test("the help lists every mutation", async () => {
  const { stdout } = await shootdown("run", "--help");
  expect(stdout).toMatch(/Mutations:\n {2}no-barrier-before-generation\n/);
});
