// Writes to control registers, bit by bit, against the reference model: which are refused, what the
// registers hold afterwards, and that a refused one changes nothing, time included.

import { describe, expect, test } from "vitest";
import type {
  ControlRegister,
  ControlRegisters,
  PagingFeatures,
} from "../../src/base/architecture.ts";
import { machineEngine, type MachineEngine } from "../../src/machine/engine.ts";
import { writeControl } from "../../src/reference/control.ts";
import { faultOfInvpcid } from "../../src/reference/invalidate.ts";
import { CR0, CR4, EFER } from "../../src/reference/registers.ts";
import { FEATURES, isLong, type Mode, registersOf } from "../reference/space.ts";
import { text } from "./both.ts";
import { MACHINE } from "./describe.ts";

const MODES: readonly Mode[] = ["none", "32-bit", "PAE", "4-level", "5-level"];
const REGISTERS: readonly ControlRegister[] = ["cr0", "cr3", "cr4", "efer", "pkru", "pkrs"];
const boot = machineEngine(MACHINE);

interface Start {
  readonly what: string;
  readonly mode: Mode;
  readonly registers: ControlRegisters;
  readonly features: PagingFeatures;
}

const EVERYTHING = CR4.PSE | CR4.SMEP | CR4.SMAP | CR4.PKE | CR4.PKS | (1n << 7n);
const NOTHING: Partial<PagingFeatures> = {
  fiveLevels: false,
  pcid: false,
  invpcid: false,
  smep: false,
  smap: false,
  protectionKeys: false,
  supervisorKeys: false,
  noExecute: false,
};

function startsOf(mode: Mode): readonly Start[] {
  const start = (
    what: string,
    changed: Partial<ControlRegisters>,
    features: Partial<PagingFeatures> = {},
  ): Start => ({
    what: `${mode} mode, ${what}`,
    mode,
    registers: { ...registersOf(mode), ...changed },
    features: { ...FEATURES, ...features },
  });
  const { cr4, efer } = registersOf(mode);
  return [
    start("plain", {}),
    start("CR3 not 0", { cr3: 0x8018n }),
    start("everything on", { cr4: cr4 | EVERYTHING, pkru: 5n, pkrs: 6n }),
    start("NXE off", { efer: efer & ~EFER.NXE }),
    start("36 bits", {}, { physicalAddressBits: 36 }),
    start("52 bits", {}, { physicalAddressBits: 52 }),
    ...(isLong(mode) || mode === "PAE"
      ? [start("PCIDE", { cr4: cr4 | CR4.PCIDE, cr3: 0x8005n })]
      : []),
    ...(mode === "none"
      ? [
          start("LME", { efer: efer | EFER.LME }),
          start("LME and PAE", { efer: efer | EFER.LME, cr4: CR4.PAE }),
          start("PAE", { cr4: CR4.PAE }),
        ]
      : []),
    start("no features", {}, NOTHING),
  ];
}

/** The register as it is with each bit flipped, and some that flip several. */
function valuesFor(register: ControlRegister, { registers }: Start): readonly bigint[] {
  const now = registers[register];
  const flipped = Array.from({ length: 64 }, (_, position) => now ^ (1n << BigInt(position)));
  const more = [0n, now, (1n << 64n) - 1n, (1n << 32n) - 1n, now | (1n << 63n)];
  if (register !== "cr0") return [...flipped, ...more];
  const several = Array.from({ length: 32 }, (_, bits) => {
    const flags = [CR0.PE, CR0.WP, CR0.NW, CR0.CD, CR0.PG];
    return flags.reduce((value, flag, index) => ((bits >> index) & 1 ? value | flag : value), 0n);
  });
  return [...flipped, ...more, ...several];
}

const state = ({ machine }: MachineEngine): string =>
  text([machine.registers(0), machine.now(0), machine.counters(0)]);

describe.each(MODES.flatMap(startsOf))("with $what", (start) => {
  const { registers, features } = start;
  test.each(REGISTERS)("a write to %s is refused or done as the manual says", (register) => {
    const wrong: string[] = [];
    for (const value of valuesFor(register, start)) {
      const machine = boot(features, registers) as MachineEngine;
      const before = state(machine);
      const processor = { features, registers, pdptes: [0n, 0n, 0n, 0n] };
      const written = writeControl(register, { processor, value, read: () => 0n });
      const fault = machine.control({ kind: "write", register, value });
      const after = written.fault === undefined ? written.processor.registers : registers;
      const found = text([fault, machine.machine.registers(0)]);
      if (found !== text([written.fault, after])) wrong.push(`${text(value)}: ${found}`);
      if (written.fault !== undefined && state(machine) !== before)
        wrong.push(`${text(value)} acts`);
    }
    expect(wrong).toEqual([]);
  });

  test("INVPCID is refused or done as the manual says", () => {
    const processor = { features, registers, pdptes: [] };
    const wrong: string[] = [];
    for (const type of [0n, 1n, 2n, 3n, 4n, 1n << 32n]) {
      for (const pcid of [0n, 5n, 0xfffn, 1n << 12n, 1n << 63n]) {
        for (const address of [0n, 0x5000n, 1n << 47n, 1n << 56n, 1n << 63n, ~0n & 0xffffn]) {
          const instruction = { kind: "invpcid", type, pcid, address } as const;
          const machine = boot(features, registers) as MachineEngine;
          const before = state(machine);
          const fault = machine.control(instruction);
          const wanted = faultOfInvpcid(processor, instruction);
          if (text(fault) !== text(wanted)) wrong.push(`${text(instruction)}: ${text(fault)}`);
          if (fault !== undefined && state(machine) !== before) wrong.push(text(instruction));
        }
      }
    }
    expect(wrong).toEqual([]);
  });
});
