// Runs a program on an engine without any invalidation of its own, judging every step.

import { Legality } from "./legal.ts";
import {
  type BootOpenEngine,
  type Difference,
  type Finding,
  firstLoad,
  type OpenEngine,
  type Program,
  type Step,
} from "./random-program.ts";
import { describeFault, describeRegisters } from "./program-text.ts";

/** The first thing that an engine did that is not legal, if there is one. */
export function judgeLegality(boot: BootOpenEngine, program: Program): Difference | undefined {
  const engine = boot(program.features, program.registers);
  const legality = new Legality(program, (address, bytes) => engine.readPhysical(address, bytes));
  for (const { address, bytes, value } of program.entries) {
    engine.writePhysical(address, bytes, value);
    legality.begin(address);
  }
  const load: Step = { kind: "control", instruction: firstLoad(program) };
  const steps = [["load", load] as const, ...program.steps.entries()];
  for (const [place, step] of steps) {
    const illegal = judgeStep(engine, legality, step);
    if (illegal !== undefined) return { place, ...illegal };
  }
  return undefined;
}

function judgeStep(engine: OpenEngine, legality: Legality, step: Step): Finding | undefined {
  switch (step.kind) {
    case "entry":
      engine.writePhysical(step.address, step.bytes, step.value);
      legality.wrote(step.address);
      return undefined;
    case "access":
      return legality.judge(step.access, engine.access(step.access));
    case "control": {
      const expected = describeFault(legality.execute(step.instruction));
      const actual = describeFault(engine.control(step.instruction));
      if (expected !== actual) return { expected, actual };
      return compareRegisters(engine, legality);
    }
  }
}

function compareRegisters(engine: OpenEngine, { processor }: Legality): Finding | undefined {
  const expected = describeRegisters(processor.registers);
  const actual = describeRegisters(engine.registers);
  return expected === actual ? undefined : { expected, actual };
}
