// The typed face of the machine: what the kernel, the checkers and a user's script call. Everything
// that takes cycles advances the clock of the core that does it.

import {
  type FrameNumber,
  frameNumber,
  pageNumber,
  type PageNumber,
  type PhysicalAddress,
} from "../base/address.ts";
import type { ControlRegister, ControlRegisters, Fault } from "../base/architecture.ts";
import type { AccessResult, MachineAccess } from "./access.ts";
import { Accesses } from "./accesses.ts";
import { boot } from "./boot.ts";
import { Broadcasts } from "./broadcast.ts";
import { guardShared } from "./broadcast-doors.ts";
import { type Counters, readCounters } from "./counters.ts";
import { type Distance, DISTANCES, type MachineDescription } from "./description.ts";
import { type Callers, guard, type MachineOptions } from "./doors.ts";
import { machineDoors } from "./machine-doors.ts";
import type { ReachedTable } from "./page-table.ts";
import { type Cr3, type Features, type PcidDescriptor, RegisterFile } from "./register-file.ts";
import { RemoteInvalidations } from "./remote.ts";
import { type Snapshot, Snapshots } from "./snapshot.ts";
import type { Stream } from "./stream.ts";
import { StreamBlock, type StreamEvent, type StreamStop } from "./stream-block.ts";
import { type MachineWalk, readWalkLog } from "./walk-log.ts";
import { instantiate, type MachineFunctions, type MachineInstance } from "./wasm.ts";

export class Machine {
  readonly callers: Callers;
  readonly coreCount: number;
  /** No interrupt arrives sooner than this after the ICR write that sends it. */
  readonly smallestIpiLatency: number;

  // The kernel's hot path: the exports themselves. Each advances the clock of the core (its first
  // argument), and those that return a number return the cycles unless said otherwise.

  readonly now: MachineFunctions["now"];
  readonly advance: MachineFunctions["advance"];
  /** Without effect when the clock is there already. */
  readonly advanceTo: MachineFunctions["advanceTo"];
  /** A line that no cache holds, by the socket of its memory. Returns the line. */
  readonly allocateLine: MachineFunctions["allocateLine"];
  readonly freeLine: MachineFunctions["freeLine"];
  readonly lineLoad: MachineFunctions["lineLoad"];
  readonly lineStore: MachineFunctions["lineStore"];
  readonly lineLocked: MachineFunctions["lineLocked"];
  readonly fence: MachineFunctions["fence"];
  readonly socketOf: MachineFunctions["socketOf"];
  readonly writeIcr: MachineFunctions["writeIcr"];
  /** Sends a vector with the ICR write just made; takes the sender no cycles. */
  readonly deliverIpi: MachineFunctions["deliverIpi"];
  readonly setTimer: MachineFunctions["setTimer"];
  /** When the first vector above the one in service arrives, whatever IF says; Infinity: none. */
  readonly nextInterrupt: MachineFunctions["nextInterrupt"];
  /** Enters the handler of the highest vector that has arrived, and returns it; -1: none. */
  readonly acceptInterrupt: MachineFunctions["acceptInterrupt"];
  readonly endOfInterrupt: MachineFunctions["endOfInterrupt"];
  readonly iret: MachineFunctions["iret"];
  readonly powerDown: MachineFunctions["powerDown"];
  readonly resetCounters: MachineFunctions["resetCounters"];
  /** The current PCID; 0 while CR4.PCIDE is clear. */
  readonly pcid: MachineFunctions["pcid"];
  /** The first index at or after the given one of a present entry in a table; 512 for none. */
  readonly nextPresent: MachineFunctions["nextPresent"];
  /** The frame of the table that an entry of a table of that level names; -1 for none. */
  readonly tableBelow: MachineFunctions["tableBelow"];
  // For checkers, without cycles.
  /** Condemns entries of a range, filled from a root, that disagree with another's tables. */
  readonly condemnRange: MachineFunctions["condemnRange"];
  /** Condemns translations, filled from any root, that disagree; how many of them are global. */
  readonly condemnShared: MachineFunctions["condemnShared"];
  /** Whether a condemned user translation is left under the PCID that is loaded. */
  readonly holdsCondemned: MachineFunctions["holdsCondemned"];
  /** Bit 0: CR3 is it; 1, 2: a structure-cache entry of this, of another PCID points to it. */
  readonly reachesTable: MachineFunctions["reachesTable"];
  /** Condemns the structure-cache entries that point to a table. */
  readonly condemnTable: MachineFunctions["condemnTable"];

