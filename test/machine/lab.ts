// One core in any paging mode, with tables that tests write entry by entry.

import type {
  Access,
  AccessKind,
  ControlRegister,
  Fault,
  ControlRegisters,
  PagingFeatures,
} from "../../src/base/architecture.ts";
import type { AccessResult } from "../../src/machine/access.ts";
import type { MachineDescription } from "../../src/machine/description.ts";
import { MachineEngine } from "../../src/machine/engine.ts";
import { Machine } from "../../src/machine/machine.ts";
import { ALL, isLong, LEVELS, type Mode, P, PS, registersOf } from "../reference/space.ts";
import { MACHINE } from "./describe.ts";

const ROOT = 0x1_0000n;
/** Of PAE paging, whose table of four PDPTEs need not begin a page. */
const PAE_ROOT = 0x1_0020n;
const FIRST_TABLE = 0x2_0000n;
const ADDRESS = 0x000f_ffff_ffff_f000n;

export interface LabOptions {
  readonly registers?: Partial<ControlRegisters>;
  readonly features?: Partial<PagingFeatures>;
  readonly description?: MachineDescription;
}

export interface Leaf {
  /** 1 unless the page is large. */
  readonly level?: number;
  /** Physical address and flags; ALL, and PS if it is large, are added unless `exact`. */
  readonly entry: bigint;
  readonly exact?: boolean;
  /** Flags of new entries above. */
  readonly above?: bigint;
}

export class Lab {
  readonly machine: Machine;
  readonly engine: MachineEngine;
  private nextTable = FIRST_TABLE;
  readonly root: bigint;

  constructor(
    readonly mode: Mode,
    { registers = {}, features = {}, description = MACHINE }: LabOptions = {},
  ) {
    const paging = { ...description.paging, ...features };
    const topology = { ...description.topology, coreCount: 1 };
    this.machine = new Machine({ ...description, paging, topology });
    this.engine = new MachineEngine(this.machine, registersOf(mode, registers));
    this.root = mode === "PAE" ? PAE_ROOT : ROOT;
    this.write("cr3", this.root);
  }

  write(register: ControlRegister, value: bigint): Fault | undefined {
    return this.machine.writeRegister(0, register, value);
  }

  /** Sets and clears bits of a register by the instruction that writes it. */
  change(register: ControlRegister, set: bigint, clear = 0n): Fault | undefined {
    return this.write(register, (this.registers[register] & ~clear) | set);
  }

  get registers(): ControlRegisters {
    return this.machine.registers(0);
  }

  /** Changes registers without an instruction: nothing is dropped. */
  set(registers: Partial<ControlRegisters>): void {
    this.machine.setRegisters(0, registers);
  }

  /** Where the entry of `level` for an address is; tables that are missing are made. */
  place(address: bigint, level = 1, above = ALL): bigint {
    const width = this.mode === "32-bit" ? 10n : 9n;
    let table = this.root;
    for (const at of LEVELS[this.mode]) {
      const shift = 12n + width * BigInt(at - 1);
      const mask = this.mode === "PAE" && at === 3 ? 3n : (1n << width) - 1n;
      const place = table + ((address >> shift) & mask) * BigInt(this.entryBytes);
      if (at === level) return place;
      const entry = this.engine.readPhysical(place, this.entryBytes);
      if ((entry & P) === 0n) {
        table = this.nextTable;
        this.nextTable += 0x1000n;
        const flags = this.mode === "PAE" && at === 3 ? P : above;
        this.engine.writePhysical(place, this.entryBytes, table | flags);
      } else table = entry & ADDRESS;
    }
    throw new Error(`no level ${level} in ${this.mode} mode`);
  }

  /** Writes a leaf, and with PAE paging loads the PDPTE registers anew. */
  map(address: bigint, { level = 1, entry, exact = false, above = ALL }: Leaf): void {
    const flags = exact ? 0n : ALL | (level > 1 ? PS : 0n);
    this.put(address, level, entry | flags, above);
    if (this.mode === "PAE") this.write("cr3", this.root);
  }

  put(address: bigint, level: number, entry: bigint, above = ALL): void {
    this.engine.writePhysical(this.place(address, level, above), this.entryBytes, entry);
  }

  entry(address: bigint, level = 1): bigint {
    return this.engine.readPhysical(this.place(address, level), this.entryBytes);
  }

  /** A supervisor's access of 4 bytes unless told otherwise. */
  access(kind: AccessKind, address: bigint, changed: Partial<Access> = {}): AccessResult {
    return this.machine.access(0, { address, kind, bytes: 4, user: false, ...changed });
  }

  /** Where the translation came from, or the fault as [vector, error code]. */
  source(kind: AccessKind, address: bigint, changed: Partial<Access> = {}): unknown {
    const { fault, ...reached } = this.access(kind, address, changed);
    if (fault !== undefined) return [fault.vector, fault.errorCode];
    return "source" in reached ? reached.source : undefined;
  }

  /** Everything that a program or a clock could see, except what is cached. */
  get state(): unknown {
    return [this.registers, this.machine.now(0), this.machine.counters(0)];
  }

  private get entryBytes(): 4 | 8 {
    return this.mode === "32-bit" ? 4 : 8;
  }
}

/** An address of the mode: bits 63:48 or 63:57 repeat the one below, 32 bits outside long mode. */
export function addressOf(mode: Mode, bits: bigint): bigint {
  if (!isLong(mode)) return BigInt.asUintN(32, bits);
  return BigInt.asUintN(64, BigInt.asIntN(mode === "5-level" ? 57 : 48, bits));
}
