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
export { PageTables, type Mapping } from "./machine/page-table.ts";
export type { MachineStep, MachineWalk } from "./machine/walk-log.ts";
export { describe as describeMachine, type DescribeOptions } from "./presets/describe.ts";
export type { Preset } from "./presets/preset.ts";
export { presets, PRESET_NAMES, type PresetName } from "./presets/presets.ts";

// A kernel on a machine, and what one run of a workload measures.
export { KernelState as Kernel } from "./kernel/kernel.ts";
export { completeConfiguration } from "./experiment/axes.ts";
export type { Configuration, ConfigurationAxis } from "./experiment/configuration.ts";
export { bootKernel, simulate, type Run } from "./experiment/simulate.ts";

// Experiments: configurations and workloads to rows.
export type { ExperimentDefinition, ExperimentPart } from "./experiment/experiment.ts";
export { replay } from "./experiment/replay.ts";
export type {
  ConfidenceInterval,
  Distribution,
  ExperimentResult,
  FlushCounts,
  Measurement,
  Row,
  ViolationReport,
} from "./experiment/result.ts";
export { runExperiment, type ExperimentOptions } from "./experiment/run.ts";
export type { AxisValues } from "./experiment/settings.ts";

// Every interleaving of small scenarios.
export type { Counterexample, ScheduledStep } from "./explore/counterexample.ts";
export {
  carryOut as exploreJob,
  type ExploreResult,
  type Job as ExploreJob,
  type ScenarioResult,
} from "./explore/job.ts";
export { explore, type RunExploreOptions as ExploreOptions } from "./explore/run.ts";
export type { Scenario, Script } from "./explore/scenario.ts";
export { onePage, type Stage } from "./explore/stage.ts";

// What a scenario calls: Linux functions of the small kernel, and the operations below them.
export { Cell } from "./kernel/cell.ts";
export type { Cpu } from "./kernel/cpu.ts";
export { exit, exitMm } from "./kernel/exit.ts";
export { flushKernelRange, flushRange } from "./kernel/flush.ts";
export { returnToUser } from "./kernel/interrupt.ts";
export { kthreadUnuseMm, kthreadUseMm } from "./kernel/kthread.ts";
export {
  lockForReading,
  lockForWriting,
  spinLock,
  spinUnlock,
  unlockForReading,
  unlockForWriting,
} from "./kernel/lock.ts";
export { madviseDontNeed, madviseFree } from "./kernel/madvise.ts";
export { mmdrop, mmget, mmgrab, mmput } from "./kernel/mm-count.ts";
export type { Mm } from "./kernel/mm.ts";
export { munmap } from "./kernel/mmap.ts";
export { mprotect } from "./kernel/mprotect.ts";
export { mremap } from "./kernel/mremap.ts";
export {
  call,
  disableInterrupts,
  enableInterrupts,
  exchangeEntry,
  fence,
  type Kernel as KernelCode,
  kernelAccess,
  load,
  locked,
  note,
  readEntry,
  store,
  waitUntil,
  writeEntry,
} from "./kernel/operation.ts";
export { copyMm } from "./kernel/process.ts";
export { enterKernel, leaveKernel } from "./kernel/pti.ts";
export { reclaim } from "./kernel/reclaim.ts";
export { schedule, wakeUp } from "./kernel/schedule.ts";
export { WHOLE_USER_HALF } from "./kernel/shootdown/protocol.ts";
export { callMany, onEachCpu, waitForCalls } from "./kernel/smp.ts";
export type { Task } from "./kernel/task.ts";
export { preemptVcpu } from "./kernel/vcpu.ts";
export { vfree, vmalloc, VMALLOC_START } from "./kernel/vmalloc.ts";
export { ACCESSED, DIRTY, PRESENT, WRITABLE } from "./machine/page-table.ts";

// Recorded vectors of paging against the machine.
export type { ExplainedFailure } from "./validate/vectors/side-by-side.ts";
export type { Verification, VectorFailure } from "./validate/vectors/verify.ts";
export { verify, type VerifyFilesOptions } from "./validate/vectors/verify-files.ts";
