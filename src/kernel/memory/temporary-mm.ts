// arch/x86/mm/tlb.c: an mm that a CPU goes to for a few instructions, to write kernel text by a
// mapping that nobody else has (text_poke). It belongs to no task. Left out: the debug registers,
// which are put away meanwhile, and the mapping itself.

import type { Cpu } from "../state/cpu.ts";
import { clearCpu } from "../cpu/cpumask.ts";
import type { Mm } from "../state/mm.ts";
import { isMutated } from "../state/mutated.ts";
import { type KernelCode, load } from "../operation/operation.ts";
import { ownLoadedMm } from "../shootdown/asid.ts";
import { leaveLazyMm, switchMmTo } from "../cpu/switch-mm.ts";
import { nameFunctions } from "../operation/origin.ts";
import { needInterruptsOff } from "../operation/precondition.ts";

/** What a switch takes for the mm that it leaves: loaded_mm, or active_mm before Linux 4.14. */
function* mmInUse(cpu: Cpu): KernelCode<Mm> {
  const { switchesFrom } = cpu.kernel.protocol.traits;
  return switchesFrom === "active_mm" ? yield* load(cpu.tlb.activeMm) : yield* ownLoadedMm(cpu);
}

/** use_temporary_mm. Interrupts off until unuseTemporaryMm. Returns what to go back to. */
export function* useTemporaryMm(cpu: Cpu, mm: Mm): KernelCode<Mm> {
  yield* needInterruptsOff("use_temporary_mm");
  // leave_mm: the way back does not make the CPU lazy again, and a flush would let it stay.
  const isLazy = yield* load(cpu.tlb.isLazy);
  if (isLazy && !isMutated(cpu, "temporary-mm-while-lazy")) {
    yield* leaveLazyMm(cpu, yield* mmInUse(cpu));
  }
  const prev = yield* mmInUse(cpu);
  yield* switchMmTo(cpu, mm);
  return prev;
}

/** unuse_temporary_mm: where a switch leaves the old mm's bit, it goes here. */
export function* unuseTemporaryMm(cpu: Cpu, prev: Mm): KernelCode {
  yield* needInterruptsOff("unuse_temporary_mm");
  const { maskOfPrevious } = cpu.kernel.protocol.traits;
  if (maskOfPrevious === "kept") yield* clearCpu((yield* mmInUse(cpu)).cpumask, cpu.id);
  yield* switchMmTo(cpu, prev);
}

nameFunctions({ mmInUse, use_temporary_mm: useTemporaryMm, unuse_temporary_mm: unuseTemporaryMm });
