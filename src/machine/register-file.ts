// The control registers of each core, by their names.

import type { FrameNumber } from "../base/address.ts";
import type { ControlRegister, ControlRegisters, Fault } from "../base/architecture.ts";
import { assert } from "../base/assert.ts";
import type { MachineInstance } from "./wasm.ts";

/** CR4.PGE and CR4.PCIDE. */
const GLOBAL_PAGES = 1n << 7n;
const PCIDS = 1n << 17n;

export interface Features {
  readonly globalPages: boolean;
  readonly pcid: boolean;
}

/** What a kernel composes CR3 of. PCID and `keep` are without effect while CR4.PCIDE is clear. */
export interface Cr3 {
  readonly root: FrameNumber;
  readonly pcid: number;
  /** Bit 63: translations of the PCID are not dropped. */
  readonly keep: boolean;
}

/** What INVPCID reads from memory. */
export interface PcidDescriptor {
  readonly pcid: bigint;
  readonly address: bigint;
}

/** The fault of an instruction that answers with a vector, 0 for none. */
const faultOf = (vector: number): Fault | undefined =>
  vector === 0 ? undefined : { vector: vector as Fault["vector"], errorCode: 0 };

export class RegisterFile {
  private readonly codes: Readonly<Record<ControlRegister, number>>;

  constructor(private readonly instance: MachineInstance) {
    const { constant } = instance;
    this.codes = {
      cr0: constant("REGISTER_CR0"),
      cr3: constant("REGISTER_CR3"),
      cr4: constant("REGISTER_CR4"),
      efer: constant("REGISTER_EFER"),
      pkru: constant("REGISTER_PKRU"),
      pkrs: constant("REGISTER_PKRS"),
    };
  }

  write(core: number, register: ControlRegister, value: bigint): Fault | undefined {
    return faultOf(this.instance.functions.writeRegister(core, this.codes[register], value));
  }

  invpcid(core: number, type: bigint, { pcid, address }: PcidDescriptor): Fault | undefined {
    return faultOf(this.instance.functions.invpcid(core, type, pcid, address));
  }

  setFeatures(core: number, { globalPages, pcid }: Features): void {
    const kept = this.read(core).cr4 & ~(GLOBAL_PAGES | PCIDS);
    const cr4 = kept | (globalPages ? GLOBAL_PAGES : 0n) | (pcid ? PCIDS : 0n);
    assert(this.write(core, "cr4", cr4) === undefined, "MOV to CR4 is not refused");
  }

  read(core: number): ControlRegisters {
    const value = (register: ControlRegister): bigint =>
      BigInt.asUintN(64, this.instance.functions.registerValue(core, this.codes[register]));
    return {
      cr0: value("cr0"),
      cr3: value("cr3"),
      cr4: value("cr4"),
      efer: value("efer"),
      pkru: value("pkru"),
      pkrs: value("pkrs"),
    };
  }

  set(core: number, registers: Partial<ControlRegisters>): void {
    for (const [register, value] of Object.entries(registers)) {
      if (value === undefined) continue;
      this.instance.functions.setRegister(core, this.codes[register as ControlRegister], value);
    }
  }
}
