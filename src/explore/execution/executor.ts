// The executor that tries all orders. It interprets the same kernel code as the clock, without
// time: a CPU's next operation, the draining of its oldest buffered store and the delivery of a
// pending interrupt are steps that a search puts in any order.

import { type PageNumber, pageRange } from "../../base/address.ts";
import { unreachable } from "../../base/assert.ts";
import { Activation } from "../../kernel/operation/activation.ts";
import type { Watch } from "../../check/checker.ts";
import type { Cell } from "../../kernel/operation/cell.ts";
import type { Cpu } from "../../kernel/state/cpu.ts";
import { NEED_RESCHED } from "../../kernel/state/task.ts";
import type { KernelEvent } from "../../kernel/operation/event.ts";
import { History } from "../../kernel/operation/history.ts";
import { returnToUser, serveInterrupt } from "../../kernel/cpu/interrupt.ts";
import type { Kernel } from "../../kernel/state/kernel.ts";
import type { Operation } from "../../kernel/operation/operation.ts";
import { resumeOn } from "../../kernel/operation/this-cpu.ts";
import { TIMER_VECTOR } from "../../kernel/operation/vectors.ts";
import { pagesPer } from "../../machine/page-table.ts";
import { CpuState } from "./cpu-state.ts";
import type { Execution, MemoryModel } from "./execution.ts";
import { Locations } from "./locations.ts";
import { touchLook } from "./looks.ts";
import { cpuOf, kindOf, processOf, PROCESSES_PER_CPU } from "./processes.ts";
import { commitEntry } from "./user-accesses.ts";
import { footprintOfWait, isReady, isVisible, perform } from "./stepwise-operations.ts";
import type { BufferedEntry } from "./store-buffer.ts";
import { enterVcpu } from "./vcpu.ts";
import { Choices, type Footprint, NOTHING } from "../search/system.ts";
import { Touched } from "./touched.ts";
import type { Witness } from "./witness.ts";

/** By kind of process: its bit, before it is shifted to the CPU. */
const STEP = 1 << processOf(0, "step");
const DRAIN = 1 << processOf(0, "drain");
const INTERRUPT = 1 << processOf(0, "interrupt");
const ENTER = 1 << processOf(0, "enter");

/** Far more than kernel code does between two operations that others could notice. */
const UNNOTICED = 100_000;
const ENDLESS = `${UNNOTICED} operations in a row that no other CPU could notice: is it a loop?`;

const footprintOfInterrupt = (state: CpuState): Footprint => ({
  ...NOTHING,
  writes: [state.controlLocation, state.pendingLocation],
  follows: [state.bufferLocation],
});

export class Executor implements Execution {
  readonly locations = new Locations();
  readonly touched = new Touched(this.locations);
  readonly history: History;
  readonly states: readonly CpuState[];
  choices = new Choices();
  /** Steps taken since the start. */
  steps = 0;
  /** Each CPU has a scheduler tick to come. */
  hasTicks = false;
  /** Scheduler ticks taken since the start, on all CPUs: all the time there is. */
  ticks = 0;
  /** The checkers; null: nobody watches. */
  watch: Watch | null = null;
  /** Of code from outside; null: nobody asks. */
  witness: Witness | null = null;
  /** Told when a CPU's code has gone on to its next operation. */
  onAdvanced: (cpu: number) => void = () => {};
  private readonly writtenCells: Cell[] = [];
  private readonly oldValues: unknown[] = [];

  constructor(
    readonly kernel: Kernel,
    readonly memory: MemoryModel,
    /** The user pages that anybody uses. */
    readonly pages: readonly PageNumber[],
  ) {
    this.history = new History(kernel.cpus.length);
    // A walk that sets an accessed bit can be told from none where somebody looks at the bit.
    const looks = kernel.protocol.traits.accessedBits === "decide";
    const accessesEarly = (): boolean => !looks || this.choices.choose(2) === 1;
    this.states = kernel.cpus.map((cpu) => new CpuState(cpu, pages, this.locations, accessesEarly));
  }

  get processCount(): number {
    return this.states.length * PROCESSES_PER_CPU;
  }

  /** The processes that can take a step, one bit each. */
  enabled(): number {
    let mask = 0;
    for (let id = 0; id < this.states.length; id++) {
      const state = this.states[id]!;
      const first = id * PROCESSES_PER_CPU;
      if (state.isPreempted) {
        mask |= ENTER << first;
        continue;
      }
      if (isReady(state)) mask |= STEP << first;
      if (!state.buffer.isEmpty) mask |= DRAIN << first;
      else if (state.interruptsOn && state.pendingVectors.length > 0) mask |= INTERRUPT << first;
    }
    return mask;
  }

  /** CPUs that wait for what has not come, and interrupts that wait for the CPU. */
  blocked(): { readonly process: number; readonly footprint: Footprint }[] {
    return this.states.flatMap((state, id) => {
      const wait = { process: processOf(id, "step"), footprint: footprintOfWait(this, state) };
      if (state.pendingVectors.length === 0) return [wait];
      const footprint = footprintOfInterrupt(state);
      return [wait, { process: processOf(id, "interrupt"), footprint }];
    });
  }

  step(process: number, choices: Choices): void {
    this.touched.begin(this.stateOf(process));
    this.take(process, choices);
  }

  /** The same for a step that has been taken before: what it touches is known. */
  repeat(process: number, choices: Choices): void {
    this.touched.beginAgain();
    this.take(process, choices);
  }

