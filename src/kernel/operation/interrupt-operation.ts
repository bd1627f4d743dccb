// include/linux/irqflags.h: sections with interrupts off that nest.

import type { Cpu } from "../state/cpu.ts";
import { disableInterrupts, enableInterrupts, type KernelCode } from "./operation.ts";
import { needInterruptsOff } from "./precondition.ts";

/** local_irq_save: PUSHF and CLI. Returns whether interrupts were on. */
export function* saveInterrupts(cpu: Cpu): KernelCode<boolean> {
  const wereOn = cpu.interruptsOn;
  yield* disableInterrupts();
  return wereOn;
}

/** local_irq_restore: as they were when `flags` were saved. */
export function* restoreInterrupts(_cpu: Cpu, flags: boolean): KernelCode {
  yield* needInterruptsOff("local_irq_restore");
  if (flags) yield* enableInterrupts();
}
