// The package's public face: everything that `import ... from "shootdown"` gives, and nothing else.

export { BadInput } from "./base/bad-input.ts";
export type { Verdict } from "./base/verdict.ts";
export { presets, PRESET_NAMES, type PresetName } from "./presets/presets.ts";
export type { Preset } from "./presets/preset.ts";
export type { Configuration, ConfigurationAxis } from "./experiment/configuration.ts";
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
