// Files of vectors against the emulated machine.

import { machineEngine } from "../../machine/engine.ts";
import { describeMachine } from "../../presets/describe.ts";
import { presetNamed, type PresetName } from "../../presets/presets.ts";
import { readFiles, RECORDED_VECTORS } from "./read-vectors.ts";
import { explainFailure, type ExplainedFailure } from "./side-by-side.ts";
import { type Verification, verifyVectors } from "./verify-vectors.ts";

export interface VerifyFilesOptions {
  /**
   * The CPU whose TLBs and caches the machine has, "skylake-sp" unless given. What CPUID tells of
   * paging is in the vectors.
   */
  readonly cpu?: PresetName;
  /** How many failures to keep, 10 unless given; all are counted. */
  readonly failures?: number;
  /** Called for each failure that is kept, with what machine and reference model made of it. */
  readonly onFailure?: (explained: ExplainedFailure) => void;
}

/** The vectors of all files together, "-" being the standard input; those of the package if none
 *  is named. */
export async function verify(
  paths: string | readonly string[] = [],
  { cpu = "skylake-sp", failures, onFailure }: VerifyFilesOptions = {},
): Promise<Verification> {
  const named = typeof paths === "string" ? [paths] : paths;
  const boot = machineEngine(describeMachine(presetNamed(cpu), { cores: 1 }));
  return verifyVectors(boot, readFiles(named.length === 0 ? [RECORDED_VECTORS] : named), {
    ...(failures !== undefined && { failuresKept: failures }),
    onFailure: (failure, vector) => onFailure?.(explainFailure(boot, vector, failure)),
  });
}
