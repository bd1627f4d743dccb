// Random programs, many of them, judged both ways. A case has a seed of its own, so that one of a
// million is replayed alone.

import { Random } from "../../base/random.ts";
import type { NamedEngine } from "./engines.ts";
import { judgeExactly } from "./exact.ts";
import { generateProgram } from "./generate-program.ts";
import { judgeLegality } from "./legal-run.ts";
import type { BootOpenEngine, Difference, Program } from "./random-program.ts";
import { shrink } from "./smaller.ts";
import { describeProgram } from "./program-text.ts";

export const JUDGEMENTS: Readonly<Record<JudgementName, Judge>> = {
  exact: judgeExactly,
  legal: judgeLegality,
};

export type JudgementName = "exact" | "legal";
type Judge = (boot: BootOpenEngine, program: Program) => Difference | undefined;

export interface ProgramFailure extends Difference {
  readonly seed: number;
  readonly engine: string;
  readonly judgement: JudgementName;
  /** The smallest program that fails so. */
  readonly program: readonly string[];
}

export interface ProgramVerification {
  readonly cases: number;
  readonly failed: number;
  /** Of the first cases that failed. */
  readonly failures: readonly ProgramFailure[];
}

export interface ProgramRun {
  readonly engines: readonly NamedEngine[];
  readonly seed: number;
  readonly cases: number;
  readonly onCase?: (done: number) => void;
}

const FAILURES_KEPT = 5;

/** The seed of case `index`: what to give as --seed to run it first. */
const seedOfCase = (seed: number, index: number): number => (seed + index) >>> 0;

export function verifyPrograms({ engines, seed, cases, onCase }: ProgramRun): ProgramVerification {
  let failed = 0;
  const failures: ProgramFailure[] = [];
  for (let index = 0; index < cases; index++) {
    const own = seedOfCase(seed, index);
    const engine = engines[own % engines.length]!;
    const found = failureOf(engine, own, failures.length < FAILURES_KEPT);
    if (found !== undefined) failed += 1;
    if (found !== undefined && failures.length < FAILURES_KEPT) failures.push(found);
    onCase?.(index + 1);
  }
  return { cases, failed, failures };
}

function failureOf(
  { name, boot }: NamedEngine,
  seed: number,
  isShrunk: boolean,
): ProgramFailure | undefined {
  const program = generateProgram(new Random(seed));
  for (const judgement of ["exact", "legal"] as const) {
    const judge = JUDGEMENTS[judgement];
    const difference = judge(boot, program);
    if (difference === undefined) continue;
    const fails = (candidate: Program): boolean => judge(boot, candidate) !== undefined;
    const smallest = isShrunk ? shrink(program, fails) : program;
    const shown = describeProgram(smallest);
    return { seed, engine: name, judgement, ...judge(boot, smallest)!, program: shown };
  }
  return undefined;
}
