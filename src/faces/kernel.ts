// `import ... from "shootdown/kernel"`: what kernel code is written with. Operations, the Linux
// functions of the small kernel, and the types of what comes from outside: protocols, lazy
// policies, workloads, mutations and checkers. docs/bring-your-own.md has an example of each.

// Operations: all that kernel code may do.
export { Cell, type Lifetime, type Line } from "../kernel/operation/cell.ts";
export { type Cost, costs } from "../kernel/operation/costs.ts";
export {
  call,
  disableInterrupts,
  enableInterrupts,
  endOfInterrupt,
  exchangeEntry,
  fence,
  idleUntil,
  invlpg,
  invlpgb,
  invpcid,
  type InvpcidType,
  kernelAccess,
  type KernelCode,
  load,
  locked,
  note,
  type Operation,
  parkUntil,
  queueUntil,
  readEntry,
  readJiffies,
  runUser,
  sendIpi,
  store,
  switchTo,
  tlbsync,
  waitUntil,
  work,
  workTimes,
  workUntil,
  writeCr3,
  writeCr4,
  writeEntry,
} from "../kernel/operation/operation.ts";
export { updateEntry } from "../kernel/operation/entry-operation.ts";
export { readAreas } from "../kernel/operation/area-operation.ts";
export { changeAreas, detachIfEmpty } from "../kernel/operation/guarded-operation.ts";
export { restoreInterrupts, saveInterrupts } from "../kernel/operation/interrupt-operation.ts";
export {
  mightSleep,
  needAreaLock,
  needInterruptsOff,
  needInterruptsOn,
  needMmapLock,
  needMmapLockForWriting,
  needNothingHeld,
  needPageTableLock,
  needSpinLock,
} from "../kernel/operation/precondition.ts";
export { tryUser } from "../kernel/operation/user-operation.ts";
export { detachTables, presentPages, tablesOf } from "../kernel/operation/table-operation.ts";
export { invalidateRemotely, sendActions } from "../kernel/operation/remote-operation.ts";
export { preemptVcpu, resumeVcpu } from "../kernel/operation/vcpu-operation.ts";
export {
  CALL_FUNCTION_SINGLE_VECTOR,
  CALL_FUNCTION_VECTOR,
  INVALIDATE_VECTOR,
  RESCHEDULE_VECTOR,
  TIMER_VECTOR,
} from "../kernel/operation/vectors.ts";

export { nameFunctions } from "../kernel/operation/origin.ts";

// What kernel code works on.
export { addressOfPage, pageAfter, pageNumber, pageRange, pagesIn } from "../base/address.ts";
export type { FrameNumber, PageNumber, PageRange } from "../base/address.ts";
export type { Restore } from "../base/restore.ts";
export { saveArray, saveSet } from "../base/restore.ts";
export type { Broadcast } from "../machine/broadcast.ts";
export type { PageSize } from "../machine/description.ts";
export { ACCESSED, DIRTY, frameOfEntry, PRESENT, WRITABLE } from "../machine/page-table.ts";
export { type Stream, type StreamOptions, userStream } from "../machine/stream.ts";
export type { Area } from "../kernel/state/area.ts";
export type { Cpu } from "../kernel/state/cpu.ts";
export type { CpuMask } from "../kernel/state/cpu-mask.ts";
export { FlushBatch } from "../kernel/state/flush-batch.ts";
export { Kernel, type KernelPart } from "../kernel/state/kernel.ts";
export type { KernelOptions } from "../kernel/state/kernel-options.ts";
export { leafAt, leafEntry } from "../kernel/state/leaf-entry.ts";
export { type Mm, WHOLE_USER_HALF } from "../kernel/state/mm.ts";
export {
  NEED_RESCHED,
  POLLING,
  type Program,
  type SegmentationFault,
  type Task,
} from "../kernel/state/task.ts";
export { type FlushInfo, NO_GENERATION, type TlbState } from "../kernel/state/tlb-state.ts";

