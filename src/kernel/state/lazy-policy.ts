// What a lazy-TLB policy decides: how a CPU that runs no user task keeps hold of the address space
// that its CR3 still points at. One file per policy; the scheduler calls the policy at these
// points.

import type { Verdict } from "../../base/verdict.ts";
import type { Cpu } from "./cpu.ts";
import type { Mm } from "./mm.ts";
import type { KernelCode } from "../operation/operation.ts";
import type { Task } from "./task.ts";

/** Who holds a reference on mm_count for lazy use; the reference checker counts them. */
export type LazyReference =
  /** Nobody: the lifetime comes from elsewhere. */
  | "none"
  /** Each kernel thread or idle task whose active_mm it is, and rq->prev_mm. */
  | "active-mm"
  /** Each run queue whose drop_mm it is. */
  | "drop-mm";

/** What a policy is, as far as others go by it: which protocols it goes with, and why not. */
export interface LazyTraits {
  /**
   * What a borrowed mm outlives its users by. count: a reference for each lazy user. mask: whoever
   * frees it looks for them, by their bits in mm_cpumask. exit-flush: the flush of exit_mmap moves
   * them away, and nothing else does. nothing: it may be gone. not-borrowed: no CPU is lazy.
   */
  readonly aliveBy: "count" | "mask" | "exit-flush" | "nothing" | "not-borrowed";
  /** Whether core code names the mm that is left, as task->active_mm does. */
  readonly previousMm: "named" | "unnamed";
  /** active_mm: it is of kernels in which x86 left the mm that active_mm names (until 4.13). */
  readonly era: "any" | "active_mm";
}

export interface LazyPolicy {
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  readonly source: string;
  /** What keeps the mm alive while it is used lazily. */
  readonly lifetime: string;
  /** What the checkers are expected to say on x86 with real processes. */
  readonly expected: Verdict;
  readonly lazyReference: LazyReference;
  readonly traits: LazyTraits;
  /**
   * Until Linux 6.4: a kernel thread that borrows the mm it is to use takes no second reference on
   * it, and goes on with the one it has as a lazy user.
   */
  readonly kthreadsKeepReference?: boolean;

  /** context_switch, the four cases. Run-queue lock held, interrupts off. */
  userToKernel(cpu: Cpu, prev: Task, next: Task): KernelCode;
  kernelToKernel(cpu: Cpu, prev: Task, next: Task): KernelCode;
  userToUser(cpu: Cpu, prev: Task, next: Task): KernelCode;
  kernelToUser(cpu: Cpu, prev: Task, next: Task): KernelCode;
  /** finish_task_switch, after the lock is dropped and interrupts are on. `mm`: rq->prev_mm. */
  finishSwitch(cpu: Cpu, mm: Mm | null): KernelCode;
  /** exit_mm: `task` stops using `mm` and becomes a lazy user of it. Interrupts on. */
  exitMm(cpu: Cpu, task: Task, mm: Mm): KernelCode;
  /** exec_mmap: `task` goes from its old mm to `next`. Interrupts on. */
  execMm(cpu: Cpu, task: Task, next: Mm): KernelCode;
  /** kthread_use_mm's switch, and its release of the mm borrowed so far. Caller grabbed `mm`. */
  useMm(cpu: Cpu, task: Task, mm: Mm): KernelCode;
  /** kthread_unuse_mm: `task` becomes a lazy user of `mm`. Caller drops its own reference. */
  unuseMm(cpu: Cpu, task: Task, mm: Mm): KernelCode;
  /** This CPU was lazy, and has gone from `mm` to init_mm: see leaveLazyMm. Interrupts off. */
  lazyFlushed(cpu: Cpu, mm: Mm): KernelCode;
  /** __mmput between exit_mmap and the final mmdrop. */
  afterExitMmap(cpu: Cpu, mm: Mm): KernelCode;
  /** sched_force_init_mm: `task` borrows init_mm from now on, for its CPU goes. Interrupts on. */
  forceInitMm(cpu: Cpu, task: Task): KernelCode;
  /** finish_cpu: another CPU drops what the idle task of a dead one holds. */
  finishCpu(cpu: Cpu, idle: Task): KernelCode;
  /** __mmdrop before root and struct are freed: cleanup_lazy_tlbs. */
  beforeFree(cpu: Cpu, mm: Mm): KernelCode;
}
