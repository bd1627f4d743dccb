// The machine with one instruction that does too little, or one answer that is off.

import type {
  Access,
  AccessOutcome,
  ControlInstruction,
  ControlRegisters,
  Fault,
} from "../../../src/base/architecture.ts";
import { ENGINES } from "../../../src/verify/programs/engines.ts";
import type { BootOpenEngine, OpenEngine } from "../../../src/verify/programs/random-program.ts";
import type { JudgementName } from "../../../src/verify/programs/verify-programs.ts";

interface Change {
  /** False: the machine is not told of the instruction. */
  readonly executes?: (instruction: ControlInstruction) => boolean;
  readonly changes?: (instruction: ControlInstruction) => ControlInstruction;
  readonly answers?: (outcome: AccessOutcome, access: Access) => AccessOutcome;
}

class WrongEngine implements OpenEngine {
  constructor(
    private readonly right: OpenEngine,
    private readonly change: Change,
  ) {}

  get registers(): ControlRegisters {
    return this.right.registers;
  }

  access(access: Access): AccessOutcome {
    const outcome = this.right.access(access);
    return this.change.answers?.(outcome, access) ?? outcome;
  }

  control(instruction: ControlInstruction): Fault | undefined {
    if (this.change.executes?.(instruction) === false) return undefined;
    return this.right.control(this.change.changes?.(instruction) ?? instruction);
  }

  readPhysical(address: bigint, bytes: 4 | 8): bigint {
    return this.right.readPhysical(address, bytes);
  }

  writePhysical(address: bigint, bytes: 4 | 8, value: bigint): void {
    this.right.writePhysical(address, bytes, value);
  }
}

const KEEP = 1n << 63n;
const CR4_PCIDE = 1n << 17n;

const wrong =
  (change: Change): BootOpenEngine =>
  (features, registers) =>
    new WrongEngine(ENGINES[0]!.boot(features, registers), change);

export const WRONG_ENGINES: readonly {
  readonly what: string;
  readonly judgement: JudgementName;
  /** Of programs, one of which shows it: the first and the last. */
  readonly seeds: readonly [first: number, last: number];
  readonly boot: BootOpenEngine;
}[] = [
  {
    what: "INVLPG that does nothing",
    judgement: "legal",
    seeds: [0, 60],
    boot: wrong({ executes: ({ kind }) => kind !== "invlpg" }),
  },
  {
    what: "MOV to CR3 that never flushes",
    judgement: "legal",
    seeds: [520, 670],
    boot: (features, registers) => {
      const right = ENGINES[0]!.boot(features, registers);
      const changes = (instruction: ControlInstruction): ControlInstruction =>
        instruction.kind === "write" &&
        instruction.register === "cr3" &&
        (right.registers.cr4 & CR4_PCIDE) !== 0n
          ? { ...instruction, value: instruction.value | KEEP }
          : instruction;
      return new WrongEngine(right, { changes });
    },
  },
  {
    what: "INVPCID of everything that leaves global translations",
    judgement: "legal",
    seeds: [60, 100],
    boot: wrong({
      changes: (instruction) =>
        instruction.kind === "invpcid" && instruction.type === 2n
          ? { ...instruction, type: 3n }
          : instruction,
    }),
  },
  {
    what: "a page fault whose error code lacks U/S",
    judgement: "exact",
    seeds: [0, 10],
    boot: wrong({
      answers: (outcome) =>
        outcome.fault?.vector === 14
          ? { fault: { ...outcome.fault, errorCode: outcome.fault.errorCode & ~4 } }
          : outcome,
    }),
  },
];
