// The compiled machine: found next to dist/, compiled once per process, instantiated per Machine.
// Results of 32 and 64 bits arrive signed; whoever calls takes care of that here in src/machine.

import { readFileSync } from "node:fs";
import { instantiateSync } from "@assemblyscript/loader";
import { WebAssembly, type WasmMemory, type WasmModule } from "./webassembly.ts";

type Word = number;
type Cycles = number;

/** The exported functions of assembly/index.ts. */
export interface MachineFunctions {
  descriptionBlock(): number;
  streamBlock(): number;
  /** Returns how many fields of the description it has read; 0: the machine would be too large. */
  boot(): number;
  heapTop(): number;
  now(core: number): Cycles;
  advance(core: number, cycles: Cycles): void;
  advanceTo(core: number, cycle: Cycles): void;
  readPhysical(address: bigint): bigint;
  writePhysical(address: bigint, value: bigint): void;
  readEntry(table: number, index: number): bigint;
  writeEntry(table: number, index: number, value: bigint): void;
  releaseFrame(frame: number): void;
  touch(core: number, address: bigint): Cycles;
  /** Of the last walk, 0, or the one before it, 1; so do those that follow. */
  startLevel(back: number): number;
  startRights(back: number): bigint;
  walkedAddress(back: number): bigint;
  stepCount(back: number): number;
  stepLevel(back: number, step: number): number;
  stepAddress(back: number, step: number): bigint;
  stepEntry(back: number, step: number): bigint;
  stepCycles(back: number, step: number): Cycles;
  writeCr3(core: number, root: number, pcid: number, keep: Word): void;
  rootFrame(core: number): number;
  pcid(core: number): number;
  /** Returns the vector of the fault, 0 for none; so does invpcid. */
  writeRegister(core: number, register: number, value: bigint): number;
  registerValue(core: number, register: number): bigint;
  setRegister(core: number, register: number, value: bigint): void;
  invlpg(core: number, page: number): void;
  invlpgAddress(core: number, address: bigint): void;
  invpcid(core: number, type: bigint, descriptor: bigint, address: bigint): number;
  invlpgb(core: number, extent: Word, pcid: number, page: number, pages: number, large: Word): void;
  tlbsync(core: number): void;
  holdsTranslation(core: number, pcid: number, page: number, pages: number, paths: Word): Word;
  invalidateFromOutside(
    core: number,
    extent: Word,
    pcid: number,
    page: number,
    pages: number,
  ): void;
  access(
    core: number,
    address: bigint,
    accessKind: Word,
    bytes: number,
    addressVector: number,
  ): Word;
  resultPhysical(): bigint;
  resultSecond(): bigint;
  resultCycles(): Cycles;
  resultLevel(): number;
  resultFrame(): number;
  runStream(core: number, horizon: Cycles): Word;
  faultAddress(core: number): bigint;
  faultErrorCode(core: number): Word;
  faultVector(core: number): number;
  staleAddress(core: number): bigint;
  levels(): number;
  leafLevel(root: number, page: number): number;
  findTable(root: number, page: number, level: number): number;
  nextLeaf(root: number, page: number, end: number): number;
  nextPresent(table: number, from: number): number;
  tableBelow(table: number, index: number, level: number): number;
  allocateLine(homeSocket: number): number;
  freeLine(line: number): void;
  isLine(line: number): Word;
  lineLoad(core: number, line: number): Cycles;
  lineStore(core: number, line: number): Cycles;
  lineLocked(core: number, line: number): Cycles;
  fence(core: number): Cycles;
  socketOf(core: number): number;
  distance(a: number, b: number): number;
  writeIcr(core: number): void;
  deliverIpi(core: number, target: number, vector: number): void;
  powerDown(core: number): void;
  setTimer(core: number, vector: number, cycle: number): void;
  nextInterrupt(core: number): Cycles;
  acceptInterrupt(core: number): number;
  endOfInterrupt(core: number): void;
  iret(core: number): void;
  interruptFlag(core: number): Word;
  setInterruptFlag(core: number, on: Word): void;
  counter(core: number, index: number): number;
  resetCounters(): void;
  condemnRange(core: number, from: number, root: number, start: number, end: number): number;
  condemnShared(core: number, root: number, start: number, end: number): number;
  holdsCondemned(core: number): Word;
  reachesTable(core: number, table: number): Word;
  condemnTable(core: number, table: number): void;
}

/** One instance: its functions, its memory, and the constants of assembly/abi.ts. */
export interface MachineInstance {
  readonly functions: MachineFunctions;
  readonly memory: WasmMemory;
  /** The constant of that name; an unknown name is an error of this program. */
  constant(name: string): number;
}

/** The same instance, which calls `onUse` before each call of a function. */
export function watched(instance: MachineInstance, onUse: () => void): MachineInstance {
  const functions: Record<string, unknown> = { ...instance.functions };
  for (const [name, original] of Object.entries(functions)) {
    if (typeof original !== "function") continue;
    const call = original as (...values: unknown[]) => unknown;
    // No function has more parameters, and wasm ignores those that it does not have.
    functions[name] = (
      a: unknown,
      b: unknown,
      c: unknown,
      d: unknown,
      e: unknown,
      f: unknown,
    ): unknown => {
      onUse();
      return call(a, b, c, d, e, f);
    };
  }
  return { ...instance, functions: functions as unknown as MachineFunctions };
}

let compiled: WasmModule | undefined;

function machineModule(): WasmModule {
  // The same from src/machine, dist/machine and the tests.
  const file = new URL("../../dist/machine.wasm", import.meta.url);
  compiled ??= new WebAssembly.Module(readFileSync(file));
  return compiled;
}

export function instantiate(): MachineInstance {
  const abort = (_message: number, file: number, line: number): never => {
    throw new Error(`invariant broken: ${loaded.exports.__getString(file)}:${line}`);
  };
  const loaded = instantiateSync(machineModule(), { env: { abort } });
  // The raw exports: the loader's own wrap every call. As a plain object, which V8 reads faster.
  const raw = loaded.instance.exports as Readonly<Record<string, unknown>>;
  const exported: Record<string, unknown> = { ...raw };
  const memory = exported["memory"] as WasmMemory;
  const constant = (name: string): number => {
    const found = exported[name];
    if (found instanceof WebAssembly.Global) return found.value as number;
    throw new Error(`invariant broken: the machine exports the constant ${name}`);
  };
  return { functions: exported as unknown as MachineFunctions, memory, constant };
}
