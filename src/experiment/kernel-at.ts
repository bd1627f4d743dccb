// A workload's kernel as it is at some cycle: what an explanation of a running experiment looks at.

import { BadInput } from "../base/bad-input.ts";
import { Clock } from "../kernel/clock.ts";
import type { KernelState } from "../kernel/kernel.ts";
import { bootKernel, startWorkload } from "./simulate.ts";
import type { Run } from "./simulate.ts";

/** The kernel when no core has an event before `cycle`. */
export function kernelAt(run: Run, cycle: number): KernelState {
  const kernel = bootKernel(run.configuration);
  startWorkload(kernel, run);
  const ended = new Clock(kernel, []).run(cycle);
  if (ended === "paused") return kernel;
  const last = Math.floor(kernel.machine.now(0));
  throw new BadInput("--at", cycle, `a cycle before ${last}, where ${run.workload} ends`);
}
