// kernel/time/tick-sched.c: the scheduler tick, HZ times a second on every CPU that has something
// to run, at the same moments everywhere. An idle CPU has none (NO_HZ_IDLE), unless it keeps pages
// that a tick is to give back. There are ticks only where the protocol does something at one: what
// else Linux does then is the same for all protocols and not modelled. The executor keeps the
// timer, so setting it takes no cycles.

import type { Cpu } from "../kernel/state/cpu.ts";
import type { TickHook } from "../kernel/state/shootdown-protocol.ts";
import { HZ } from "../kernel/operation/operation.ts";
import { TIMER_VECTOR } from "../kernel/operation/vectors.ts";
import type { Timeline } from "./timeline.ts";

export class Tick {
  private readonly periodCycles: number;
  private readonly isArmed: boolean[];

  constructor(
    private readonly clock: Timeline,
    private readonly hook: TickHook,
  ) {
    const { machine, cpus } = clock.kernel;
    this.periodCycles = (machine.description.frequencyGhz * 1e9) / HZ;
    this.isArmed = cpus.map(() => false);
  }

  /** The timer interrupt has been taken. */
  taken(cpu: Cpu): void {
    this.isArmed[cpu.id] = false;
    this.update(cpu);
  }

  /** What the CPU runs has changed. */
  update(cpu: Cpu): void {
    const isWanted = cpu.current !== cpu.idle || this.hook.keepsIdleTicking(cpu);
    if (isWanted === this.isArmed[cpu.id]) return;
    this.isArmed[cpu.id] = isWanted;
    const { machine } = this.clock.kernel;
    const next = (Math.floor(machine.now(cpu.id) / this.periodCycles) + 1) * this.periodCycles;
    machine.setTimer(cpu.id, TIMER_VECTOR, isWanted ? next : Infinity);
    this.clock.interruptsChanged(cpu);
  }
}
