// The machine on random programs, judged both ways; and engines that are wrong, which must be seen.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import { ENGINES } from "../../../src/verify/programs/engines.ts";
import { judgeExactly } from "../../../src/verify/programs/exact.ts";
import { generateProgram } from "../../../src/verify/programs/generate-program.ts";
import { judgeLegality } from "../../../src/verify/programs/legal-run.ts";
import type {
  BootOpenEngine,
  Difference,
  Program,
} from "../../../src/verify/programs/random-program.ts";
import { smaller } from "../../../src/verify/programs/smaller.ts";
import { describeProgram } from "../../../src/verify/programs/program-text.ts";
import { JUDGEMENTS, verifyPrograms } from "../../../src/verify/programs/verify-programs.ts";
import { anyProgram } from "./arbitrary.ts";
import { WRONG_ENGINES } from "./wrong-engines.ts";

/** At night there are hundreds of thousands. */
const PROGRAMS_EACH = 120;

/** No program is judged to differ; one that is, is shrunk and shown. */
function neverDiffers(judge: (program: Program) => Difference | undefined): void {
  const property = fc.property(anyProgram(), (program) => {
    const difference = judge(program);
    if (difference === undefined) return;
    throw new Error([JSON.stringify(difference), ...describeProgram(program)].join("\n"));
  });
  fc.assert(property, { numRuns: PROGRAMS_EACH, seed: 1 });
}

describe.each(ENGINES)("$name", ({ boot }) => {
  test("agrees with the reference model when every invalidation that is due is made", () => {
    neverDiffers((program) => judgeExactly(boot, program));
  });

  test("does nothing illegal when no invalidation is made", () => {
    neverDiffers((program) => judgeLegality(boot, program));
  });
});

describe("an engine that is wrong is found:", () => {
  test.each(WRONG_ENGINES)("$what", ({ boot, seeds: [first, last], judgement }) => {
    let found: Difference | undefined;
    for (let seed = first; seed <= last && found === undefined; seed++) {
      found = JUDGEMENTS[judgement](boot, generateProgram(new Random(seed)));
    }
    expect(found).toBeDefined();
  });

  test("and shown by a short program that is replayed by its seed", () => {
    const engines = [{ name: "wrong", boot: WRONG_ENGINES[0]!.boot }];
    const [failure] = verifyPrograms({ engines, seed: 1, cases: 20 }).failures;
    expect(failure!.program.filter((line) => line.startsWith("step")).length).toBeLessThan(5);
    const again = verifyPrograms({ engines, seed: failure!.seed, cases: 1 });
    expect(again.failures).toEqual([failure]);
  });
});

describe("random programs", () => {
  const boot: BootOpenEngine = ENGINES[0]!.boot;

  test("are the same for the same seed", () => {
    expect(generateProgram(new Random(7))).toEqual(generateProgram(new Random(7)));
    expect(generateProgram(new Random(8))).not.toEqual(generateProgram(new Random(7)));
  });

  test("shrink to programs that run, none of which is larger", () => {
    const program = generateProgram(new Random(3));
    const lines = describeProgram(program).length;
    let count = 0;
    for (const less of smaller(program)) {
      if (count++ % 9 === 0) judgeExactly(boot, less);
      expect(describeProgram(less).length).toBeLessThanOrEqual(lines);
      expect(less).not.toEqual(program);
    }
    expect(count).toBeGreaterThan(50);
  });
});
