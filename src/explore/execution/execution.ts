// What operations need of the executor that carries them out: the state of an execution, and the
// doors by which it changes.

import type { PageNumber } from "../../base/address.ts";
import type { Cell } from "../../kernel/operation/cell.ts";
import type { KernelEvent } from "../../kernel/operation/event.ts";
import type { Cpu } from "../../kernel/state/cpu.ts";
import type { Kernel } from "../../kernel/state/kernel.ts";
import type { Choices } from "../search/system.ts";
import type { CpuState } from "./cpu-state.ts";
import type { Locations } from "./locations.ts";
import type { Touched } from "./touched.ts";

export type MemoryModel = "sc" | "tso";

export interface Execution {
  readonly kernel: Kernel;
  readonly memory: MemoryModel;
  /** The user pages that anybody uses. */
  readonly pages: readonly PageNumber[];
  readonly states: readonly CpuState[];
  readonly locations: Locations;
  readonly touched: Touched;
  /** The decisions of the step in progress. */
  readonly choices: Choices;
  /** Steps taken since the start. */
  readonly steps: number;
  /** Scheduler ticks taken since the start, on all CPUs: all the time there is. */
  readonly ticks: number;
  /** Tells the observers. */
  emit(cpu: Cpu, event: KernelEvent): void;
  /** A store of the cell reaches memory. */
  commit(cell: Cell, value: unknown): void;
  /** The oldest buffered store of the CPU reaches memory. */
  drain(state: CpuState): void;
}
