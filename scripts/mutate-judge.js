// Runs the tests that judge a mutant, one file after the other until one fails: the quick ones, those
// that are about the mutant's file, the others. A process of its own, in a copy of the project: it is
// sent the name of the mutant's file, answers with the name of a test that failed or null, and can be
// killed when a mutant loops for ever.

import { createVitest } from "vitest/node";

const QUICK = [
  "test/regressions/paging.test.ts",
  "test/regressions/registers.test.ts",
  "test/regressions/cached-rights.test.ts",
  "test/machine/walk.test.ts",
  "test/machine/invalidate.test.ts",
  "test/machine/short-walk.test.ts",
];
const ENTRIES = "test/machine/manual-entries.test.ts";
const CONTROL = "test/machine/manual-control.test.ts";
const RIGHTS = "test/machine/manual-rights.test.ts";
const RULES = "test/machine/invalidation-rules.test.ts";
const THOROUGH = [
  ENTRIES,
  CONTROL,
  RIGHTS,
  "test/machine/stream.test.ts",
  "test/machine/condemned.test.ts",
  RULES,
  "test/verify/vectors/machine-of-case.test.ts",
  "test/machine/twin.test.ts",
];
const ABOUT = {
  "control.ts": [CONTROL, RULES],
  "invalidate.ts": [CONTROL, RULES],
  "fault.ts": [RIGHTS, RULES],
};

const vitest = await createVitest("test", {
  config: false,
  watch: false,
  include: [...QUICK, ...THOROUGH],
  testTimeout: 120_000,
  pool: "threads",
  fileParallelism: false,
  reporters: [{}],
});
await vitest.standalone();
const specifications = await vitest.globTestSpecifications();

/** The name of a test in the file that fails, or undefined. */
async function failureIn(path) {
  const specification = specifications.find(({ moduleId }) => moduleId.endsWith(path));
  const { testModules } = await vitest.runTestSpecifications([specification]);
  // With it come the files that were run for earlier mutants, as they ended then.
  const own = testModules.find(({ moduleId }) => moduleId === specification.moduleId);
  const tests = [...(own?.children.allTests() ?? [])];
  const failed = tests.find((test) => test.result().state !== "passed");
  return failed?.fullName ?? (own?.ok() ? undefined : path);
}

async function judge(mutated) {
  for (const path of new Set([...QUICK, ...(ABOUT[mutated] ?? []), ...THOROUGH])) {
    const failed = await failureIn(path);
    if (failed !== undefined) return failed;
  }
  return null;
}

process.on("message", async (mutated) => process.send({ failed: await judge(mutated) }));
process.on("disconnect", () => process.exit());
process.send("ready");
