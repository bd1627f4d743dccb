// The package's public face: everything that `import ... from "shootdown"` gives, and nothing else.

// Addresses and errors.
export {
  addressOfPage,
  frameNumber,
  pageNumber,
  pageOf,
  virtualAddress,
  type FrameNumber,
  type PageNumber,
  type PhysicalAddress,
  type VirtualAddress,
} from "./base/address.ts";
export type * from "./base/architecture.ts";
export { BadInput } from "./base/bad-input.ts";
export type { Verdict } from "./base/verdict.ts";

// A machine: cores, TLBs, page walks and their cycles, without a kernel.
export type { MachineDescription } from "./machine/description.ts";
export type { AccessResult, MachineAccess } from "./machine/access.ts";
export { explainAccess, type AccessExplanation } from "./machine/explain.ts";
export { Machine } from "./machine/machine.ts";
export {
  PageTables,
  type Mapping,
  ACCESSED,
  DIRTY,
  PRESENT,
  WRITABLE,
} from "./machine/page-table.ts";
export type { MachineStep, MachineWalk } from "./machine/walk-log.ts";
export { describe as describeMachine, type DescribeOptions } from "./presets/describe.ts";
export type { Preset } from "./presets/preset.ts";
export { presets, PRESET_NAMES, type PresetName } from "./presets/presets.ts";

// A kernel on a machine, and what one run of a workload measures.
export { Kernel } from "./kernel/state/kernel.ts";
export { completeConfiguration } from "./experiment/axes.ts";
export type { Configuration, ConfigurationAxis, Run } from "./experiment/configuration.ts";
export { bootKernel, simulate } from "./experiment/simulate.ts";

// Experiments: configurations and workloads to rows.
export type { ExperimentDefinition, ExperimentPart } from "./experiment/experiment.ts";
export { replay } from "./experiment/replay-traces.ts";
export type {
  ConfidenceInterval,
  Distribution,
  ExperimentResult,
  FlushCounts,
  Measurement,
  Row,
  ViolationReport,
} from "./experiment/result.ts";
export { runExperiment, type ExperimentOptions } from "./experiment/run-experiment.ts";
export type { AxisValues } from "./experiment/settings.ts";

// Every interleaving of small scenarios.
export type { Counterexample, ScheduledStep } from "./explore/counterexample.ts";
export { type ExploreJob } from "./explore/explore-job.ts";
export { exploreJob, type ExploreResult, type ScenarioResult } from "./explore/scenario-result.ts";
export { explore, type ExploreOptions } from "./explore/explore.ts";
export type { Scenario, Script } from "./explore/scenarios/scenario.ts";
export { onePage, type Stage } from "./explore/scenarios/stage.ts";

// What a scenario calls: Linux functions of the small kernel, and the operations below them.
export { Cell } from "./kernel/operation/cell.ts";
export type { Cpu } from "./kernel/state/cpu.ts";
export { exit, exitMm } from "./kernel/process/exit.ts";
export { flushKernelRange, flushRange } from "./kernel/memory/flush.ts";
export { returnToUser } from "./kernel/cpu/interrupt.ts";
export { kthreadUnuseMm, kthreadUseMm } from "./kernel/process/kthread.ts";
export {
  lockForReading,
  lockForWriting,
  spinLock,
  spinUnlock,
  unlockForReading,
  unlockForWriting,
} from "./kernel/locking/lock.ts";
export { madviseDontNeed, madviseFree } from "./kernel/memory/madvise.ts";
export { mmdrop, mmget, mmgrab, mmput } from "./kernel/memory/mm-count.ts";
export { type Mm, WHOLE_USER_HALF } from "./kernel/state/mm.ts";
export { munmap } from "./kernel/memory/mmap.ts";
export { mprotect } from "./kernel/memory/mprotect.ts";
export { mremap } from "./kernel/memory/mremap.ts";
export {
  call,
  disableInterrupts,
  enableInterrupts,
  exchangeEntry,
  fence,
  type KernelCode,
  kernelAccess,
  load,
  locked,
  note,
  readEntry,
  store,
  waitUntil,
  writeEntry,
} from "./kernel/operation/operation.ts";
export { copyMm } from "./kernel/process/fork.ts";
export { enterKernel, leaveKernel } from "./kernel/cpu/pti.ts";
export { reclaim } from "./kernel/memory/reclaim.ts";
export { schedule, wakeUp } from "./kernel/cpu/schedule.ts";
export { callMany, onEachCpu, waitForCalls } from "./kernel/cpu/smp.ts";
export type { Task } from "./kernel/state/task.ts";
export { preemptVcpu } from "./kernel/operation/vcpu-operation.ts";
export { vfree, vmalloc, VMALLOC_START } from "./kernel/memory/vmalloc.ts";

// Recorded vectors of paging against the machine.
export type { ExplainedFailure } from "./verify/vectors/side-by-side.ts";
export type { Verification, VectorFailure } from "./verify/vectors/verify-vectors.ts";
export { verify, type VerifyFilesOptions } from "./verify/vectors/verify-files.ts";
