// arch/x86/kernel/kvm.c: kvm_flush_tlb_multi over linux-5.13, and over linux-6.18. A vCPU that the
// host has preempted gets no interrupt, which it could not take: the host flushes its TLB before it
// runs again.

import { LINUX_5_13_TRAITS, LINUX_6_18_TRAITS } from "../state/protocol-traits.ts";
import type { Cpu } from "../state/cpu.ts";
import { isMutated } from "../state/mutated.ts";
import { type KernelCode, load, locked } from "../operation/operation.ts";
import { VCPU_FLUSH_TLB, VCPU_PREEMPTED } from "../cpu/steal-time.ts";
import { flushingBy, nativeFlushMulti } from "./linux-5.13.ts";
import { flushing618By } from "./linux-6.18.ts";
import { flushMulti } from "./linux-6.18-flush.ts";
import type { FlushMulti, ShootdownProtocol } from "../state/shootdown-protocol.ts";
import { nameFunctions } from "../operation/origin.ts";

/** kvm_flush_tlb_multi before `native`. The CPU that asks is never preempted while it does. */
function passingOverPreempted(native: FlushMulti): FlushMulti {
  const flushMulti: FlushMulti = function* (cpu, mask, info) {
    const interrupted: number[] = [];
    for (const id of mask) {
      if (!(yield* flushOnEntry(cpu, cpu.kernel.cpus[id]!))) interrupted.push(id);
    }
    yield* native(cpu, interrupted, info);
  };
  nameFunctions({ kvm_flush_tlb_multi: flushMulti });
  return flushMulti;
}

/** Asks the host to flush `target` if it is preempted. False: it has to be interrupted. */
function* flushOnEntry(cpu: Cpu, { preempted }: Cpu): KernelCode<boolean> {
  const state = yield* load(preempted);
  if ((state & VCPU_PREEMPTED) === 0) return false;
  // try_cmpxchg: it may have been entered since.
  const found = yield* locked(preempted, (now) => (now === state ? now | VCPU_FLUSH_TLB : now));
  return found === state || isMutated(cpu, "pv-flush-ignores-entry");
}

export const kvmPv: ShootdownProtocol = {
  name: "kvm-pv",
  summary: "linux-5.13 in a guest: the host flushes preempted vCPUs, the others are interrupted",
  source: "kvm_flush_tlb_multi, 858a43aae236 (KVM: X86: use paravirtualized TLB Shootdown)",
  ...flushingBy(passingOverPreempted(nativeFlushMulti)),
  traits: { ...LINUX_5_13_TRAITS, host: "kvm" },
};

export const kvmPv618: ShootdownProtocol = {
  name: "kvm-pv-6.18",
  summary: "linux-6.18 in such a guest",
  source: "kvm_flush_tlb_multi, arch/x86/kernel/kvm.c of Linux 6.18",
  ...flushing618By(passingOverPreempted(flushMulti)),
  // KVM gives its guests no INVLPGB.
  traits: { ...LINUX_6_18_TRAITS, host: "kvm-without-mwait", invlpgb: "unknown" },
};

nameFunctions({ flushOnEntry });
