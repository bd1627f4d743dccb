// The executor that measures: discrete events in cycles. The core whose next event is earliest goes
// on, ties by core id; a core runs ahead of the others only in user mode, and there only as far as
// the smallest latency by which another core could reach it.

import { unreachable } from "../base/assert.ts";
import { Activation, isWaiting } from "../kernel/operation/activation.ts";
import type { Cell, Watcher } from "../kernel/operation/cell.ts";
import type { Cpu } from "../kernel/state/cpu.ts";
import { NEED_RESCHED } from "../kernel/state/task.ts";
import type { KernelEvent, Observer } from "../kernel/operation/event.ts";
import { handleFault } from "../kernel/memory/page-fault.ts";
import { History } from "../kernel/operation/history.ts";
import { Host } from "./host.ts";
import { returnToUser, serveInterrupt } from "../kernel/cpu/interrupt.ts";
import type { Kernel } from "../kernel/state/kernel.ts";
import { deliverSignal } from "../kernel/cpu/signal.ts";
import { resumeOn } from "../kernel/operation/this-cpu.ts";
import { perform, type TimedExecutor } from "./timed-operations.ts";
import { ReadyQueue } from "./ready-queue.ts";
import { RemoteActions } from "./remote-actions.ts";
import { Tick } from "./tick.ts";
import { TIMER_VECTOR } from "../kernel/operation/vectors.ts";

/** How long a CPU may wait for another before that counts as a deadlock: tens of milliseconds. */
const PATIENCE_CYCLES = 1e8;

export type ClockEnd = "stopped" | "deadlock" | "starved" | "paused";

export class Clock implements TimedExecutor {
  readonly host: Host;
  readonly actions: RemoteActions;
  readonly tick: Tick | null;
  private readonly ready: ReadyQueue;
  /** Arrival of the first interrupt that each core would take, whatever its interrupt flag. */
  private readonly interruptCycles: Float64Array;
  /** When it is next looked whether a CPU waits for ever. */
  private watchCycle = PATIENCE_CYCLES;
  /** No other core has an event before this cycle. */
  private limit = Infinity;

  constructor(
    readonly kernel: Kernel,
    private readonly observers: readonly Observer[],
    private readonly history: History = new History(kernel.cpus.length),
  ) {
    const count = kernel.cpus.length;
    this.host = new Host(count);
    this.actions = new RemoteActions(count);
    this.ready = new ReadyQueue(count);
    const { tick } = kernel.protocol;
    this.tick = tick === undefined ? null : new Tick(this, tick);
    this.interruptCycles = new Float64Array(count).fill(Infinity);
    for (const cpu of kernel.cpus) this.ready.update(cpu.id, this.nextCycle(cpu));
  }

  /**
   * Runs until the kernel is stopped, cannot go on, or is starved (call again when it is fed); or
   * is paused, when no core has an event before `until`.
   */
  run(until = Infinity): ClockEnd {
    const { kernel, ready } = this;
    while (!kernel.stopped) {
      if (kernel.starved) return "starved";
      const core = ready.first;
      const cycle = ready.cycleOf(core);
      if (cycle >= until && cycle !== Infinity) return "paused";
      if (cycle === Infinity || (cycle >= this.watchCycle && this.anyWaitsSince(cycle))) {
        this.emit(kernel.cpus[0]!, { kind: "deadlock", waits: this.waits() });
        return "deadlock";
      }
      if (cycle >= this.watchCycle) this.watchCycle = cycle + PATIENCE_CYCLES;
      this.limit = Math.min(ready.secondCycle, this.watchCycle);
      this.runCore(kernel.cpus[core]!);
    }
    return "stopped";
  }

  emit(cpu: Cpu, event: KernelEvent): void {
    const moment = { cpu: cpu.id, cycle: this.kernel.machine.now(cpu.id) };
    for (const observer of this.observers) observer.observe(event, moment);
  }

  /** Wakes the code that watches `cell`, which `cpu` has just changed. */
  changed(cell: Cell, cpu: Cpu): void {
    if (cell.watchers.length === 0) return;
    let isHandedOn = false;
    for (const watcher of cell.watchers.splice(0)) {
      if (watcher.activity !== "queued") this.wake(watcher, cpu);
      else if (isHandedOn || !watcher.until!(cell.value as never)) cell.watchers.push(watcher);
      else {
        isHandedOn = true;
        this.wake(watcher, cpu);
      }
    }
  }

