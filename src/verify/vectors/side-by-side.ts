// Why a vector failed: it is run once more, on the machine and on the reference model in step, and
// what each of them made of the operation that failed is kept, walks included.

import type {
  Access,
  AccessOutcome,
  ControlInstruction,
  ControlRegisters,
  Fault,
  PagingEngine,
  PagingFeatures,
} from "../../base/architecture.ts";
import { type BootMachineEngine, type MachineEngine, outcomeOf } from "../../machine/engine.ts";
import type { AccessExplanation } from "../../machine/explain.ts";
import { type Explanation, ReferenceEngine } from "../../reference/reference.ts";
import { wrongEntries } from "./compare.ts";
import { runCase } from "./run-vector.ts";
import type { Vector } from "./vector.ts";
import type { VectorFailure } from "./verify-vectors.ts";

/** What both made of one access. */
export interface AccessSides {
  readonly kind: "access";
  readonly access: Access;
  readonly machine: AccessExplanation;
  readonly reference: Explanation;
}

/** The fault of one instruction on both, if it had one. */
export interface InstructionSides {
  readonly kind: "instruction";
  readonly machine: Fault | undefined;
  readonly reference: Fault | undefined;
}

export type Sides = AccessSides | InstructionSides;

export interface ExplainedFailure {
  readonly failure: VectorFailure;
  readonly vector: Vector;
  /**
   * Index of the operation that `sides` is of, or the initial load of CR3: the one that failed, or
   * the last that came by the entry that is wrong at the end. Absent if there is none.
   */
  readonly at?: number | "load";
  readonly sides?: Sides;
}

/** The machine decides what happens; the reference model is told of it, and asked beside it. */
class PairedEngine implements PagingEngine {
  readonly seen: Sides[] = [];

  constructor(
    private readonly machine: MachineEngine,
    private readonly reference: ReferenceEngine,
  ) {}

  access(access: Access): AccessOutcome {
    const reference = this.reference.explain(access);
    this.reference.access(access);
    const machine = this.machine.explain(access);
    this.seen.push({ kind: "access", access, machine, reference });
    return outcomeOf(machine.result);
  }

  control(instruction: ControlInstruction): Fault | undefined {
    const machine = this.machine.control(instruction);
    const reference = this.reference.control(instruction);
    this.seen.push({ kind: "instruction", machine, reference });
    return machine;
  }

  readPhysical(address: bigint, bytes: 4 | 8): bigint {
    return this.machine.readPhysical(address, bytes);
  }

  writePhysical(address: bigint, bytes: 4 | 8, value: bigint): void {
    this.machine.writePhysical(address, bytes, value);
    this.reference.writePhysical(address, bytes, value);
  }
}

export function explainFailure(
  boot: BootMachineEngine,
  vector: Vector,
  failure: VectorFailure,
): ExplainedFailure {
  const engines: PairedEngine[] = [];
  const result = runCase((features: PagingFeatures, registers: ControlRegisters) => {
    const reference = new ReferenceEngine(features, registers);
    engines.push(new PairedEngine(boot(features, registers), reference));
    return engines[0]!;
  }, vector);
  const [load, ...others] = engines[0]!.seen;
  // Every operation but the rewriting of an entry is one access or one instruction.
  const all = new Map<number | "load", Sides>([["load", load!]]);
  vector.operations.forEach(({ kind }, index) => {
    const sides = kind === "entry" ? undefined : others.shift();
    if (sides !== undefined) all.set(index, sides);
  });
  const at = failure.operation === "final" ? lastUse() : failure.operation;
  const sides = at === undefined ? undefined : all.get(at);
  return { failure, vector, ...(at !== undefined && sides !== undefined && { at, sides }) };

  function lastUse(): number | "load" | undefined {
    const [wrong] = wrongEntries(vector, result);
    const uses = [...all].filter(([, one]) => wrong !== undefined && comesBy(one, wrong.address));
    return uses.at(-1)?.[0];
  }
}

function comesBy(sides: Sides, address: bigint): boolean {
  if (sides.kind !== "access") return false;
  const { machine, reference } = sides;
  const walks = [machine.firstWalk, machine.walk, ...reference.walks];
  return walks.some((walk) => walk?.steps.some((step) => step.address === address));
}