// Linux functions, by folder.
export { lockAreas, lockForChange, unlockAreas } from "../kernel/locking/area-lock.ts";
export { lockToRead, unlockToRead } from "../kernel/locking/area-lock.ts";
export {
  lockForReading,
  lockForWriting,
  spinLock,
  spinUnlock,
  unlockForReading,
  unlockForWriting,
} from "../kernel/locking/lock.ts";
export { underEachLock } from "../kernel/locking/page-table-lock.ts";
export { among, clearCpu, cpusOf, setCpu, testCpu } from "../kernel/cpu/cpumask.ts";
export { idleLoop } from "../kernel/cpu/idle.ts";
export { returnToUser } from "../kernel/cpu/interrupt.ts";
export { enterKernel, leaveKernel } from "../kernel/cpu/pti.ts";
export { schedule, wakeUp } from "../kernel/cpu/schedule.ts";
export { callMany, onEachCpu, waitForCalls } from "../kernel/cpu/smp.ts";
export { enterLazyTlb, switchMm, switchMmTo } from "../kernel/cpu/switch-mm.ts";
export { syscall } from "../kernel/cpu/syscall.ts";
export { flushKernelRange, flushRange } from "../kernel/memory/flush.ts";
export { madviseDontNeed, madviseFree } from "../kernel/memory/madvise.ts";
export { mmdrop, mmget, mmgrab, mmput } from "../kernel/memory/mm-count.ts";
export { type MapRequest, mmap, munmap } from "../kernel/memory/mmap.ts";
export { beginGather, finishGather, type MmuGather, zapArea } from "../kernel/memory/mmu-gather.ts";
export { mprotect } from "../kernel/memory/mprotect.ts";
export { mremap } from "../kernel/memory/mremap.ts";
export { reclaim } from "../kernel/memory/reclaim.ts";
export { unuseTemporaryMm, useTemporaryMm } from "../kernel/memory/temporary-mm.ts";
export { leftUnflushed, revoked, revoking } from "../kernel/memory/withdrawal.ts";
export { vfree, vmalloc, VMALLOC_START } from "../kernel/memory/vmalloc.ts";
export { exec } from "../kernel/process/exec.ts";
export { exit, exitMm, waitForChild, waitForChildren } from "../kernel/process/exit.ts";
export {
  cloneThread,
  copyMm,
  createKernelThread,
  fork,
  type NewTask,
} from "../kernel/process/fork.ts";
export { kthreadUnuseMm, kthreadUseMm } from "../kernel/process/kthread.ts";

// Protocols: their interface, the package's own, and the parts that these are made of.
export type {
  BatchedUnmap,
  FlushMulti,
  FlushRequest,
  LazyUnmap,
  NewLeaf,
  ShootdownProtocol,
  TickHook,
} from "../kernel/state/shootdown-protocol.ts";
export { isAboveCeiling } from "../kernel/state/shootdown-protocol.ts";
export {
  LINUX_4_8_TRAITS,
  LINUX_5_13_TRAITS,
  LINUX_6_18_TRAITS,
  type ProtocolTraits,
} from "../kernel/state/protocol-traits.ts";
export { PROTOCOL_NAMES, type ProtocolName, protocols } from "../kernel/shootdown/protocols.ts";
export {
  chooseAsid,
  enterLazy,
  flushPages,
  loadCr3,
  ownLoadedMm,
} from "../kernel/shootdown/asid.ts";
export { giveUpPcids, shootDown } from "../kernel/shootdown/freebsd.ts";
export {
  announceFlush,
  flushAsAsked,
  isNotLazy,
  switchMmAndCatchUp,
} from "../kernel/shootdown/generation.ts";
export { flushingBy, nativeFlushMulti } from "../kernel/shootdown/linux-5.13.ts";

// Lazy policies: their interface, the package's own, and the parts that these are made of.
export type { LazyPolicy, LazyReference, LazyTraits } from "../kernel/state/lazy-policy.ts";
export { switchingWithActiveMm } from "../kernel/lazy/active-mm.ts";
export { noHooks } from "../kernel/lazy/hooks.ts";
export { LAZY_POLICY_NAMES, type LazyPolicyName, lazyPolicies } from "../kernel/lazy/policies.ts";

// Workloads: what a task does, as a program of system calls and accesses.
export type { Scene, Workload } from "../workloads/workload.ts";
export { WORKLOAD_NAMES, type WorkloadName, workloads } from "../workloads/workloads.ts";
export { Barrier } from "../workloads/barrier.ts";
export {
  discardPages,
  mapMemory,
  mapPages,
  protectPages,
  touchPages,
  unmapPages,
  usePages,
} from "../workloads/memory.ts";
export { MeasuredPart } from "../workloads/measured-part.ts";
export { oneFlusher } from "../workloads/one-flusher.ts";
export { startSpinners } from "../workloads/spinners.ts";

// Mutations and checkers.
export type { MutatedKernel, Mutation, MutationScenario } from "../catalogue/mutation.ts";
export { MUTATIONS } from "../catalogue/mutations.ts";
export type { Checker, Look, Looks } from "../check/checker.ts";
export { lookAtNothing, lookAtTranslations, nothingToRestore } from "../check/checker.ts";
export type { CheckerFactory } from "../check/checkers.ts";
export type { Invariant, Violation, ViolationLog } from "../check/violation.ts";
export type { KernelEvent, KernelNotice, Moment, Observer } from "../kernel/operation/event.ts";