  readonly broadcasts: Broadcasts;
  readonly remote: RemoteInvalidations;
  private readonly instance: MachineInstance;
  private readonly functions: MachineFunctions;
  private readonly streams: StreamBlock;
  private readonly accesses: Accesses;
  private readonly registerFile: RegisterFile;
  private readonly snapshots: Snapshots;

  constructor(
    readonly description: MachineDescription,
    { callers = "anybody", watch = false }: MachineOptions = {},
  ) {
    this.callers = callers;
    this.snapshots = new Snapshots(instantiate(), watch);
    this.instance = this.snapshots.instance;
    this.functions = this.instance.functions;
    boot(this.instance, description);
    ({
      now: this.now,
      advance: this.advance,
      advanceTo: this.advanceTo,
      allocateLine: this.allocateLine,
      freeLine: this.freeLine,
      lineLoad: this.lineLoad,
      lineStore: this.lineStore,
      lineLocked: this.lineLocked,
      fence: this.fence,
      socketOf: this.socketOf,
      writeIcr: this.writeIcr,
      deliverIpi: this.deliverIpi,
      setTimer: this.setTimer,
      nextInterrupt: this.nextInterrupt,
      acceptInterrupt: this.acceptInterrupt,
      endOfInterrupt: this.endOfInterrupt,
      iret: this.iret,
      powerDown: this.powerDown,
      resetCounters: this.resetCounters,
      pcid: this.pcid,
      nextPresent: this.nextPresent,
      tableBelow: this.tableBelow,
      condemnRange: this.condemnRange,
      condemnShared: this.condemnShared,
      holdsCondemned: this.holdsCondemned,
      reachesTable: this.reachesTable,
      condemnTable: this.condemnTable,
    } = this.functions);
    this.coreCount = description.topology.coreCount;
    this.smallestIpiLatency = Math.min(...Object.values(description.ipiDeliveryCycles));
    this.broadcasts = new Broadcasts(this.instance, description.broadcast?.pages ?? 0);
    this.remote = new RemoteInvalidations(this.instance, description);
    this.streams = new StreamBlock(this.instance);
    this.accesses = new Accesses(this.instance);
    this.registerFile = new RegisterFile(this.instance);
    if (callers === "trusted") return;
    guard<Machine>(this, "Machine", machineDoors(this, this.snapshots));
    guardShared(this, this.instance);
  }

  snapshot(): Snapshot {
    return this.snapshots.take();
  }

  /** Brings back the state of a snapshot of this machine, clocks and counters included. */
  restore(snapshot: Snapshot): void {
    this.snapshots.restore(snapshot);
  }

  get memoryBytes(): number {
    return this.instance.memory.buffer.byteLength;
  }

  // Physical memory, without cycles.

  read64(address: PhysicalAddress): bigint {
    return BigInt.asUintN(64, this.functions.readPhysical(address));
  }

  write64(address: PhysicalAddress, value: bigint): void {
    this.functions.writePhysical(address, value);
  }

  readEntry(table: FrameNumber, index: number): bigint {
    return BigInt.asUintN(64, this.functions.readEntry(table, index));
  }

  writeEntry(table: FrameNumber, index: number, value: bigint): void {
    this.functions.writeEntry(table, index, value);
  }

  /** Gives a frame's backing back: it reads as zero until it is written again. */
  releaseFrame(frame: FrameNumber): void {
    this.functions.releaseFrame(frame);
  }

  /** A kernel access to physical memory through the caches; returns its cycles. */
  touch(core: number, address: PhysicalAddress): number {
    return this.functions.touch(core, address);
  }

  // Page tables as they are in memory, without cycles and caches.

  /** Paging levels in use: 4, or 5 with LA57. */
  get levels(): number {
    return this.functions.levels();
  }

