// The host under the kernel, for the clock: it takes a vCPU off its CPU for a while (KVM's
// kvm_arch_vcpu_put and vcpu_enter_guest). A preempted vCPU executes nothing and takes no
// interrupt.

import type { Cpu } from "../kernel/state/cpu.ts";
import { flushGuest, VCPU_FLUSH_TLB, VCPU_PREEMPTED } from "../kernel/cpu/steal-time.ts";
import type { Timeline } from "./timeline.ts";

const RUNS = -1;

export class Host {
  /** Per vCPU: when it runs again; RUNS: it does. */
  private readonly entryCycles: Float64Array;

  constructor(vcpuCount: number) {
    this.entryCycles = new Float64Array(vcpuCount).fill(RUNS);
  }

  isPreempted(cpu: Cpu): boolean {
    return this.entryCycles[cpu.id] !== RUNS;
  }

  /** When the vCPU runs again, if it is preempted. */
  entryCycle(cpu: Cpu): number {
    return this.entryCycles[cpu.id]!;
  }

  /** kvm_steal_time_set_preempted: from `cycle`, or as soon as the vCPU can be stopped. */
  preempt(clock: Timeline, cpu: Cpu, { cycle, cycles }: { cycle: number; cycles: number }): void {
    if (this.isPreempted(cpu)) return;
    const { machine } = clock.kernel;
    const top = cpu.current.stack.at(-1)!;
    const before = machine.now(cpu.id);
    machine.advanceTo(cpu.id, cycle);
    const stopped = machine.now(cpu.id);
    if (top.activity === "working") top.workLeft = Math.max(0, top.workLeft - (stopped - before));
    this.entryCycles[cpu.id] = stopped + cycles;
    cpu.preempted.value = VCPU_PREEMPTED;
    clock.emit(cpu, { kind: "vcpuPreempted" });
    clock.reschedule(cpu);
  }

  /** The vCPU is not to wait any longer. */
  resume(clock: Timeline, cpu: Cpu, cycle: number): void {
    if (!this.isPreempted(cpu)) return;
    this.entryCycles[cpu.id] = Math.min(this.entryCycle(cpu), cycle);
    clock.reschedule(cpu);
  }

  /** record_steal_time: the flush that others asked for, before the guest's next instruction. */
  enter(clock: Timeline, cpu: Cpu): void {
    const { machine } = clock.kernel;
    machine.advanceTo(cpu.id, this.entryCycle(cpu));
    this.entryCycles[cpu.id] = RUNS;
    const state = cpu.preempted.value; // xchg(&st->preempted, 0)
    cpu.preempted.value = 0;
    const flushed = (state & VCPU_FLUSH_TLB) !== 0;
    if (flushed) flushGuest(cpu);
    clock.emit(cpu, { kind: "vcpuEntered", flushed });
  }
}
