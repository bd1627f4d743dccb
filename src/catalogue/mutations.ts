// The mutations of the package. Kernel code asks for each by its name, at the line that is wrong:
// see isMutated. The order is that of the explorations that show them.

import type { MutationName } from "../kernel/operation/mutation.ts";
import type { MutatedKernel, Mutation } from "./mutation.ts";

/** The references on a borrowed mm go through rq->prev_mm. */
const isCounted = ({ lazyTlb }: MutatedKernel): boolean =>
  lazyTlb === "refcounted" || lazyTlb === "pre-4.15";

/** One root for each address space, interrupts for flushes. */
const isPlain = (kernel: MutatedKernel, protocol: string): boolean => {
  const { pti = false, invlpgb } = kernel;
  return kernel.protocol === protocol && !pti && !invlpgb;
};

/** An idle CPU stays on the mm, whatever keeps that alive; before C6 it leaves it. */
const sleepsLazily = ({ idle, lazyTlb }: MutatedKernel): boolean =>
  idle !== "c6" && lazyTlb !== "eager";

/** A thread unmaps a page that it alone has faulted in, and uses its successor. */
const UNMAPS_OWN_PAGES = ["munmap", "madvise"];

type BuiltInMutation = Mutation & { readonly name: MutationName };

export const MUTATIONS: readonly BuiltInMutation[] = [
  {
    name: "no-barrier-before-generation",
    summary: "switch_mm reads the generation without a barrier where its mask bit is set already",
    source: "83b0177a6c48, x86/mm: Fix SMP ordering in switch_mm_irqs_off (6.18), CVE-2025-40174",
    scenario: { name: "copy-on-write-against-reader", memory: "tso" },
  },
  {
    name: "switching-stored-late",
    summary: "switch_mm stores LOADED_MM_SWITCHING after it has read the generation",
    source: "Dolan, x86/mm: Fix check/use ordering in switch_mm_irqs_off (6.12.y, October 2025)",
    scenario: { name: "discard-against-switch-in", memory: "sc" },
  },
  {
    name: "should-flush-ignores-switching",
    summary: "a flush passes over a CPU that is in the middle of a switch",
    source: "fea4e317f9e7, x86/mm: Eliminate window where TLB flushes may be inadvertently skipped",
    scenario: { name: "discard-against-switch-in", memory: "sc" },
  },
  {
    name: "generation-zero-is-old",
    summary: "a flush of whatever is loaded, which has no generation, is taken for an old one",
    source: "8f1d56f64f8d, which fixes aa44284960d5 (x86/mm/tlb: Avoid reading mm_tlb_gen, 6.0)",
    scenario: { name: "reclaim-against-reader", memory: "sc" },
    shows: (kernel, workload) => workload === "reclaim" && isPlain(kernel, "linux-6.18"),
  },
  {
    name: "ranged-flush-over-gap",
    summary: "a ranged flush is made even where the slot lacks an earlier generation",
    source: "the rule of flush_tlb_func: new == local + 1 and new == mm_tlb_gen (Linux 4.14)",
    scenario: { name: "two-flushers", memory: "sc" },
  },
  {
    name: "nested-gather-not-noticed",
    summary: "who finds nothing to discard flushes nothing, though another's flush is under way",
    source:
      "99baac21e458, mm: fix the TLB flush miss problem of MADV_FREE and MADV_DONTNEED (4.13)",
    scenario: { name: "discards-of-one-page", memory: "sc" },
  },
  {
    name: "batched-unmap-not-noted",
    summary: "reclaim does not tell the mm that entries are gone and not yet flushed",
    source: "3ea277194daa, mm, mprotect: flush TLB if potentially racing with a parallel reclaim",
    scenario: { name: "reclaim-against-protect", memory: "sc" },
  },
  {
    name: "batched-unmap-forgotten",
    summary:
      "a CPU that flushes for reclaim notes that nothing is left, whatever was put off meanwhile",
    source: "5ee2fa2f0636, mm/rmap: fix potential batched TLB flush race (Linux 5.17)",
    scenario: { name: "reclaim-against-two-tables", memory: "sc" },
  },
  {
    name: "freed-tables-false",
    summary: "page tables are unlinked, and the flush is told that none were",
    source: "3ef938c3503f, x86/mm: Fix flush_tlb_range() when used for zapping, CVE-2025-22045",
    scenario: { name: "exit-while-lazy", memory: "sc" },
    shows: (kernel, workload) =>
      workload === "pingpong" && sleepsLazily(kernel) && isPlain(kernel, "linux-6.18"),
  },
  {
    name: "tables-freed-unflushed",
    summary: "tables of an mm with one user are freed at once, as if no other CPU could walk them",
    source: "a6f572084fbe (mm/tlb: Remove tlb_remove_table() non-concurrent condition, 4.19)",
    scenario: { name: "exit-while-lazy", memory: "sc" },
  },
  {
    name: "temporary-mm-while-lazy",
    summary: "a lazy CPU goes to a temporary mm, and comes back to its mm without being lazy",
    source: "abee7c494d8c, x86/alternative: Don't call text_poke() in lazy TLB mode (5.10)",
    scenario: {
      name: "text-poke-while-lazy",
      memory: "sc",
      policy: "null-prev",
      protocol: "linux-6.18",
    },
  },
  {
    name: "transition-without-switching-wait",
    summary: "a transition to a global ASID passes over a CPU that is in the middle of a switch",
    source: "finish_asid_transition's wait for LOADED_MM_SWITCHING (van Riel, INVLPGB, 6.15)",
    scenario: { name: "broadcast-transition", memory: "sc" },
  },
  {
    name: "kernel-flush-forgets-other-pcids",
    summary: "with page-table isolation, a kernel-range flush leaves what other PCIDs hold",
    source: "invalidate_other, 48e111982cda (Linux 4.15)",
    scenario: { name: "isolated-kernel-pages", memory: "sc" },
  },
  {
    name: "user-pcid-flush-forgotten",
    summary: "with page-table isolation, a flush of the kernel PCID leaves the user PCID",
    source: "user_pcid_flush_mask, 6fd166aae78c (Linux 4.15)",
    scenario: { name: "isolated-reader", memory: "sc" },
    shows: ({ pti, pcid }) => pti === true && pcid,
  },
  {
    name: "refcount-dropped-before-switch",
    summary: "the lazy reference is dropped before switch_mm, not in finish_task_switch",
    source: "the order of context_switch and finish_task_switch (kernel/sched/core.c)",
    scenario: { name: "last-lazy-user-leaves", memory: "sc" },
    shows: isCounted,
  },
  {
    name: "exec-active-mm-unprotected",
    summary: "exec_mmap may be interrupted and preempted while mm, active_mm and CR3 disagree",
    source: "d53c3dfb23c4 (Linux 5.10), ARCH_WANT_IRQS_OFF_ACTIVATE_MM",
    scenario: { name: "exec-while-lazy", memory: "sc" },
  },
  {
    name: "unplug-keeps-lazy-mm",
    summary:
      "a CPU goes offline with a borrowed mm loaded, and its reference is dropped all the same",
    source: "idle_task_exit and finish_cpu (bf2c59fce407) without the switch to init_mm",
    scenario: { name: "unplug-while-lazy", memory: "sc" },
    shows: (kernel, workload) =>
      workload === "unplug" &&
      sleepsLazily(kernel) &&
      (isPlain(kernel, "linux-5.13") || isPlain(kernel, "linux-6.18")),
  },
  {
    name: "unplug-switches-offline",
    summary: "a CPU leaves its borrowed mm only after it has left cpu_online_mask",
    source:
      "idle_task_exit, Linux 5.8 to 6.12; lazy tlb: fix hotplug exit race (Piggin, Nov. 2024)",
    scenario: { name: "unplug-while-lazy", memory: "sc" },
  },
  {
    name: "kthread-use-mm-interrupts-on",
    summary: "kthread_use_mm may be interrupted while mm, active_mm and CR3 disagree",
    source: "38cf307c1f20 (mm: fix kthread_use_mm() vs TLB invalidate, Linux 5.9)",
    scenario: {
      name: "kthread-leaves-dying",
      memory: "sc",
      policy: "shoot-lazies",
      protocol: "linux-6.18",
    },
  },
  {
    name: "unlazy-without-barrier",
    summary:
      "a CPU that stops being lazy reads the generation without smp_mb after is_lazy = false",
    source: "the pairing of switch_mm_irqs_off with flush_tlb_mm_range (Linux 4.20)",
    scenario: { name: "discard-against-unlazy", memory: "tso", protocol: "linux-4.20" },
  },
  {
    name: "freed-tables-under-lazy-cpus",
    summary: "lazy CPUs are passed over also by a flush that frees page tables",
    source: "the first lazier TLB of 2018, reverted in August 2018 (merge 706a1ea65e)",
    scenario: { name: "kthread-against-exit", memory: "sc", protocol: "linux-4.20" },
    shows: (kernel, workload) =>
      workload === "pingpong" && sleepsLazily(kernel) && isPlain(kernel, "linux-4.20"),
  },
  {
    name: "lazy-leaves-cpumask",
    summary: "a CPU that turns lazy leaves mm_cpumask, with the mm's tables still in its CR3",
    source:
      "94b1b03b519b, undone by b956575bed91 (x86/mm: Flush more aggressively in lazy TLB mode)",
    scenario: { name: "exit-while-lazy", memory: "sc", protocol: "linux-4.15" },
    shows: ({ protocol, lazyTlb }) => protocol === "linux-4.15" && lazyTlb !== "eager",
  },
  {
    name: "cpumask-after-cr3",
    summary: "switch_mm loads CR3 first and sets its bit in mm_cpumask after that",
    source: "the ordering constraint that 71b3c126e611 (Linux 4.5) wrote down, CVE-2016-2069",
    scenario: { name: "discard-against-switch-in", memory: "sc", protocol: "linux-4.8" },
    shows: ({ protocol }) => protocol === "linux-4.8",
  },
  {
    name: "flush-before-cpumask",
    summary:
      "a flush of an mm that this CPU does not run reads mm_cpumask without smp_mb before it",
    source: "CVE-2016-2069, fixed by 71b3c126e611 (Linux 4.5)",
    scenario: { name: "flush-from-outside", memory: "tso", protocol: "linux-4.8" },
  },
  {
    name: "pv-flush-ignores-entry",
    summary:
      "a vCPU that was entered while a flush was asked of the host is not interrupted either",
    source: "kvm_flush_tlb_multi without the result of its try_cmpxchg (858a43aae236)",
    scenario: { name: "protect-against-entry", memory: "sc", protocol: "kvm-pv" },
  },
  {
    name: "early-ack-of-freed-tables",
    summary: "a CPU acknowledges a flush before it is made although page tables are freed after it",
    source: "EuroSys'20, 3.2: its exception for early acknowledgement (from memory, not checked)",
    scenario: { name: "kthread-against-exit", memory: "sc", protocol: "early-ack" },
  },
  {
    name: "batched-call-ends-without-barrier",
    summary: "a CPU leaves a batched system call and reads the generation without smp_mb between",
    source: "the pairing that userspace-safe batching of EuroSys'20 needs, as leaving lazy mode",
    scenario: { name: "protect-against-call", memory: "tso", protocol: "batched-syscalls" },
  },
  {
    name: "latr-reclaims-unswept",
    summary: "LATR gives pages back after two ticks, whether every CPU has had one or not",
    source: "the rule as LATR published it (ASPLOS 2018), by which time alone is enough",
    scenario: { name: "postponed-unmap", memory: "sc", protocol: "latr" },
  },
  {
    name: "abis-clear-is-uncached",
    summary:
      "ABIS takes an entry whose accessed bit is clear for uncached, whichever CPU is recorded",
    source: "the rule of ABIS (ATC 2017) without what its own insertion into the TLB adds to it",
    scenario: { name: "discard-of-private-page", memory: "sc", protocol: "abis" },
    shows: ({ protocol }, workload) => protocol === "abis" && UNMAPS_OWN_PAGES.includes(workload),
  },
  {
    name: "abis-record-outlives-access",
    summary: "ABIS takes a page for its recorded CPU's alone although the accessed bit is set",
    source: "the rule of ABIS (ATC 2017) with its two questions asked in the wrong order",
    scenario: { name: "discard-of-own-page", memory: "sc", protocol: "abis" },
  },
  {
    name: "prev-mm-kept",
    summary: "finish_task_switch leaves rq->prev_mm as it is, and so drops it at every switch",
    source: "finish_task_switch: rq->prev_mm = NULL (kernel/sched/core.c)",
    shows: isCounted,
  },
];
