// The machine and the reference model in the same state, asked the same.

import type {
  Access,
  ControlRegisters,
  PagingFeatures,
  ControlInstruction,
  Fault,
  PagingEngine,
} from "../../src/base/architecture.ts";
import { type MachineEngine, machineEngine } from "../../src/machine/engine.ts";
import { ReferenceEngine } from "../../src/reference/reference.ts";
import {
  entryAddress,
  entryBytes,
  FEATURES,
  map,
  type Mapping,
  LEVELS,
  type Mode,
  registersOf,
} from "../reference/space.ts";
import { MACHINE } from "./describe.ts";

const bootMachine = machineEngine(MACHINE);

const exactly = (_: string, value: unknown): unknown =>
  typeof value === "bigint" ? `0x${value.toString(16)}` : value;
/** The same text for the same answer; cheaper than a deep comparison. */
export const text = (value: unknown): string => JSON.stringify(value, exactly);

export class Both {
  readonly machine: MachineEngine;
  private readonly reference: ReferenceEngine;
  private readonly engines: readonly [PagingEngine, PagingEngine];

  constructor(
    readonly mode: Mode,
    changed: Partial<ControlRegisters> = {},
    features: Partial<PagingFeatures> = {},
  ) {
    const registers = registersOf(mode, changed);
    const all = { ...FEATURES, ...features };
    this.machine = bootMachine(all, registers) as MachineEngine;
    this.reference = new ReferenceEngine(all, registers);
    this.engines = [this.machine, this.reference];
  }

  map(mapping: Mapping): void {
    for (const engine of this.engines) map(engine, this.mode, mapping);
  }

  put(address: bigint, level: number, entry: bigint): void {
    const place = entryAddress(this.mode, level, address);
    for (const engine of this.engines) engine.writePhysical(place, entryBytes(this.mode), entry);
  }

  poke(address: bigint, value: bigint): void {
    for (const engine of this.engines) engine.writePhysical(address, 8, value);
  }

  /** Drops all that the machine has cached. */
  forget(): void {
    this.machine.machine.invpcid(0, 2n, { pcid: 0n, address: 0n });
  }

  /** What each answers: the machine, then the reference. */
  access(access: Access): readonly [unknown, unknown] {
    return [this.machine.access(access), this.reference.access(access)];
  }

  control(instruction: ControlInstruction): readonly [Fault | undefined, Fault | undefined] {
    return [this.machine.control(instruction), this.reference.control(instruction)];
  }

  write(register: keyof ControlRegisters, value: bigint): readonly [unknown, unknown] {
    return this.control({ kind: "write", register, value });
  }

  /** The entries on an address's path in each memory. */
  entries(address: bigint): readonly [unknown, unknown] {
    const [machine, reference] = this.engines.map((engine) =>
      LEVELS[this.mode].map((level) =>
        engine.readPhysical(entryAddress(this.mode, level, address), entryBytes(this.mode)),
      ),
    );
    return [machine, reference];
  }
}
