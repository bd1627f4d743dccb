// Counts and times what one run does between the begin and the end of its workload's measured part.

import type { KernelEvent, Moment, Observer } from "../kernel/operation/event.ts";
import type { Kernel } from "../kernel/state/kernel.ts";
import {
  CALL_FUNCTION_SINGLE_VECTOR,
  CALL_FUNCTION_VECTOR,
  INVALIDATE_VECTOR,
  TIMER_VECTOR,
} from "../kernel/operation/vectors.ts";
import type { FlushCounts, Measurement, ViolationReport } from "./result.ts";

/** Calls of functions on other CPUs: here always a flush, or an end of lazy use. */
const isCall = (vector: number): boolean =>
  vector === CALL_FUNCTION_VECTOR ||
  vector === CALL_FUNCTION_SINGLE_VECTOR ||
  vector === INVALIDATE_VECTOR;

/** Everything counted; a fresh one for each measured part. */
class Counts {
  readonly initiatorCycles: number[] = [];
  readonly responderCycles: number[] = [];
  readonly flushes: { -readonly [K in keyof FlushCounts]: number } = {
    full: 0,
    ranged: 0,
    skipped: 0,
  };
  stolenCycles = 0;
  ipis = 0;
  ipisToLazy = 0;
  contextSwitches = 0;
  operations = 0;
  refillWalks = 0;
  refillCycles = 0;
  refcountOps = 0;
  elapsedCycles = 0;
}

const FLUSH_BEGINS: ReadonlySet<KernelEvent["kind"]> = new Set([
  "flushBegin",
  "batchFlushBegin",
  "kernelFlushBegin",
]);

export class Meter implements Observer {
  private counts = new Counts();
  private isOn = false;
  private beginCycle = 0;
  /** Per CPU: when the flush that it initiates began. */
  private readonly flushBegins: Float64Array;

  constructor(private readonly kernel: Kernel) {
    this.flushBegins = new Float64Array(kernel.cpus.length);
  }

  observe(event: KernelEvent, { cpu, cycle }: Moment): void {
    if (event.kind === "measureBegin") return this.begin(cycle);
    if (event.kind === "measureEnd") return this.end(cycle);
    if (FLUSH_BEGINS.has(event.kind)) this.flushBegins[cpu] = cycle;
    if (this.isOn) this.count(event, cpu, cycle);
  }

  private count(event: KernelEvent, cpu: number, cycle: number): void {
    const { counts } = this;
    switch (event.kind) {
      case "flushReturn":
      case "batchFlushReturn":
        if (event.remote) this.countInitiator(cpu, cycle);
        return;
      case "kernelFlushReturn":
        if (this.kernel.cpus.length > 1) this.countInitiator(cpu, cycle);
        return;
      case "flushed":
        counts.flushes[event.how]++;
        return;
      case "ipiSent":
        if (!isCall(event.vector)) return;
        counts.ipis++;
        if (this.kernel.cpus[event.target]!.tlb.isLazy.value) counts.ipisToLazy++;
        return;
      case "interruptReturned":
        if (cycle - event.cycles < this.beginCycle) return;
        if (isCall(event.vector)) this.countResponder(cpu, event.cycles);
        else if (event.vector === TIMER_VECTOR) this.countStolen(cpu, event.cycles);
        return;
      case "remoteActionDone":
        if (cycle - event.cycles >= this.beginCycle) this.countResponder(cpu, event.cycles);
        return;
      case "refcountOperation":
        counts.refcountOps++;
        return;
      case "switched":
        counts.contextSwitches++;
        return;
      case "operationDone":
        counts.operations++;
        return;
    }
  }

  private countResponder(cpu: number, cycles: number): void {
    this.counts.responderCycles.push(cycles);
    this.countStolen(cpu, cycles);
  }

  private countStolen(cpu: number, cycles: number): void {
    const { current, idle } = this.kernel.cpus[cpu]!;
    if (current !== idle) this.counts.stolenCycles += cycles;
  }

  private countInitiator(cpu: number, cycle: number): void {
    const begin = this.flushBegins[cpu]!;
    if (begin >= this.beginCycle) this.counts.initiatorCycles.push(cycle - begin);
  }

  private begin(cycle: number): void {
    this.counts = new Counts();
    this.kernel.machine.resetCounters();
    this.beginCycle = cycle;
    this.isOn = true;
  }

  private end(cycle: number): void {
    const { counts, kernel } = this;
    this.isOn = false;
    counts.elapsedCycles = cycle - this.beginCycle;
    for (const cpu of kernel.cpus) {
      const { walks, walkCycles } = kernel.machine.counters(cpu.id);
      counts.refillWalks += walks;
      counts.refillCycles += walkCycles;
    }
  }

  /** What was measured; an unfinished measured part counts until now. */
  measurement(violations: readonly ViolationReport[], cycle: number): Measurement {
    if (this.isOn) this.end(cycle);
    const { frequencyGhz } = this.kernel.machine.description;
    const elapsedSeconds = this.counts.elapsedCycles / (frequencyGhz * 1e9);
    return { ...this.counts, elapsedSeconds, violations };
  }
}
