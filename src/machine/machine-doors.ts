// The doors of a machine: what each of its functions takes.

import { BadInput } from "../base/bad-input.ts";
import { fields, flag, integer, optional } from "../base/input.ts";
import {
  access,
  byteAddress,
  cycle,
  cycles,
  entryIndex,
  frame,
  type GuardedMachine,
  level,
  MachineChecks,
  registers,
  registerName,
  vector,
  word,
  wordAddress,
} from "./machine-checks.ts";
import { inOrder, pageOrEnd } from "./page-checks.ts";
import type { Features } from "./register-file.ts";
import { stream } from "./stream-check.ts";
import type { Snapshots } from "./snapshot.ts";

export function machineDoors(machine: GuardedMachine, snapshots: Snapshots) {
  const checks = new MachineChecks(machine, snapshots.instance);
  return {
    ...instructionDoors(machine, checks),
    ...interruptDoors(checks),
    ...lineDoors(checks),
    ...memoryDoors(checks),
    ...checkerDoors(checks),
    ...stateDoors(checks, snapshots),
  };
}

/** What a core executes. */
function instructionDoors(machine: GuardedMachine, { core, page, root, pcid }: MachineChecks) {
  return {
    access: { arguments: { core, access } },
    runStream: { arguments: { core, stream, horizonCycle: cycle } },
    fence: { arguments: { core } },
    writeCr3: {
      arguments: { core, cr3: fields({ root, pcid, keep: flag }) },
      together: notOfPae(machine),
    },
    writeCr4: {
      arguments: { core, features: fields({ globalPages: flag, pcid: flag }) },
      together: isGranted(machine),
    },
    writeRegister: { arguments: { core, register: registerName, value: word } },
    setRegisters: { arguments: { core, registers } },
    invlpg: { arguments: { core, page } },
    invlpgAddress: { arguments: { core, address: word } },
    invpcid: { arguments: { core, type: word, descriptor: fields({ pcid: word, address: word }) } },
    powerDown: { arguments: { core } },
  };
}

const PAGING = 1n << 31n;
const PHYSICAL_EXTENSION = 1n << 5n;
const PCIDS = 1n << 17n;
const LONG_MODE = 1n << 10n;
const LOW_BITS = 0xfffn;

/** MOV to CR3 loads PDPTEs with PAE paging, and may be refused for what is in them. */
const notOfPae =
  (machine: GuardedMachine) =>
  (core: number): void => {
    const { cr0, cr4, efer } = machine.registers(core);
    const hasPdptes = (cr0 & PAGING) !== 0n && (cr4 & PHYSICAL_EXTENSION) !== 0n;
    if (!hasPdptes || (efer & LONG_MODE) !== 0n) return;
    throw new BadInput("Machine.writeCr3(core)", core, "writeRegister, on a core with PAE paging");
  };

/** When MOV to CR4 sets PCIDE (SDM 3A 4.10.1). */
const isGranted =
  (machine: GuardedMachine) =>
  (core: number, { pcid }: Features): void => {
    const path = "Machine.writeCr4(features).pcid";
    if (!pcid) return;
    if (!machine.description.paging.pcid) {
      throw new BadInput(path, pcid, "false: this CPU has no PCIDs");
    }
    const { cr3, cr4, efer } = machine.registers(core);
    const isReady = (efer & LONG_MODE) !== 0n && (cr3 & LOW_BITS) === 0n;
    if ((cr4 & PCIDS) !== 0n || isReady) return;
    throw new BadInput(path, pcid, "in 64-bit mode only, with bits 11:0 of CR3 clear");
  };

const interruptDoors = ({ core }: MachineChecks) => ({
  writeIcr: { arguments: { core } },
  deliverIpi: { arguments: { core, target: core, vector } },
  sendIpi: { arguments: { core, target: core, vector } },
  setTimer: { arguments: { core, vector, cycle } },
  nextInterrupt: { arguments: { core } },
  acceptInterrupt: { arguments: { core } },
  endOfInterrupt: { arguments: { core } },
  iret: { arguments: { core } },
  interruptFlag: { arguments: { core } },
  setInterruptFlag: { arguments: { core, on: flag } },
});

const lineDoors = ({ core, line, socket }: MachineChecks) => ({
  allocateLine: { arguments: { homeSocket: socket } },
  freeLine: { arguments: { line } },
  lineLoad: { arguments: { core, line } },
  lineStore: { arguments: { core, line } },
  lineLocked: { arguments: { core, line } },
});

/** Memory, and page tables in it. */
function memoryDoors({ core, page, range }: MachineChecks) {
  const oneHalf = (_root: number, start: number, end: number): void =>
    range("Machine.nextLeaf(page, end)", { start, end });
  return {
    read64: { arguments: { address: wordAddress } },
    write64: { arguments: { address: wordAddress, value: word } },
    readEntry: { arguments: { table: frame, index: entryIndex } },
    writeEntry: { arguments: { table: frame, index: entryIndex, value: word } },
    releaseFrame: { arguments: { frame } },
    touch: { arguments: { core, address: byteAddress } },
    translate: { arguments: { root: frame, page } },
    findTable: { arguments: { root: frame, page, level } },
    nextLeaf: { arguments: { root: frame, page: pageOrEnd, end: pageOrEnd }, together: oneHalf },
    nextPresent: { arguments: { table: frame, from: integer(0, 512) } },
    tableBelow: { arguments: { table: frame, index: entryIndex, level } },
  };
}

function checkerDoors({ core }: MachineChecks) {
  const pages = { start: pageOrEnd, end: pageOrEnd };
  return {
    condemnRange: {
      arguments: { core, from: frame, root: frame, ...pages },
      together: (_core: number, _from: number, _root: number, start: number, end: number): void =>
        inOrder("Machine.condemnRange(end)", { start, end }),
    },
    condemnShared: {
      arguments: { core, root: frame, ...pages },
      together: (_core: number, _root: number, start: number, end: number): void =>
        inOrder("Machine.condemnShared(end)", { start, end }),
    },
    holdsCondemned: { arguments: { core } },
    reachesTable: { arguments: { core, table: frame } },
    condemnTable: { arguments: { core, table: frame } },
  };
}

/** Clocks, counters, and what can be read. */
const stateDoors = ({ core }: MachineChecks, snapshots: Snapshots) => ({
  now: { arguments: { core } },
  advance: { arguments: { core, cycles } },
  advanceTo: { arguments: { core, cycle: cycles } },
  socketOf: { arguments: { core } },
  distance: { arguments: { a: core, b: core } },
  pcid: { arguments: { core } },
  root: { arguments: { core } },
  registers: { arguments: { core } },
  counters: { arguments: { core } },
  resetCounters: { arguments: {} },
  fault: { arguments: { core } },
  stale: { arguments: { core } },
  lastWalk: { arguments: { back: optional(integer(0, 1)) } },
  snapshot: { arguments: {} },
  restore: {
    arguments: {
      snapshot: (path: string, value: unknown): void => {
        if (snapshots.isOwn(value)) return;
        throw new BadInput(path, value, "a snapshot of this machine");
      },
    },
  },
});
