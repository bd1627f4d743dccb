// Which combinations of axis values no machine can have, and why.

import { presetNamed, type PresetName } from "../presets/presets.ts";
import type { Configuration } from "./configuration.ts";

/** Whether the CPU enumerates PCID (CPUID.01H:ECX[17]). */
export function hasPcid(cpu: PresetName): boolean {
  return presetNamed(cpu).features.pcid.value;
}

/** Why this configuration cannot be, or undefined where it can. */
export function whyImpossible(configuration: Configuration): string | undefined {
  const { cpu, pcid } = configuration;
  if (pcid && !hasPcid(cpu)) return `${cpu} has no PCID`;
  return undefined;
}
