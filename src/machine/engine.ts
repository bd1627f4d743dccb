// The machine as an engine for vectors and random programs: one core of it.

import { physicalAddress } from "../base/address.ts";
import type {
  Access,
  AccessOutcome,
  ControlInstruction,
  ControlRegisters,
  Fault,
  PagingEngine,
  PagingFeatures,
} from "../base/architecture.ts";
import type { AccessResult } from "./access.ts";
import type { MachineDescription } from "./description.ts";
import { type AccessExplanation, explainAccess } from "./explain.ts";
import { Machine } from "./machine.ts";
import type { Snapshot } from "./snapshot.ts";

const CORE = 0;

/** One that tells of its walks. */
export type BootMachineEngine = (
  features: PagingFeatures,
  registers: ControlRegisters,
) => MachineEngine;

export class MachineEngine implements PagingEngine {
  constructor(
    readonly machine: Machine,
    registers: ControlRegisters,
  ) {
    machine.setRegisters(CORE, registers);
  }

  get registers(): ControlRegisters {
    return this.machine.registers(CORE);
  }

  access(access: Access): AccessOutcome {
    return outcomeOf(this.machine.access(CORE, access));
  }

  /** Makes the access, as `access` does, and tells of its walk. */
  explain(access: Access): AccessExplanation {
    return explainAccess(this.machine, CORE, access);
  }

  control(instruction: ControlInstruction): Fault | undefined {
    switch (instruction.kind) {
      case "write":
        return this.machine.writeRegister(CORE, instruction.register, instruction.value);
      case "invlpg":
        this.machine.invlpgAddress(CORE, instruction.address);
        return undefined;
      case "invpcid":
        return this.machine.invpcid(CORE, instruction.type, instruction);
    }
  }

  readPhysical(address: bigint, bytes: 4 | 8): bigint {
    const word = this.machine.read64(physicalAddress(address & ~7n));
    return bytes === 8 ? word : BigInt.asUintN(32, word >> (8n * (address & 4n)));
  }

  writePhysical(address: bigint, bytes: 4 | 8, value: bigint): void {
    if (bytes === 8) {
      this.machine.write64(physicalAddress(address), value);
      return;
    }
    const shift = 8n * (address & 4n);
    const kept = this.readPhysical(address & ~7n, 8) & ~(0xffff_ffffn << shift);
    this.machine.write64(physicalAddress(address & ~7n), kept | (value << shift));
  }
}

/** What a program sees of an access: nothing of its time. */
export function outcomeOf(result: AccessResult): AccessOutcome {
  if (result.fault !== undefined) return { fault: result.fault };
  const { physical, secondPhysical } = result;
  return { reached: { physical, ...(secondPhysical !== undefined && { secondPhysical }) } };
}

/**
 * Engines of one core of the described machine, with the features that are asked for. Machines are
 * booted once for the same features and restored: an engine is of use until the next one is made.
 */
export function machineEngine(description: MachineDescription): BootMachineEngine {
  const topology = { ...description.topology, coreCount: 1 };
  const booted = new Map<string, { readonly machine: Machine; readonly snapshot: Snapshot }>();
  return (paging: PagingFeatures, registers: ControlRegisters) => {
    const key = JSON.stringify(paging);
    let known = booted.get(key);
    if (known === undefined) {
      const machine = new Machine({ ...description, topology, paging }, { callers: "trusted" });
      known = { machine, snapshot: machine.snapshot() };
      booted.set(key, known);
    }
    known.machine.restore(known.snapshot);
    return new MachineEngine(known.machine, registers);
  };
}
