// Fresh random cases, asked of an oracle and of an engine.

import type { BootEngine } from "../../base/architecture.ts";
import { judgeAnswer } from "./answer.ts";
import { askOracle } from "./ask.ts";
import { generateCase } from "./generate-cases.ts";
import type { Oracle } from "./oracles.ts";
import type { Unrecorded } from "../vectors/parse.ts";
import type { Vector } from "../vectors/vector.ts";
import { verifyVectors, type Verification } from "../vectors/verify-vectors.ts";

export interface OracleRun {
  readonly oracle: Oracle;
  /** The compiled oracle. */
  readonly program: string;
  readonly seed: number;
  readonly cases: number;
}

export interface OracleVerification extends Verification {
  /** How many answers each artifact was put right in. */
  readonly putRight: Readonly<Record<string, number>>;
}

export async function verifyAgainstOracle(
  boot: BootEngine,
  { oracle, program, seed, cases }: OracleRun,
): Promise<OracleVerification> {
  const putRight: Record<string, number> = {};
  const asked = Array.from({ length: cases }, (_, index) => generateCase(oracle, seed, index));
  async function* vectors(): AsyncGenerator<Vector | Unrecorded> {
    for await (const { the, line } of askOracle(program, oracle.name, asked)) {
      const judged = judgeAnswer(oracle, the, line);
      for (const name of judged.putRight) putRight[name] = (putRight[name] ?? 0) + 1;
      yield judged.vector;
    }
  }
  return { ...(await verifyVectors(boot, vectors())), putRight };
}
