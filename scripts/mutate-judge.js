// Runs the tests that judge a mutant, the quickest and sharpest first, one file after the other until
// one fails. A process of its own, in a copy of the project: it is asked by a message, answers with
// the name of a test that failed or null, and can be killed when a mutant loops for ever.

import { createVitest } from "vitest/node";

const JUDGES = [
  "test/regressions/paging.test.ts",
  "test/regressions/registers.test.ts",
  "test/regressions/cached-rights.test.ts",
  "test/machine/walk.test.ts",
  "test/machine/invalidate.test.ts",
  "test/machine/manual-entries.test.ts",
  "test/machine/manual-control.test.ts",
  "test/machine/stream.test.ts",
  "test/machine/condemned.test.ts",
  "test/machine/manual-rights.test.ts",
  "test/machine/invalidation-rules.test.ts",
  "test/validate/vectors/machine.test.ts",
];

const vitest = await createVitest("test", {
  config: false,
  watch: false,
  include: JUDGES,
  testTimeout: 120_000,
  pool: "threads",
  fileParallelism: false,
  isolate: false,
  reporters: [{}],
});
await vitest.standalone();
const specifications = await vitest.globTestSpecifications();
const inOrder = JUDGES.map((judge) =>
  specifications.find(({ moduleId }) => moduleId.endsWith(judge)),
);

async function judge() {
  for (const specification of inOrder) {
    const { testModules } = await vitest.runTestSpecifications([specification]);
    for (const testModule of testModules) {
      if (testModule.ok()) continue;
      const [failed] = testModule.children.allTests("failed");
      return failed?.fullName ?? testModule.moduleId;
    }
  }
  return null;
}

process.on("message", async () => process.send({ failed: await judge() }));
process.send("ready");
