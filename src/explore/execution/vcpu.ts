// The host under the kernel, for the explorer: it takes a vCPU away when a scenario says so, and
// lets it run again at any time after that.

import { flushGuest, VCPU_FLUSH_TLB, VCPU_PREEMPTED } from "../../kernel/cpu/steal-time.ts";
import type { CpuState } from "./cpu-state.ts";
import type { Execution } from "./execution.ts";
import { readCondemned, readMappings } from "./user-accesses.ts";

/** kvm_steal_time_set_preempted. The exit from the guest drains its store buffer. */
export function preemptVcpu(execution: Execution, state: CpuState): void {
  if (state.isPreempted) return;
  while (!state.buffer.isEmpty) execution.drain(state);
  execution.touched.write(state.controlLocation);
  state.isPreempted = true;
  setPreempted(execution, state, VCPU_PREEMPTED);
  execution.emit(state.cpu, { kind: "vcpuPreempted" });
}

/** record_steal_time: the flush that others asked for, before the guest's next instruction. */
export function enterVcpu(execution: Execution, state: CpuState): void {
  execution.touched.write(state.controlLocation);
  execution.touched.write(state.tlbLocation);
  state.isPreempted = false;
  const flushed = (setPreempted(execution, state, 0) & VCPU_FLUSH_TLB) !== 0;
  if (flushed) {
    readCondemned(execution, state.tlb);
    readMappings(execution, state.tlb.root);
    flushGuest(state.cpu);
    state.tlb.emptied(null);
  }
  execution.emit(state.cpu, { kind: "vcpuEntered", flushed });
}

/** xchg(&st->preempted, value) */
function setPreempted(execution: Execution, { cpu }: CpuState, value: number): number {
  const old = cpu.preempted.value;
  execution.touched.write(execution.locations.ofCell(cpu.preempted), old);
  execution.commit(cpu.preempted, value);
  return old;
}
