// Files of vectors against the emulated machine.

import { BadInput, refuseUnknownKeys } from "../../base/bad-input.ts";
import { readFunction, readInteger, readObject } from "../../base/input.ts";
import { machineEngine } from "../../machine/engine.ts";
import { describeMachine } from "../../presets/describe.ts";
import { presetNamed, type PresetName } from "../../presets/presets.ts";
import { readFiles, RECORDED_VECTORS } from "./read-vectors.ts";
import { explainFailure, type ExplainedFailure } from "./side-by-side.ts";
import { FAILURES_KEPT, type Verification, verifyVectors } from "./verify-vectors.ts";

/** That many can be kept. */
export const MOST_FAILURES = 100_000;

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

const OPTION_NAMES = Object.keys({
  cpu: true,
  failures: true,
  onFailure: true,
} satisfies Record<keyof VerifyFilesOptions, true>);

/**
 * The vectors of all files together, "-" being the standard input; those of the package if none is
 * named. Files in which every record is a skipped one are bad input: nothing was verified.
 */
export async function verify(
  paths: string | readonly string[] = [],
  options: VerifyFilesOptions = {},
): Promise<Verification> {
  const files = readPaths(paths);
  refuseUnknownKeys(readObject("options", options), OPTION_NAMES, "options");
  const { cpu = "skylake-sp", failures = FAILURES_KEPT, onFailure = () => {} } = options;
  readFunction("onFailure", onFailure);
  const boot = machineEngine(describeMachine(presetNamed(cpu), { cores: 1 }));
  const verification = await verifyVectors(boot, readFiles(files), {
    failuresKept: readInteger("failures", failures, { from: 0, to: MOST_FAILURES }),
    onFailure: (failure, vector) => onFailure(explainFailure(boot, vector, failure)),
  });
  if (verification.cases > verification.skipped) return verification;
  const what = `${verification.skipped} skipped, and no other record`;
  throw new BadInput(files.join(", "), what, "name a file with a vector that was recorded");
}

function readPaths(paths: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(paths) ? paths : [paths];
  for (const [index, path] of list.entries()) {
    if (typeof path === "string") continue;
    throw new BadInput(`paths[${index}]`, path, "the path of a file of vectors, or -");
  }
  return list.length === 0 ? [RECORDED_VECTORS] : (list as readonly string[]);
}
