// What somebody else wrote, in everything that a person is shown: a terminal obeys none of it.

import { expect, test } from "vitest";
import { plain } from "../../src/report/paint.ts";
import { formatTable } from "../../src/report/table.ts";
import { formatVerification } from "../../src/report/verification.ts";
import { formatViolations } from "../../src/report/violations.ts";
import { verifyVectors } from "../../src/verify/vectors/verify-vectors.ts";
import { bootReference } from "../../src/reference/reference.ts";
import { rowWith, violation } from "../experiment/samples.ts";
import { RECORD, vectorOf } from "../verify/vectors/record.ts";

const ESCAPE = "\u001B[31m\u0007";
const SPELLED = "\\u001b[31m\\u0007";

test("a recording's name in the table", () => {
  const text = formatTable([rowWith({ workload: `boot${ESCAPE}` })]);
  expect(text).toContain(`boot${SPELLED}`);
  expect(text).not.toContain(ESCAPE);
});

test("a task's name in what was violated, and in the operations before", () => {
  const named = {
    ...violation,
    message: `mm of ${ESCAPE}`,
    operations: [{ cpu: 0, last: [`switch to ${ESCAPE}`] }],
    replay: `shootdown replay ${ESCAPE}`,
  };
  const text = formatViolations([rowWith({ measurement: { violations: [named] } })]);
  for (const said of ["mm of ", "switch to ", "shootdown replay "]) {
    expect(text).toContain(said + SPELLED);
  }
  expect(text).not.toContain(ESCAPE);
});

test("a vector's id and source, and why one was skipped", async () => {
  const exp = { ...RECORD.exp, res: [{ ok: 1, val: 0 }] };
  const vector = vectorOf({ id: `id${ESCAPE}`, src: `src${ESCAPE}`, exp });
  const skipped = { id: "b", skipReason: `skip${ESCAPE}` };
  const verification = await verifyVectors(bootReference, [vector, skipped]);
  const failures = verification.failures.map((failure) => ({ failure, vector }));
  const text = formatVerification(verification, failures, { paint: plain, columns: 120 });
  for (const said of ["id", "src", "skip"]) expect(text).toContain(said + SPELLED);
  expect(text).not.toContain(ESCAPE);
});
