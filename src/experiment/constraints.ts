// Which combinations of axis values no machine can have, and why.

import type { ShootdownProtocol } from "../kernel/shootdown/protocol.ts";
import { protocols } from "../kernel/shootdown/protocols.ts";
import { presetNamed, type PresetName } from "../presets/presets.ts";
import type { Configuration, ConfigurationAxis } from "./configuration.ts";

/** Whether the CPU enumerates PCID (CPUID.01H:ECX[17]). */
export function hasPcid(cpu: PresetName): boolean {
  return presetNamed(cpu).features.pcid.value;
}

export interface Conflict {
  /** The axis to change, and what its value does not go with. */
  readonly axis: ConfigurationAxis;
  readonly against: ConfigurationAxis;
  readonly reason: string;
}

/** Why this configuration cannot be, or undefined where it can. */
export function conflictIn(configuration: Configuration): Conflict | undefined {
  const { cpu, pcid, invlpgb, protocol } = configuration;
  if (pcid && !hasPcid(cpu)) return { axis: "pcid", against: "cpu", reason: `${cpu} has no PCID` };
  if (!invlpgb) return undefined;
  const against = (other: ConfigurationAxis, reason: string): Conflict => {
    return { axis: "invlpgb", against: other, reason };
  };
  if (presetNamed(cpu).broadcast === undefined) return against("cpu", `${cpu} has no INVLPGB`);
  if (!pcid) return against("pcid", "INVLPGB is of use only with PCID");
  const { usesInvlpgb = false }: ShootdownProtocol = protocols[protocol];
  return usesInvlpgb ? undefined : against("protocol", `${protocol} knows no INVLPGB`);
}
