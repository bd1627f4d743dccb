// struct kvm_steal_time: what the host tells a guest's vCPU of itself, and what the guest's other
// vCPUs write into it; and the flush that they can ask for there.

import type { Cpu } from "../state/cpu.ts";

/** KVM_VCPU_PREEMPTED: the host has taken the vCPU off its CPU. */
export const VCPU_PREEMPTED = 1;
/** KVM_VCPU_FLUSH_TLB: the host is to flush the vCPU's TLB before it runs again. */
export const VCPU_FLUSH_TLB = 2;

/** INVPCID of every PCID, globals included: stands for the host's flush of the guest's tag. */
const ALL_CONTEXTS = 2n;

/** kvm_vcpu_flush_tlb_guest */
export function flushGuest({ id, kernel }: Cpu): void {
  kernel.machine.invpcid(id, ALL_CONTEXTS, { pcid: 0n, address: 0n });
}