  private wake(watcher: Watcher, by: Cpu): void {
    watcher.wakeCycle = this.kernel.machine.now(by.id);
    const waiting = this.kernel.cpus[watcher.cpu]!;
    if (waiting !== by && topOf(waiting) === watcher) this.reschedule(waiting);
  }

  /** The pending interrupts of `target` changed. */
  interruptsChanged(target: Cpu): void {
    this.interruptCycles[target.id] = this.kernel.machine.nextInterrupt(target.id);
    this.reschedule(target);
  }

  setInterrupts(cpu: Cpu, enabled: boolean): void {
    cpu.interruptsOn = enabled;
    this.kernel.machine.setInterruptFlag(cpu.id, enabled);
  }

  /** When `cpu` goes on has changed. */
  reschedule(cpu: Cpu): void {
    const cycle = this.nextCycle(cpu);
    this.ready.update(cpu.id, cycle);
    if (cycle < this.limit) this.limit = cycle;
  }

  /** When `cpu` has its next event. */
  private nextCycle(cpu: Cpu): number {
    const top = topOf(cpu);
    const now = this.kernel.machine.now(cpu.id);
    if (this.host.isPreempted(cpu)) return Math.max(now, this.host.entryCycle(cpu));
    if (top.activity === "ready" || top.activity === "user") return now;
    const interrupt = cpu.interruptsOn ? this.interruptCycles[cpu.id]! : Infinity;
    const own = top.activity === "working" ? now + top.workLeft : top.wakeCycle;
    return Math.max(now, Math.min(own, interrupt, this.actions.nextCycle(cpu)));
  }

  /** Lets the core go on until another core's event is due first. */
  private runCore(cpu: Cpu): void {
    const { kernel, ready } = this;
    let cycle: number;
    do {
      const interrupt = this.interruptCycles[cpu.id]!;
      if (this.host.isPreempted(cpu)) this.host.enter(this, cpu);
      else if (this.actions.nextCycle(cpu) <= this.nextCycle(cpu)) {
        this.actions.answerFirst(this, cpu, topOf(cpu));
      } else if (cpu.interruptsOn && interrupt <= this.nextCycle(cpu)) {
        this.takeInterrupt(cpu, interrupt);
      } else this.advance(cpu, topOf(cpu));
      cycle = this.nextCycle(cpu);
    } while (cycle < this.limit && !kernel.stopped && !kernel.starved);
    ready.update(cpu.id, cycle);
  }

  private advance(cpu: Cpu, top: Activation): void {
    const { machine } = this.kernel;
    switch (top.activity) {
      case "ready":
        return this.step(cpu, top);
      case "working":
        machine.advance(cpu.id, top.workLeft);
        top.activity = "ready";
        return;
      case "waiting":
      case "queued":
      case "parked":
      case "idle":
        return this.lookAgain(cpu, top);
      case "user":
        return this.runUserMode(cpu, top);
      default:
        return unreachable(top.activity);
    }
  }

  /** One operation of the code on top. */
  private step(cpu: Cpu, top: Activation): void {
    const result = top.result;
    top.result = undefined;
    resumeOn(cpu);
    const { value, done } = top.code.next(result);
    if (done === true) return this.finish(cpu, top, value);
    if (value.kind !== "note" && value.kind !== "call")
      this.history.add(cpu.id, value, this.kernel.machine.now(cpu.id));
    perform(this, cpu, top, value);
    if (top.activity === "working") this.finishShortWork(cpu, top);
  }

  /** Work that ends before anything else can happen needs no event of its own. */
  private finishShortWork(cpu: Cpu, top: Activation): void {
    const end = this.kernel.machine.now(cpu.id) + top.workLeft;
    if (end >= this.limit || end >= this.interruptCycles[cpu.id]!) return;
    if (end >= this.actions.nextCycle(cpu)) return;
    this.kernel.machine.advance(cpu.id, top.workLeft);
    top.activity = "ready";
  }

  /** The code on top has ended, with `value`. */
  private finish(cpu: Cpu, top: Activation, value: unknown): void {
    const { machine } = this.kernel;
    cpu.current.stack.pop();
    const below = topOf(cpu);
    if (top.kind === "call") {
      below.result = value;
      return;
    }
    if (top.kind === "interrupt") {
      machine.iret(cpu.id);
      const cycles = machine.now(cpu.id) - top.startCycle;
      this.emit(cpu, { kind: "interruptReturned", vector: top.vector, cycles });
      this.setInterrupts(cpu, true);
    }
    if (below.activity === "idle") below.wakeCycle = machine.now(cpu.id);
    if (below.activity === "user" || cpu.tlb.onUserRoot) this.leaveForUser(cpu);
  }

