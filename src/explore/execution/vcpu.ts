// The host under the kernel, for the explorer: it takes a vCPU away when a scenario says so, and
// lets it run again at any time after that.

import { flushGuest, VCPU_FLUSH_TLB, VCPU_PREEMPTED } from "../../kernel/cpu/steal-time.ts";
import type { CpuState } from "./cpu-state.ts";
import type { Executor } from "./executor.ts";

/** kvm_steal_time_set_preempted. The exit from the guest drains its store buffer. */
export function preemptVcpu(executor: Executor, state: CpuState): void {
  if (state.isPreempted) return;
  while (!state.buffer.isEmpty) executor.drain(state);
  executor.touched.write(state.controlLocation);
  state.isPreempted = true;
  setPreempted(executor, state, VCPU_PREEMPTED);
  executor.emit(state.cpu, { kind: "vcpuPreempted" });
}

/** record_steal_time: the flush that others asked for, before the guest's next instruction. */
export function enterVcpu(executor: Executor, state: CpuState): void {
  executor.touched.write(state.controlLocation);
  executor.touched.write(state.tlbLocation);
  state.isPreempted = false;
  const flushed = (setPreempted(executor, state, 0) & VCPU_FLUSH_TLB) !== 0;
  if (flushed) {
    flushGuest(state.cpu);
    state.tlb.emptied(null);
  }
  executor.emit(state.cpu, { kind: "vcpuEntered", flushed });
}

/** xchg(&st->preempted, value) */
function setPreempted(executor: Executor, { cpu }: CpuState, value: number): number {
  const old = cpu.preempted.value;
  executor.touched.write(executor.locations.ofCell(cpu.preempted), old);
  executor.commit(cpu.preempted, value);
  return old;
}
