// What a workload is: the program of a process's first thread, which init starts and waits for.

import type { Random } from "../base/random.ts";
import type { Cpu } from "../kernel/state/cpu.ts";
import type { Kernel } from "../kernel/state/kernel.ts";
import type { PageSize } from "../machine/description.ts";
import type { Program } from "../kernel/state/task.ts";

/** Where a workload plays. */
export interface Scene {
  readonly kernel: Kernel;
  readonly cpus: readonly Cpu[];
  /** Pages that one operation covers. */
  readonly pages: number;
  /** Of which size they are: 4K unless given. */
  readonly pageSize?: PageSize;
  /** Measured repetitions. */
  readonly rounds: number;
  readonly random: Random;
}

export interface Workload {
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  /**
   * The first thread, on CPU 0. It begins and ends the measured part, and waits for its children.
   */
  program(scene: Scene): Program;
}
