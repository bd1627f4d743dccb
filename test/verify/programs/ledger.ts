// One page of 4-level paging under the eyes of the legality checker, without any engine: a test
// says what the software does, and then what an engine is to have answered.

import type { AccessOutcome, ControlInstruction } from "../../../src/base/architecture.ts";
import { PhysicalMemory } from "../../../src/reference/memory.ts";
import { CR0, CR4, EFER } from "../../../src/reference/registers.ts";
import { Legality } from "../../../src/verify/programs/legal.ts";
import { PROCESSORS } from "../../../src/verify/programs/processors.ts";

export const ROOT = 0x1000n;
export const OTHER_ROOT = 0x5000n;
/** The page, its neighbour, and one that shares only the root. */
export const PAGE = 0x40_0000n;
export const NEIGHBOUR = 0x40_1000n;
export const ELSEWHERE = 0x80_4000_0000n;
export const PDE = 0x3010n;
export const PTE = 0x4000n;
export const OTHER_PTE = 0x8000n;
export const OLD = 0x10_0000n;
export const NEW = 0x20_0000n;
export const FLAGS = 0x67n;
export const GLOBAL = 0x100n;
export const LARGE = 0x80n;
export const KEEP = 1n << 63n;

/** Which tables lead from each root to the page. */
const TABLES: readonly (readonly [bigint, bigint])[] = [
  [ROOT, 0x2000n],
  [0x2000n, 0x3000n],
  [PDE, 0x4000n],
  [OTHER_ROOT, 0x6000n],
  [0x6000n, 0x7000n],
  [0x7010n, 0x8000n],
];

export class Ledger {
  private readonly memory = new PhysicalMemory();
  private readonly legality: Legality;

  constructor() {
    const cr4 = CR4.PAE | CR4.PGE | CR4.PCIDE;
    const registers = {
      cr0: CR0.PE | CR0.PG | CR0.ET | CR0.WP,
      cr3: ROOT,
      cr4,
      efer: EFER.LME | EFER.LMA | EFER.NXE,
      pkru: 0n,
      pkrs: 0n,
    };
    this.legality = new Legality({ features: PROCESSORS[0]!, registers }, (address, bytes) =>
      this.memory.read(address, bytes),
    );
    for (const [at, table] of TABLES) this.write(at, table | FLAGS);
    this.write(PTE, OLD | FLAGS);
  }

  write(at: bigint, value: bigint): void {
    this.memory.write(at, 8, value);
    this.legality.wrote(at);
  }

  /** What the processor does to memory by itself. */
  touch(at: bigint, value: bigint): void {
    this.memory.write(at, 8, value);
  }

  execute(instruction: ControlInstruction): void {
    const fault = this.legality.execute(instruction);
    if (fault !== undefined) throw new Error(`the instruction faults: vector ${fault.vector}`);
  }

  cr3(value: bigint): void {
    this.execute({ kind: "write", register: "cr3", value });
  }

  /** Flips bits of CR4. */
  cr4(flips: bigint): void {
    const value = this.legality.processor.registers.cr4 ^ flips;
    this.execute({ kind: "write", register: "cr4", value });
  }

  invlpg(address: bigint): void {
    this.execute({ kind: "invlpg", address });
  }

  invpcid(type: bigint, pcid = 0n, address = PAGE): void {
    this.execute({ kind: "invpcid", type, pcid, address });
  }

  /** What the checker says to an engine that answered so to a user's access to the page. */
  answer(actual: AccessOutcome, kind: "read" | "write" = "read"): string {
    const access = { address: PAGE, kind, bytes: 1, user: true };
    return this.legality.judge(access, actual) === undefined ? "legal" : "illegal";
  }

  reaches(physical: bigint): string {
    return this.answer({ reached: { physical } });
  }

  faults(errorCode: number): string {
    return this.answer({ fault: { vector: 14, errorCode, address: PAGE } });
  }
}
