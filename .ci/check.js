// Reads what the tests and the default experiment left behind, and says how many checks passed.
//   node .ci/check.js LINT TESTS.json DEFAULT.json
// LINT is "passed" or "failed".

import { readFileSync } from "node:fs";

const ROW_KEYS = [
  ["configuration", "workload", "cores", "shootdowns", "initiatorCycles", "responderCycles"],
  ["stolenCyclesPerCore", "ipis", "ipisToLazy", "flushes", "refillWalks", "refillCycles"],
  ["contextSwitches", "switchesPerSecond", "refcountOps", "verdict", "expected", "violations"],
].flat();

const [lint, testsPath, defaultPath] = process.argv.slice(2);
const tests = read(testsPath);
const result = read(defaultPath);

const checks = [
  ["types, linter and formatter find nothing", () => lint === "passed"],
  ["the tests left their results", () => tests !== undefined],
  ["test files load", () => (tests?.numFailedTestSuites ?? 1) === 0 || tests.numFailedTests > 0],
  ["`run --json` prints one document", () => result !== undefined],
  [
    "the document has the keys of the contract",
    () => ["experiment", "seed", "rows"].every((key) => key in result) && result.rows.length > 0,
  ],
  [
    "each row has the keys of the contract",
    () => result.rows.every((row) => ROW_KEYS.every((key) => key in row)),
  ],
  [
    "each verdict is the expected one",
    () => result.rows.every((row) => row.verdict === row.expected),
  ],
  ["some row breaks as expected", () => result.rows.some((row) => row.verdict === "violation")],
  [
    "pingpong scales with the cores without a shared count, and collapses with one",
    () => scaling("exit-unlazy") > 20 && scaling("refcounted") < scaling("exit-unlazy") / 5,
  ],
  ["the trace is replayed six ways", () => replayed().length === 6],
];

let passed = tests?.numPassedTests ?? 0;
let failed = tests?.numFailedTests ?? 0;
for (const [what, holds] of checks) {
  const ok = attempt(holds);
  if (ok) passed += 1;
  else failed += 1;
  console.log(`${ok ? "ok" : "FAILED"}: ${what}`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function read(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

function attempt(holds) {
  try {
    return holds();
  } catch {
    return false;
  }
}

/** How many times faster pingpong is on the most cores than on the fewest. */
function scaling(lazyTlb) {
  const rows = result.rows
    .filter((row) => row.workload === "pingpong" && row.configuration.lazyTlb === lazyTlb)
    .toSorted((a, b) => a.cores - b.cores);
  return rows.at(-1).switchesPerSecond / rows[0].switchesPerSecond;
}

function replayed() {
  return result.rows.filter((row) => row.workload === "lazy-dontneed");
}
