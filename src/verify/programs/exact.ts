// The exact judgement: whenever something stale may be cached, the invalidation that is due is
// made. Then a processor has no choice, and two engines must agree on every outcome, every fault,
// every register and every bit of every entry.

import { bootReference } from "../../reference/reference.ts";
import { CachedRoots, flushAll } from "./due.ts";
import {
  type BootOpenEngine,
  type Difference,
  type Finding,
  firstLoad,
  type OpenEngine,
  type Program,
  type Step,
  wordsOf,
} from "./random-program.ts";
import { describeFault, describeOutcome, describeRegisters, describeWord } from "./program-text.ts";

/** The first difference between an engine and the reference model, if there is one. */
export function judgeExactly(boot: BootOpenEngine, program: Program): Difference | undefined {
  return new ExactRun(boot, program).run();
}

class ExactRun {
  private readonly judged: OpenEngine;
  private readonly reference: OpenEngine;
  private readonly roots: CachedRoots;
  private readonly accessed = new Set<bigint>();
  private flushes = 0;

  constructor(
    boot: BootOpenEngine,
    private readonly program: Program,
  ) {
    const { features, registers } = program;
    this.judged = boot(features, registers);
    this.reference = bootReference(features, registers);
    this.roots = new CachedRoots(registers);
  }

  run(): Difference | undefined {
    const { entries, steps } = this.program;
    for (const entry of entries) this.write(entry);
    const loaded = this.compareControl({ kind: "control", instruction: firstLoad(this.program) });
    if (loaded !== undefined) return { place: "load", ...loaded };
    for (const [place, step] of steps.entries()) {
      const difference = this.compareStep(step) ?? this.compareRegisters();
      if (difference !== undefined) return { place, ...difference };
    }
    const left = this.compareMemory();
    return left && { place: "end", ...left };
  }

  private compareStep(step: Step): Finding | undefined {
    switch (step.kind) {
      case "entry":
        this.write(step);
        this.flush();
        return undefined;
      case "access": {
        this.accessed.add(step.access.address);
        this.accessed.add(step.access.address + BigInt(step.access.bytes - 1));
        const expected = describeOutcome(this.reference.access(step.access));
        const actual = describeOutcome(this.judged.access(step.access));
        return expected === actual ? undefined : { expected, actual };
      }
      case "control":
        return this.compareControl(step);
    }
  }

  private write({ address, bytes, value }: Extract<Step, { kind: "entry" }>): void {
    this.reference.writePhysical(address, bytes, value);
    this.judged.writePhysical(address, bytes, value);
  }

  private compareControl({ instruction }: Extract<Step, { kind: "control" }>): Finding | undefined {
    const before = this.reference.registers;
    const fault = this.reference.control(instruction);
    const expected = describeFault(fault);
    const actual = describeFault(this.judged.control(instruction));
    if (expected !== actual) return { expected, actual };
    const after = this.reference.registers;
    if (fault === undefined && this.roots.leavesStale({ before, after, instruction })) this.flush();
    return undefined;
  }

  private flush(): void {
    const prefersInvpcid = this.flushes++ % 2 === 1;
    const { features } = this.program;
    const engines = [this.reference, this.judged];
    flushAll(engines, { features, addresses: this.accessed, prefersInvpcid });
    this.roots.clear(this.reference.registers);
  }

  private compareRegisters(): Finding | undefined {
    const expected = describeRegisters(this.reference.registers);
    const actual = describeRegisters(this.judged.registers);
    return expected === actual ? undefined : { expected, actual };
  }

  private compareMemory(): Finding | undefined {
    for (const address of wordsOf(this.program)) {
      const expected = this.reference.readPhysical(address, 8);
      const actual = this.judged.readPhysical(address, 8);
      if (expected === actual) continue;
      return { expected: describeWord(address, expected), actual: describeWord(address, actual) };
    }
    return undefined;
  }
}
