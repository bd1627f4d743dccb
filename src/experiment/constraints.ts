// Which combinations of axis values no machine can have, and why.

import { presetNamed, type PresetName } from "../presets/presets.ts";
import type { Configuration, ConfigurationAxis } from "./configuration.ts";

/** Whether the CPU enumerates PCID (CPUID.01H:ECX[17]). */
export function hasPcid(cpu: PresetName): boolean {
  return presetNamed(cpu).features.pcid.value;
}

/** Whether it enumerates INVPCID (CPUID.07H:EBX[10]). */
export function hasInvpcid(cpu: PresetName): boolean {
  return presetNamed(cpu).features.invpcid.value;
}

export interface Conflict {
  /** The axis to change, and what its value does not go with. */
  readonly axis: ConfigurationAxis;
  readonly against: ConfigurationAxis;
  readonly reason: string;
}

/** Why this configuration cannot be, or undefined where it can. */
export function conflictIn({ cpu, pcid, invpcid }: Configuration): Conflict | undefined {
  if (pcid && !hasPcid(cpu)) return { axis: "pcid", against: "cpu", reason: `${cpu} has no PCID` };
  if (invpcid === true && !hasInvpcid(cpu)) {
    return { axis: "invpcid", against: "cpu", reason: `${cpu} has no INVPCID` };
  }
  return undefined;
}