  /** The leaf entry that maps a page, 0n for none. */
  translate(root: FrameNumber, page: PageNumber): bigint {
    if (this.functions.leafLevel(root, page) === 0) return 0n;
    return BigInt.asUintN(64, this.functions.resultPhysical());
  }

  /** The table of `level` on the page's path, or the deepest one above it that exists. */
  findTable(root: FrameNumber, page: PageNumber, level: number): ReachedTable {
    const reached = this.functions.findTable(root, page, level);
    return { table: frameNumber(this.functions.resultFrame()), level: reached };
  }

  /** The first page at or after `page` in a present leaf, and that leaf's span; `end` for none. */
  nextLeaf(
    root: FrameNumber,
    page: PageNumber,
    end: PageNumber,
  ): { readonly page: PageNumber; readonly pages: number } {
    const found = this.functions.nextLeaf(root, page, end);
    return { page: pageNumber(found), pages: 512 ** (this.functions.resultLevel() - 1) };
  }

  // Control registers and invalidation.

  writeCr3(core: number, { root, pcid, keep }: Cr3): void {
    this.functions.writeCr3(core, root, pcid, keep ? 1 : 0);
  }

  root(core: number): FrameNumber {
    return frameNumber(this.functions.rootFrame(core));
  }

  /** Sets CR4.PGE and CR4.PCIDE, and asserts that the machine does not refuse it. */
  writeCr4(core: number, features: Features): void {
    this.registerFile.setFeatures(core, features);
  }

  /** MOV to CR0, CR3 or CR4, WRMSR to IA32_EFER or IA32_PKRS, WRPKRU: the fault, if it has one. */
  writeRegister(core: number, register: ControlRegister, value: bigint): Fault | undefined {
    return this.registerFile.write(core, register, value);
  }

  registers(core: number): ControlRegisters {
    return this.registerFile.read(core);
  }

  /** A control state that the caller vouches for; drops nothing, takes no cycles. */
  setRegisters(core: number, registers: Partial<ControlRegisters>): void {
    this.registerFile.set(core, registers);
  }

  invlpg(core: number, page: PageNumber): void {
    this.functions.invlpg(core, page);
  }

  /** As invlpg, of any address: does nothing for one that is not canonical. */
  invlpgAddress(core: number, address: bigint): void {
    this.functions.invlpgAddress(core, address);
  }

  /** INVPCID with a descriptor of a PCID (and reserved bits) and an address: its fault, if any. */
  invpcid(core: number, type: bigint, descriptor: PcidDescriptor): Fault | undefined {
    return this.registerFile.invpcid(core, type, descriptor);
  }

  // Accesses.
  access(core: number, access: MachineAccess): AccessResult {
    return this.accesses.perform(core, access);
  }

  /** What the last walk loaded, or the one before it; those of runStream are not all logged. */
  lastWalk = (back: 0 | 1 = 0): MachineWalk => readWalkLog(this.instance, back);

  /** Runs a stream until it is done, the clock reaches the horizon, a fault or a stale use. */
  runStream(core: number, stream: Stream, horizonCycle: number): StreamStop {
    return this.streams.run(core, stream, horizonCycle);
  }

  /** The fault that stopped the core's stream. */
  fault(core: number): StreamEvent & { readonly errorCode: number } {
    return this.streams.fault(core);
  }

  /** The use of a condemned entry that stopped the core's stream. */
  stale(core: number): StreamEvent {
    return this.streams.stale(core);
  }

  // Topology, interrupts, counters.
  distance(a: number, b: number): Distance {
    return DISTANCES[this.functions.distance(a, b)]!;
  }

  sendIpi(core: number, target: number, vector: number): void {
    this.functions.writeIcr(core);
    this.functions.deliverIpi(core, target, vector);
  }

  interruptFlag(core: number): boolean {
    return this.functions.interruptFlag(core) !== 0;
  }

  setInterruptFlag(core: number, on: boolean): void {
    this.functions.setInterruptFlag(core, on ? 1 : 0);
  }

  counters(core: number): Counters {
    return readCounters(this.instance, core);
  }
}
