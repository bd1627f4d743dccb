// kernel/sched/idle.c: do_idle. The idle task is a kernel thread like others; while it waits, its
// CPU keeps the CR3 of whatever ran before it.

import type { Cpu } from "../state/cpu.ts";
import { NEED_RESCHED, POLLING } from "../state/task.ts";
import {
  call,
  disableInterrupts,
  enableInterrupts,
  idleUntil,
  type KernelCode,
  load,
  locked,
  note,
} from "../operation/operation.ts";
import { playDead } from "./play-dead.ts";
import { schedule } from "./schedule.ts";
import { flushCallQueue } from "./smp.ts";
import { leaveLazyMm } from "./switch-mm.ts";
import { SWITCHING } from "../state/tlb-state.ts";
import { nameFunctions } from "../operation/origin.ts";
import { mightSleep, needInterruptsOff } from "../operation/precondition.ts";

/** The program of a CPU's idle task. */
export function* idleLoop(cpu: Cpu): KernelCode {
  yield* mightSleep("do_idle");
  const { idle } = cpu.kernel.options;
  const watches = idle !== "halt";
  for (;;) {
    if (cpu.isOffline) yield* playDead(cpu);
    if (idle === "c6") yield* leaveMm(cpu); // CPUIDLE_FLAG_TLB_FLUSHED
    if (watches) yield* locked(cpu.idle.flags, (flags) => flags | POLLING);
    yield* idleUntil(cpu.idle.flags, (flags) => (flags & NEED_RESCHED) !== 0);
    if (watches) yield* locked(cpu.idle.flags, (flags) => flags & ~POLLING);
    yield* flushCallsFromIdle(cpu);
    yield* call(schedule(cpu));
  }
}

/**
 * leave_mm, of a CPU that is to lose its TLB anyway: in init_mm no flush wakes it up. Core code's
 * reference to the mm stays where it is; a policy that goes by mm_cpumask is told, as the series of
 * January 2022 has it, where unlazy_mm_irqs_off takes leave_mm's place.
 */
function* leaveMm(cpu: Cpu): KernelCode {
  const { initMm, protocol } = cpu.kernel;
  if (((yield* load(cpu.idle.flags)) & NEED_RESCHED) !== 0) return;
  yield* disableInterrupts();
  const mm = yield* load(cpu.tlb.loadedMm);
  if (protocol.leaveMm !== undefined) {
    yield* needInterruptsOff("leave_mm");
    yield* note({ kind: "changeBegin" });
    yield* protocol.leaveMm(cpu);
    yield* note({ kind: "changeEnd" });
  } else if (mm !== initMm && mm !== SWITCHING) {
    yield* leaveLazyMm(cpu, mm);
  }
  yield* enableInterrupts();
}

/** flush_smp_call_function_from_idle, since Linux 5.8: calls that came without an interrupt. */
function* flushCallsFromIdle(cpu: Cpu): KernelCode {
  if (cpu.kernel.protocol.traits.smp !== "5.13") return;
  if ((yield* load(cpu.calls.head)) === null) return;
  yield* disableInterrupts();
  yield* note({ kind: "callsBegin" });
  yield* flushCallQueue(cpu);
  yield* note({ kind: "callsEnd" });
  yield* enableInterrupts();
}

nameFunctions({
  do_idle: idleLoop,
  leave_mm: leaveMm,
  flush_smp_call_function_queue: flushCallsFromIdle,
});
