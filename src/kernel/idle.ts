// kernel/sched/idle.c: do_idle. The idle task is a kernel thread like others; while it waits, its
// CPU keeps the CR3 of whatever ran before it.

import { type Cpu, NEED_RESCHED, POLLING } from "./cpu.ts";
import {
  call,
  disableInterrupts,
  enableInterrupts,
  idleUntil,
  type Kernel,
  load,
  locked,
} from "./operation.ts";
import { playDead } from "./play-dead.ts";
import { schedule } from "./schedule.ts";
import { flushCallQueue } from "./smp.ts";

/** The program of a CPU's idle task. */
export function* idleLoop(cpu: Cpu): Kernel {
  const watches = cpu.kernel.options.idle !== "halt";
  for (;;) {
    if (cpu.isOffline) yield* playDead(cpu);
    if (watches) yield* locked(cpu.flags, (flags) => flags | POLLING);
    yield* idleUntil(cpu.flags, (flags) => (flags & NEED_RESCHED) !== 0);
    if (watches) yield* locked(cpu.flags, (flags) => flags & ~POLLING);
    yield* flushCallsFromIdle(cpu);
    yield* call(schedule(cpu));
  }
}

/** flush_smp_call_function_from_idle: calls that came without an interrupt. */
function* flushCallsFromIdle(cpu: Cpu): Kernel {
  if ((yield* load(cpu.calls.head)) === null) return;
  yield* disableInterrupts();
  yield* flushCallQueue(cpu);
  yield* enableInterrupts();
}
