// What code from outside may hand to a machine: cores that it has, lines that it gave, pages that
// have an address. By machine, because machines differ in all of these.

import type { ControlRegister, ControlRegisters } from "../base/architecture.ts";
import { BadInput } from "../base/bad-input.ts";
import {
  bigint,
  type Check,
  choice,
  onlyFields,
  flag,
  integer,
  number,
  optional,
  readInteger,
} from "../base/input.ts";
import type { MachineDescription } from "./description.ts";
import { PageChecks } from "./page-checks.ts";
import type { MachineInstance } from "./wasm.ts";

/** A clock of hours; sums of such numbers are exact. */
const MOST_CYCLES = 2 ** 48;
const MOST_WORD = 2n ** 64n - 1n;
const FRAMES = 2 ** 40;
const LAST_LINE = 2 ** 32 - 1;
const LEAST_VECTOR = 16;
const MOST_VECTOR = 255;
const MOST_BYTES = 15;

// What is the same of every machine.

export const frame: Check = integer(0, FRAMES - 1);
export const word: Check = bigint(0n, MOST_WORD);
export const pageSize: Check = choice("4K", "2M", "1G");
export const vector: Check = integer(LEAST_VECTOR, MOST_VECTOR);
export const cycles: Check = number(0, MOST_CYCLES);
/** Infinity: never. */
export const cycle: Check = number(0, Infinity);
export const entryIndex: Check = integer(0, 511);
export const level: Check = integer(1, 5);

const physical = bigint(0n, 2n ** 52n - 1n);

export const byteAddress: Check = physical;

export const wordAddress: Check = (path, value) => {
  physical(path, value);
  if ((value as bigint) % 8n !== 0n) throw new BadInput(path, value, "a multiple of 8");
};

const key: Check = bigint(0n, 2n ** 32n - 1n);
const REGISTERS: Readonly<Record<ControlRegister, Check>> = {
  cr0: word,
  cr3: word,
  cr4: word,
  efer: word,
  pkru: key,
  pkrs: key,
};

export const registerName: Check = choice(...Object.keys(REGISTERS));

/** Some of them. */
export const registers: Check = onlyFields(
  Object.fromEntries(Object.entries(REGISTERS).map(([name, check]) => [name, optional(check)])),
);

export const access: Check = onlyFields({
  address: word,
  kind: choice("read", "write", "execute"),
  user: flag,
  bytes: optional(integer(1, MOST_BYTES)),
  implicit: optional(flag),
  alignmentCheck: optional(flag),
  locked: optional(flag),
  stack: optional(flag),
});

/** What is asked of a machine for them. */
export interface GuardedMachine {
  readonly description: MachineDescription;
  readonly levels: number;
  registers(core: number): ControlRegisters;
}

/** What differs from machine to machine. */
export class MachineChecks {
  readonly page: Check;
  readonly range: Check;
  readonly core: Check;
  readonly socket: Check;
  readonly root: Check;

  constructor(
    machine: GuardedMachine,
    private readonly instance: MachineInstance,
  ) {
    ({ page: this.page, range: this.range } = new PageChecks(machine));
    const { topology, paging } = machine.description;
    const { coreCount, coresPerLlc, llcsPerSocket } = topology;
    this.core = integer(0, coreCount - 1);
    this.socket = integer(0, Math.ceil(coreCount / (coresPerLlc * llcsPerSocket)) - 1);
    this.root = integer(0, 2 ** (paging.physicalAddressBits - 12) - 1);
  }

  readonly pcid: Check = integer(0, 4095);

  readonly line: Check = (path, value) => {
    const line = readInteger(path, value, { from: 0, to: LAST_LINE });
    if (this.instance.functions.isLine(line) !== 0) return;
    throw new BadInput(path, value, "a line of allocateLine that freeLine has not taken back");
  };
}
