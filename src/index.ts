// The package's public face: everything that `import ... from "shootdown"` gives, and nothing else.

// Addresses and errors.
export {
  frameNumber,
  pageOf,
  virtualAddress,
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
export { describeMachine, type DescribeOptions } from "./presets/describe.ts";
export type { Preset } from "./presets/preset.ts";
export { presets, PRESET_NAMES, type PresetName } from "./presets/presets.ts";

// What one run of a workload measures.
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
export { IncompleteExperiment } from "./experiment/incomplete.ts";
export { runExperiment, type ExperimentOptions } from "./experiment/run-experiment.ts";
export type { AxisValues } from "./experiment/settings.ts";

// Kernel code, and every interleaving of small scenarios. Code of one's own imports from
// "shootdown/kernel" and "shootdown/explore"; the names are here too, for a script that needs some
// of everything.
export * from "./faces/kernel.ts";
export * from "./faces/explore.ts";

// Recorded vectors of paging against the machine.
export type { ExplainedFailure } from "./verify/vectors/side-by-side.ts";
export type { Verification, VectorFailure } from "./verify/vectors/verify-vectors.ts";
export { verify, type VerifyFilesOptions } from "./verify/vectors/verify-files.ts";
