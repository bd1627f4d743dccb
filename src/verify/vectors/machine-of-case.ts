// A machine in the state that some of a case's operations leave it in: to look at what comes next.

import { BadInput } from "../../base/bad-input.ts";
import type { MachineDescription } from "../../machine/description.ts";
import { type MachineEngine, machineEngine } from "../../machine/engine.ts";
import type { Machine } from "../../machine/machine.ts";
import { readVectors } from "./read-vectors.ts";
import { featuresOf, runCase } from "./run-vector.ts";
import type { Vector, VectorCase } from "./vector.ts";

/** The machine, of one core, after the first `count` operations of the case. */
export function machineOfCase(
  description: MachineDescription,
  vectorCase: VectorCase,
  count: number,
): Machine {
  const boot = machineEngine(description);
  let engine: MachineEngine | undefined;
  const operations = vectorCase.operations.slice(0, count);
  const { loadFault } = runCase((features, registers) => (engine = boot(features, registers)), {
    ...vectorCase,
    operations,
  });
  if (loadFault !== undefined) {
    const { physicalAddressBits } = featuresOf(vectorCase);
    const remedy = `a root that MOV to CR3 takes, below 2^${physicalAddressBits}`;
    throw new BadInput("cr3", `0x${vectorCase.cr3.toString(16)}`, remedy);
  }
  return engine!.machine;
}

export async function vectorNamed(path: string, id: string): Promise<Vector> {
  for await (const vector of readVectors(path)) {
    if (vector.id === id && !("skipReason" in vector)) return vector;
  }
  throw new BadInput("--id", id, `the id of a vector in ${path}`);
}
