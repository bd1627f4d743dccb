// The last operations of each CPU, for reports: a ring per CPU, written on every step.

import type { PastOperation } from "./event.ts";
import type { Operation } from "./operation.ts";

const KEPT = 16;

export class History {
  private readonly operations: (Operation | undefined)[];
  private readonly cycles: Float64Array;
  private readonly written: Uint32Array;

  constructor(cpuCount: number) {
    this.operations = Array.from({ length: cpuCount * KEPT });
    this.cycles = new Float64Array(cpuCount * KEPT);
    this.written = new Uint32Array(cpuCount);
  }

  add(cpu: number, operation: Operation, cycle: number): void {
    const slot = cpu * KEPT + (this.written[cpu]!++ % KEPT);
    this.operations[slot] = operation;
    this.cycles[slot] = cycle;
  }

  /** Oldest first. */
  of(cpu: number): PastOperation[] {
    const count = this.written[cpu]!;
    const past: PastOperation[] = [];
    for (let index = Math.max(0, count - KEPT); index < count; index++) {
      const slot = cpu * KEPT + (index % KEPT);
      past.push({ cycle: this.cycles[slot]!, operation: this.operations[slot]! });
    }
    return past;
  }
}
