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
export type { Stage } from "./explore/stage.ts";

// Recorded vectors of paging against the machine.
export type { ExplainedFailure } from "./validate/vectors/side-by-side.ts";
export type { Verification, VectorFailure } from "./validate/vectors/verify.ts";
export { verify, type VerifyFilesOptions } from "./validate/vectors/verify-files.ts";
