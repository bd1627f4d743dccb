// Programs and what comes of them as a reader wants to see them: a line for each entry and step.

import type {
  Access,
  AccessOutcome,
  ControlInstruction,
  ControlRegisters,
  Fault,
} from "../../base/architecture.ts";
import type { Program, Step } from "./random-program.ts";

const hex = (value: bigint): string => `0x${value.toString(16)}`;

export function describeFault(fault: Fault | undefined): string {
  if (fault === undefined) return "no fault";
  const { vector, errorCode, address } = fault;
  const cr2 = address === undefined ? "" : ` cr2 ${hex(address)}`;
  return `vector ${vector} error ${errorCode}${cr2}`;
}

export function describeOutcome(outcome: AccessOutcome): string {
  if (outcome.fault !== undefined) return describeFault(outcome.fault);
  const { physical, secondPhysical } = outcome.reached;
  return secondPhysical === undefined ? hex(physical) : `${hex(physical)}, ${hex(secondPhysical)}`;
}

export const describeRegisters = (registers: ControlRegisters): string =>
  (["cr0", "cr3", "cr4", "efer", "pkru", "pkrs"] as const)
    .map((name) => `${name} ${hex(registers[name])}`)
    .join(" ");

function describeAccess({ address, kind, bytes, ...how }: Access): string {
  const flags = (["user", "implicit", "alignmentCheck", "locked", "stack"] as const)
    .filter((flag) => how[flag] === true)
    .map((flag) => (flag === "alignmentCheck" ? "ac" : flag));
  return [kind, hex(address), `${bytes} bytes`, ...flags].join(" ");
}

function describeInstruction(instruction: ControlInstruction): string {
  switch (instruction.kind) {
    case "write":
      return `mov ${instruction.register} ${hex(instruction.value)}`;
    case "invlpg":
      return `invlpg ${hex(instruction.address)}`;
    case "invpcid": {
      const { type, pcid, address } = instruction;
      return `invpcid type ${hex(type)} pcid ${hex(pcid)} ${hex(address)}`;
    }
  }
}

function describeStep(step: Step): string {
  switch (step.kind) {
    case "entry":
      return `entry ${hex(step.address)} ${step.bytes} bytes = ${hex(step.value)}`;
    case "access":
      return describeAccess(step.access);
    case "control":
      return describeInstruction(step.instruction);
  }
}

export function describeProgram({ features, registers, entries, steps }: Program): string[] {
  const { vendor, physicalAddressBits, ...flags } = features;
  const on = Object.entries(flags).flatMap(([name, value]) => (value === true ? [name] : []));
  return [
    `processor: ${vendor}, MAXPHYADDR ${physicalAddressBits}, ${on.join(" ")}`,
    `registers: ${describeRegisters(registers)}`,
    ...entries.map((entry) => `before: ${describeStep(entry)}`),
    ...steps.map((step, index) => `step ${index}: ${describeStep(step)}`),
  ];
}

/** Memory words that two engines have different values of. */
export const describeWord = (address: bigint, value: bigint): string =>
  `${hex(address)} = ${hex(value)}`;
