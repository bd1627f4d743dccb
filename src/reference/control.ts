// Writes to control registers: what they refuse with #GP(0), and what they leave behind. SDM 2B,
// MOV to control register; SDM 3A 2.5, 4.1, 4.4.1; WRMSR and WRPKRU. All of them at CPL 0.

import type { ControlRegister, ControlRegisters, Fault } from "../base/architecture.ts";
import { GENERAL_PROTECTION, INVALID_OPCODE } from "./fault.ts";
import type { ReadPhysical } from "./memory.ts";
import { loadsPdptes, pdptesAt } from "./pdpte.ts";
import { bit, bits, CR0, CR4, EFER, has, isLongMode, type Processor } from "./registers.ts";

export type Written =
  { readonly fault: Fault } | { readonly fault?: undefined; readonly processor: Processor };

interface Write {
  readonly processor: Processor;
  readonly value: bigint;
  readonly read: ReadPhysical;
}

/** Carries out a write, or returns its fault; then nothing has changed. */
export function writeControl(register: ControlRegister, write: Write): Written {
  return WRITERS[register](write);
}

const WRITERS: Readonly<Record<ControlRegister, (write: Write) => Written>> = {
  cr0: writeCr0,
  cr3: writeCr3,
  cr4: writeCr4,
  efer: writeEfer,
  pkru: writePkru,
  pkrs: writePkrs,
};

const REFUSED: Written = { fault: GENERAL_PROTECTION };

const written = (processor: Processor, changed: Partial<ControlRegisters>): Written => ({
  processor: { ...processor, registers: { ...processor.registers, ...changed } },
});

/** The operand of MOV to a control register has 32 bits outside 64-bit mode. */
const operandOf = ({ processor, value }: Write): bigint =>
  BigInt.asUintN(isLongMode(processor.registers) ? 64 : 32, value);

/** A write to CR0, CR3 or CR4, which may load the PDPTE registers. SDM 3A 4.4.1. */
function writtenWithPdptes(
  { processor, read }: Write,
  changed: Partial<ControlRegisters>,
): Written {
  const after = { ...processor, registers: { ...processor.registers, ...changed } };
  if (!loadsPdptes(processor.registers, changed)) return { processor: after };
  const pdptes = pdptesAt(after, read);
  return pdptes === undefined ? REFUSED : { processor: { ...after, pdptes } };
}

/** Bits 28:19, 17, 15:6 are reserved: writes to them are ignored. SDM 3A 2.5. */
const CR0_DEFINED = bits(31, 29) | bit(18) | CR0.WP | bits(5, 0);

function writeCr0(write: Write): Written {
  const { cr0: before, cr4, efer } = write.processor.registers;
  const value = operandOf(write);
  if (value >> 32n !== 0n) return REFUSED;
  const cr0 = (value & CR0_DEFINED) | CR0.ET;
  const isPaging = has(cr0, CR0.PG);
  if (isPaging && !has(cr0, CR0.PE)) return REFUSED;
  if (has(cr0, CR0.NW) && !has(cr0, CR0.CD)) return REFUSED;
  // Paging cannot be left with PCIDs enabled, nor from 64-bit mode.
  if (!isPaging && has(cr4, CR4.PCIDE)) return REFUSED;
  if (!isPaging && isLongMode(write.processor.registers)) return REFUSED;
  // SDM 3A 4.1.2: nor entered into IA-32e mode without PAE.
  const enters = isPaging && !has(before, CR0.PG);
  if (enters && has(efer, EFER.LME) && !has(cr4, CR4.PAE)) return REFUSED;
  return writtenWithPdptes(write, { cr0, efer: withLongModeActive(efer, cr0) });
}

/** LMA is LME and PG. SDM 3A 2.2.1. */
function withLongModeActive(efer: bigint, cr0: bigint): bigint {
  const isActive = has(efer, EFER.LME) && has(cr0, CR0.PG);
  return (efer & ~EFER.LMA) | (isActive ? EFER.LMA : 0n);
}

/** Bit 63 of the operand: keep what is cached. It is not stored. SDM 3A 4.10.4.1. */
const CR3_NO_FLUSH = bit(63);

function writeCr3(write: Write): Written {
  const { features, registers } = write.processor;
  const tagged = has(registers.cr4, CR4.PCIDE);
  const operand = operandOf(write);
  const cr3 = tagged ? operand & ~CR3_NO_FLUSH : operand;
  // SDM 3A table 4-12: bits 63:M are reserved. The low bits that locate nothing are not checked.
  if (has(cr3, bits(63, features.physicalAddressBits))) return REFUSED;
  return writtenWithPdptes(write, { cr3 });
}

/** VME to CR4.UMIP less LA57; FSGSBASE, OSXSAVE: they do not concern paging, and are there. */
const CR4_OTHERS = bits(11, 0) | bit(16) | bit(18);

/** VMXE, SMXE, KL, CET, UINTR, LAM and FRED belong to features that no processor here has. */
function reservedInCr4({ features }: Processor): bigint {
  let defined = CR4_OTHERS;
  if (features.fiveLevels) defined |= CR4.LA57;
  if (features.pcid) defined |= CR4.PCIDE;
  if (features.smep) defined |= CR4.SMEP;
  if (features.smap) defined |= CR4.SMAP;
  if (features.protectionKeys) defined |= CR4.PKE;
  if (features.supervisorKeys) defined |= CR4.PKS;
  return bits(63, 0) & ~defined;
}

function writeCr4(write: Write): Written {
  const { processor } = write;
  const { cr3, cr4: before } = processor.registers;
  const cr4 = operandOf(write);
  const longMode = isLongMode(processor.registers);
  if (has(cr4, reservedInCr4(processor))) return REFUSED;
  // SDM 3A 4.10.1: PCIDs are enabled in IA-32e mode, while the current one is 0.
  const enablesPcids = has(cr4 & ~before, CR4.PCIDE);
  if (enablesPcids && (!longMode || has(cr3, bits(11, 0)))) return REFUSED;
  // SDM 3A 4.1.2: neither PAE nor the number of levels changes under IA-32e mode.
  if (longMode && has(cr4 ^ before, CR4.PAE | CR4.LA57)) return REFUSED;
  return writtenWithPdptes(write, { cr4 });
}

function writeEfer({ processor, value }: Write): Written {
  const { cr0, efer: before } = processor.registers;
  let defined = EFER.SCE | EFER.LME | EFER.LMA;
  if (processor.features.noExecute) defined |= EFER.NXE;
  if (has(value, bits(63, 0) & ~defined)) return REFUSED;
  if (has(value ^ before, EFER.LME) && has(cr0, CR0.PG)) return REFUSED;
  return written(processor, { efer: withLongModeActive(value, cr0) });
}

/** WRPKRU, the value in EDX:EAX: EDX must be 0. */
function writePkru({ processor, value }: Write): Written {
  if (!has(processor.registers.cr4, CR4.PKE)) return { fault: INVALID_OPCODE };
  return value >> 32n === 0n ? written(processor, { pkru: value }) : REFUSED;
}

/** WRMSR to IA32_PKRS, which needs the feature, not CR4.PKS. */
function writePkrs({ processor, value }: Write): Written {
  if (!processor.features.supervisorKeys || value >> 32n !== 0n) return REFUSED;
  return written(processor, { pkrs: value });
}
