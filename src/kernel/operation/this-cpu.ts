// this_cpu: whose kernel code an executor is resuming. The executors set it, before every step; for
// what is kept of a CPU or its task where no Cpu is at hand, as Linux has `current` for lockdep.

import type { Cpu } from "../state/cpu.ts";

let running: Cpu | null = null;

/** An executor resumes code of `cpu`. */
export function resumeOn(cpu: Cpu): void {
  running = cpu;
}

/** Null: no executor runs, a test goes through kernel code by hand. */
export const thisCpu = (): Cpu | null => running;
