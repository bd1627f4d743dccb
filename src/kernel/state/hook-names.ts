// What the hooks of lazy policies and shootdown protocols stand for in Linux: the names, in
// schedules, of the functions behind them that have none of their own.

import { nameMethods } from "../operation/origin.ts";
import type { LazyPolicy } from "./lazy-policy.ts";
import type {
  BatchedCalls,
  BatchedUnmap,
  LazyUnmap,
  ShootdownProtocol,
  TickHook,
} from "./shootdown-protocol.ts";

type Names<T> = Readonly<Partial<Record<keyof T, string>>>;

const OF_POLICY: Names<LazyPolicy> = {
  userToKernel: "context_switch",
  kernelToKernel: "context_switch",
  userToUser: "context_switch",
  kernelToUser: "context_switch",
  finishSwitch: "finish_task_switch",
  exitMm: "exit_mm",
  execMm: "exec_mmap",
  useMm: "kthread_use_mm",
  unuseMm: "kthread_unuse_mm",
  lazyFlushed: "lazyFlushed",
  afterExitMmap: "afterExitMmap",
  forceInitMm: "sched_force_init_mm",
  finishCpu: "finish_cpu",
  beforeFree: "cleanup_lazy_tlbs",
};

const OF_PROTOCOL: Names<ShootdownProtocol> = {
  switchMm: "switch_mm_irqs_off",
  enterLazy: "enter_lazy_tlb",
  leaveMm: "leave_mm",
  flushRange: "flush_tlb_mm_range",
  flushKernelRange: "flush_tlb_kernel_range",
  installLeaf: "set_pte_at",
  serveInterrupt: "serveInterrupt",
  destroyContext: "destroy_context",
};

const OF_BATCHED_UNMAP: Names<BatchedUnmap> = {
  add: "arch_tlbbatch_add_mm",
  flush: "arch_tlbbatch_flush",
};
const OF_BATCHED_CALLS: Names<BatchedCalls> = { begin: "begin", end: "end" };
const OF_LAZY_UNMAP: Names<LazyUnmap> = { canPostpone: "canPostpone", postpone: "postpone" };
const OF_TICK: Names<TickHook> = { serve: "serve" };

/** Names the hooks of a kernel's policy and protocol. */
export function nameHooks(policy: LazyPolicy, protocol: ShootdownProtocol): void {
  const { batchedUnmap = {}, batchedCalls = {}, lazyUnmap = {}, tick = {} } = protocol;
  nameMethods(policy, OF_POLICY);
  nameMethods(protocol, OF_PROTOCOL);
  nameMethods(batchedUnmap, OF_BATCHED_UNMAP);
  nameMethods(batchedCalls, OF_BATCHED_CALLS);
  nameMethods(lazyUnmap, OF_LAZY_UNMAP);
  nameMethods(tick, OF_TICK);
}
