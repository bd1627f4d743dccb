// .ci/run in a folder of its own, where npm and the emulator are stand-ins that leave what a run of
// CI leaves: what it starts, in which order, and what it makes of a failure.

import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const CI = fileURLToPath(new URL("../../.ci", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "shootdown-ci-"));

/** Writes down what it is asked for, leaves the tests' results, and fails where it is told to. */
const NPM = `#!/usr/bin/env bash
echo "$*" >>asked
for word; do
  case "$word" in --outputFile.json=*) echo "$TESTS" >"\${word#*=}" ;; esac
done
case "$*" in $FAILS) exit 1 ;; esac
`;

const KEYS = `configuration workload cores shootdowns initiatorCycles responderCycles
  stolenCyclesPerCore ipis ipisToLazy flushes refillWalks refillCycles contextSwitches
  switchesPerSecond refcountOps verdict expected violations`.split(/\s+/);

const row = (some: object): object => {
  const empty = Object.fromEntries(KEYS.map((key) => [key, null]));
  return { ...empty, verdict: "ok", expected: "ok", ...some };
};

const pingpong = (lazyTlb: string, rates: readonly number[]): object[] =>
  rates.map((switchesPerSecond, cores) =>
    row({ workload: "pingpong", configuration: { lazyTlb }, cores, switchesPerSecond }),
  );

const DOCUMENT = {
  experiment: "default",
  seed: 1,
  rows: [
    ...pingpong("exit-unlazy", [1, 30]),
    ...pingpong("refcounted", [1, 2]),
    ...Array.from({ length: 6 }, () => row({ workload: "lazy-dontneed" })),
    row({ workload: "munmap", verdict: "violation", expected: "violation" }),
  ],
};

const PASSED = { numPassedTests: 40, numFailedTests: 0, numFailedTestSuites: 0 };

beforeAll(() => {
  cpSync(CI, join(folder, ".ci"), { recursive: true });
  for (const name of ["bin", "dist/cli"]) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, "bin/npm"), NPM);
  chmodSync(join(folder, "bin/npm"), 0o755);
  const prints = `process.stdout.write(${JSON.stringify(JSON.stringify(DOCUMENT))});\n`;
  writeFileSync(join(folder, "dist/cli/main.js"), prints);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What .ci/run says and asks npm for, when npm fails at what the pattern `fails` matches. */
function runCi(fails: string, tests: object = PASSED) {
  writeFileSync(join(folder, "asked"), "");
  const path = `${join(folder, "bin")}${delimiter}${process.env["PATH"]}`;
  const env = { ...process.env, PATH: path, FAILS: fails, TESTS: JSON.stringify(tests) };
  const { status, stdout } = spawnSync(join(folder, ".ci/run"), { encoding: "utf8", env });
  const asked = readFileSync(join(folder, "asked"), "utf8").trim().split("\n");
  return { status, lines: stdout.trim().split("\n"), asked };
}

test("CI looks at types, style and format before it runs the tests", () => {
  const { status, lines, asked } = runCi("nothing");
  expect(asked.map((words) => words.split(" ").slice(0, 2).join(" "))).toEqual([
    "ci --no-audit",
    "run lint",
    "test --",
  ]);
  expect([status, lines.at(-1)]).toEqual([0, "50 passed, 0 failed"]);
});

test("a finding of the linter fails CI, and the tests are run all the same", () => {
  const { status, lines, asked } = runCi("run?lint");
  expect(asked.at(-1)).toMatch(/^test /);
  expect([status, lines.at(-1)]).toEqual([1, "49 passed, 1 failed"]);
  expect(lines).toContain("FAILED: types, linter and formatter find nothing");
});

test("a failed test fails CI, and the linter's verdict stands", () => {
  const { status, lines } = runCi("test?--*", { ...PASSED, numFailedTests: 2 });
  expect([status, lines.at(-1)]).toEqual([1, "50 passed, 2 failed"]);
  expect(lines).toContain("ok: types, linter and formatter find nothing");
});