  private take(process: number, choices: Choices): void {
    const state = this.stateOf(process);
    this.choices = choices;
    const kind = kindOf(process);
    switch (kind) {
      case "step":
        if (state.interruptsOn) this.touched.write(state.controlLocation);
        else this.touched.follow(state.controlLocation);
        this.takeStep(state);
        break;
      case "drain":
        this.touched.cause = state.buffer.waiting[0]!.step;
        this.drain(state);
        break;
      case "interrupt":
        this.interrupt(state);
        break;
      case "enter":
        enterVcpu(this, state);
        break;
      default:
        unreachable(kind);
    }
    this.steps++;
  }

  private stateOf(process: number): CpuState {
    return this.states[cpuOf(process)]!;
  }

  emit(cpu: Cpu, event: KernelEvent): void {
    if (this.watch !== null && this.touched.isRecording) {
      for (const look of this.watch.looksAt(event)) touchLook(this, cpu, look);
    }
    if (event.kind === "flushReturn") this.states[cpu.id]!.flushed.set(event.mm.name, this.steps);
    this.watch?.observe(event, { cpu: cpu.id, cycle: this.steps + 1 });
  }

  /** What is now is what every restart goes back to. */
  begin(): void {
    this.writtenCells.length = 0;
    this.oldValues.length = 0;
    for (const { tlb } of this.states) tlb.save();
  }

  /** Starts the code on every CPU's stack. */
  restart(): void {
    this.steps = 0;
    this.touched.begin(this.states[0]!);
    this.ticks = 0;
    for (const state of this.states) {
      state.restart();
      if (this.hasTicks) state.post(TIMER_VECTOR);
      this.touched.act(state);
      this.advance(state);
    }
  }

  /** Takes back every write to a cell since the beginning. */
  takeBack(): void {
    while (this.writtenCells.length > 0) this.writtenCells.pop()!.value = this.oldValues.pop();
  }

  /** A store of the cell reaches memory. */
  commit(cell: Cell, value: unknown): void {
    this.writtenCells.push(cell);
    this.oldValues.push(cell.value);
    cell.value = value;
  }

  /** Runs the CPU's code up to the next operation that is a step of its own. */
  advance(state: CpuState): void {
    resumeOn(state.cpu);
    for (let count = 0; ; count++) {
      if (count > UNNOTICED) throw new Error(ENDLESS);
      const top = state.top;
      if (top.pending !== null) return;
      const { result } = top;
      top.result = undefined;
      const { value, done } = top.code.next(result);
      this.witness?.see(state.cpu.id, result, done === true ? null : value);
      if (done === true) this.returnFrom(state, top, value);
      else if (isVisible(this, state, value)) {
        top.pending = value;
        this.onAdvanced(state.cpu.id);
      } else this.perform(state, top, value);
    }
  }

  private perform(state: CpuState, top: Activation, operation: Operation): void {
    if (operation.kind !== "note" && operation.kind !== "call") {
      this.history.add(state.cpu.id, operation, this.steps);
    }
    perform(this, state, top, operation);
  }

  private takeStep(state: CpuState): void {
    const top = state.top;
    const operation = top.pending!;
    if (operation.kind !== "runUser") top.pending = null;
    this.perform(state, top, operation);
    this.advance(state);
  }

  /** The oldest buffered store of the CPU reaches memory. */
  drain(state: CpuState): void {
    const store = state.buffer.remove();
    this.touched.follow(state.bufferLocation);
    if (store.cell === null) this.drainEntry(state, store);
    else {
      this.touched.write(this.locations.ofCell(store.cell), store.cell.value);
      this.commit(store.cell, store.value);
    }
  }

  /** An entry may reach memory only after the flush that was to see to it has returned. */
  private drainEntry(state: CpuState, store: BufferedEntry): void {
    const { mm, page, size, step } = store;
    commitEntry(this, state.cpu, store);
    if ((state.flushed.get(mm.name) ?? -1) < step) return;
    this.emit(state.cpu, { kind: "revoked", mm, range: pageRange(page, pagesPer(size)) });
  }

  private interrupt(state: CpuState): void {
    const vector = state.pendingVectors.pop()!;
    this.touched.write(state.controlLocation);
    this.touched.write(state.pendingLocation);
    this.touched.follow(state.bufferLocation);
    if (vector === TIMER_VECTOR) {
      this.touched.write(this.locations.named("jiffies"));
      this.ticks++;
    }
    state.interruptsOn = false;
    this.emit(state.cpu, { kind: "interruptTaken", vector });
    const handler = serveInterrupt(state.cpu, vector);
    state.cpu.current.stack.push(new Activation(handler, "interrupt", vector));
    this.touched.act(state);
    this.advance(state);
  }

  /** The code on top has ended, with `value`. */
  private returnFrom(state: CpuState, top: Activation, value: unknown): void {
    const { cpu } = state;
    cpu.current.stack.pop();
    const below = state.top;
    if (top.kind === "call") {
      below.result = value;
      return;
    }
    if (top.kind === "interrupt") {
      state.interruptsOn = true;
      this.touched.act(state);
      this.emit(cpu, { kind: "interruptReturned", vector: top.vector, cycles: 0 });
    }
    if (below.pending?.kind !== "runUser" && !cpu.tlb.onUserRoot) return;
    const { flags } = cpu.current;
    this.touched.read(this.locations.ofCell(flags));
    if (((state.buffer.valueOf(flags) as number) & NEED_RESCHED) === 0) return;
    cpu.current.stack.push(new Activation(returnToUser(cpu), "exception"));
  }
}
