// struct kvm_steal_time: what the host tells a guest's vCPU of itself, and what the guest's other
// vCPUs write into it.

/** KVM_VCPU_PREEMPTED: the host has taken the vCPU off its CPU. */
export const VCPU_PREEMPTED = 1;
/** KVM_VCPU_FLUSH_TLB: the host is to flush the vCPU's TLB before it runs again. */
export const VCPU_FLUSH_TLB = 2;
