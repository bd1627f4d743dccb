// The clock as its parts see it: the host, remote actions, the tick, and what each operation does.

import type { Cell } from "../kernel/operation/cell.ts";
import type { KernelEvent } from "../kernel/operation/event.ts";
import type { Cpu } from "../kernel/state/cpu.ts";
import type { Kernel } from "../kernel/state/kernel.ts";

export interface Timeline {
  readonly kernel: Kernel;
  emit(cpu: Cpu, event: KernelEvent): void;
  /** Wakes the code that watches `cell`, which `cpu` has just changed. */
  changed(cell: Cell, cpu: Cpu): void;
  /** When `cpu` goes on has changed. */
  reschedule(cpu: Cpu): void;
  /** The pending interrupts of `target` changed. */
  interruptsChanged(target: Cpu): void;
}
