// The end of a CPU that was taken offline: arch_cpu_idle_dead, called by its idle task.

import type { Cpu } from "../state/cpu.ts";
import { isMutated } from "../state/mutated.ts";
import { disableInterrupts, type KernelCode, parkUntil, store } from "../operation/operation.ts";
import { switchMmTo } from "./switch-mm.ts";
import { nameFunctions } from "../operation/origin.ts";

/** native_play_dead: never returns, for no CPU comes back here. */
export function* playDead(cpu: Cpu): KernelCode {
  yield* disableInterrupts();
  // idle_task_exit, as it was: flushes have not reached this CPU since it left cpu_online_mask.
  if (isMutated(cpu, "unplug-switches-offline")) yield* switchMmTo(cpu, cpu.kernel.initMm);
  yield* store(cpu.isDead, true); // cpuhp_report_idle_dead
  yield* parkUntil(cpu.isDead, () => false);
}

nameFunctions({ arch_cpu_idle_dead: playDead });
