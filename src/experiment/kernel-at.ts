// A workload's kernel as it is at some cycle: what an explanation of a running experiment looks at.

import { BadInput } from "../base/bad-input.ts";
import { Clock } from "../clock/clock.ts";
import { startKernel } from "../kernel/boot.ts";
import type { Kernel } from "../kernel/state/kernel.ts";
import { bootRequestOf, startWorkload } from "./simulate.ts";
import { type Run } from "./configuration.ts";

/** The kernel when no core has an event before `cycle`. */
export function kernelAt(run: Run, cycle: number): Kernel {
  const kernel = startKernel(bootRequestOf(run.configuration, {}));
  startWorkload(kernel, run);
  const ended = new Clock(kernel, []).run(cycle);
  if (ended === "paused") return kernel;
  const last = Math.floor(kernel.machine.now(0));
  throw new BadInput("--at", cycle, `a cycle before ${last}, where ${run.workload} ends`);
}