  /** The CPU goes to user mode, unless another task is to run first. */
  leaveForUser(cpu: Cpu): void {
    if ((cpu.current.flags.value & NEED_RESCHED) === 0) return;
    cpu.current.stack.push(new Activation(returnToUser(cpu), "exception"));
  }

  private takeInterrupt(cpu: Cpu, arrival: number): void {
    const { machine } = this.kernel;
    const top = topOf(cpu);
    const before = machine.now(cpu.id);
    machine.advanceTo(cpu.id, arrival);
    if (top.activity === "working") top.workLeft -= machine.now(cpu.id) - before;
    const start = machine.now(cpu.id);
    this.leaveIdleState(cpu, top);
    const vector = machine.acceptInterrupt(cpu.id);
    this.setInterrupts(cpu, false);
    this.interruptCycles[cpu.id] = machine.nextInterrupt(cpu.id);
    this.emit(cpu, { kind: "interruptTaken", vector });
    if (vector === TIMER_VECTOR) this.tick!.taken(cpu);
    const handler = serveInterrupt(cpu, vector);
    cpu.current.stack.push(new Activation(handler, "interrupt", vector, start));
  }

  /** The watched cell changed, or was looked at for the first time: does the condition hold now? */
  private lookAgain(cpu: Cpu, top: Activation): void {
    const { machine } = this.kernel;
    const cell = top.cell!;
    machine.advanceTo(cpu.id, top.wakeCycle);
    top.wakeCycle = Infinity;
    this.leaveIdleState(cpu, top);
    machine.lineLoad(cpu.id, cell.line.index);
    if (top.until!(cell.value as never)) {
      top.activity = "ready";
      top.result = cell.value;
    } else this.watch(top);
  }

  /** Parks `top`: a change of its cell wakes it, unless it is in HLT, which only interrupts end. */
  watch(top: Activation): void {
    const { watchers } = top.cell!;
    const { machine, options } = this.kernel;
    top.asleep = top.activity === "idle";
    if (top.asleep && options.idle === "c6") machine.powerDown(top.cpu);
    if (top.asleep && options.idle === "halt") return;
    if (!watchers.includes(top)) watchers.push(top);
  }

  private leaveIdleState(cpu: Cpu, top: Activation): void {
    if (!top.asleep) return;
    top.asleep = false;
    const { machine } = this.kernel;
    machine.advance(cpu.id, machine.description.instruction.idleExit);
  }

  private runUserMode(cpu: Cpu, top: Activation): void {
    const { machine } = this.kernel;
    if (cpu.current.signal !== null) return deliverSignal(cpu.current, top);
    const ahead = this.limit + machine.smallestIpiLatency;
    const horizon = Math.min(ahead, this.interruptCycles[cpu.id]!, this.actions.nextCycle(cpu));
    const stop = machine.runStream(cpu.id, top.stream!, horizon);
    if (stop === "done") top.activity = "ready";
    else if (stop === "stale") {
      const { page } = machine.stale(cpu.id);
      this.emit(cpu, { kind: "staleUse", page, root: machine.root(cpu.id) });
    } else if (stop === "fault") {
      const { page, errorCode } = machine.fault(cpu.id);
      machine.advance(cpu.id, machine.description.instruction.pageFault);
      const handler = handleFault(cpu, { page, errorCode });
      cpu.current.stack.push(new Activation(handler, "exception"));
    }
  }

  /** Whether a CPU has been waiting for another since long before `cycle`. */
  private anyWaitsSince(cycle: number): boolean {
    const { machine, cpus } = this.kernel;
    return cpus.some(
      (cpu) => topOf(cpu).activity === "waiting" && machine.now(cpu.id) + PATIENCE_CYCLES < cycle,
    );
  }

  private waits() {
    return this.kernel.cpus
      .filter((cpu) => isWaiting(topOf(cpu)))
      .map((cpu) => ({ cpu: cpu.id, task: cpu.current.name, cell: topOf(cpu).cell!.name }));
  }
}

const topOf = (cpu: Cpu): Activation => cpu.current.stack[cpu.current.stack.length - 1]!;
