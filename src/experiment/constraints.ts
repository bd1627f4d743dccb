// Which combinations of axis values no machine can have, and why.

import type { LazyPolicyName } from "../kernel/lazy/policies.ts";
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

/** Nothing but the flush of exit_mmap makes a lazy CPU leave an mm that goes. */
const RELIES_ON_FLUSH: readonly LazyPolicyName[] = ["null-prev", "fewer-parameters"];

/** Why this configuration cannot be, or undefined where it can. */
export function conflictIn(configuration: Configuration): Conflict | undefined {
  const { cpu, pcid, protocol, lazyTlb } = configuration;
  if (pcid && !hasPcid(cpu)) return { axis: "pcid", against: "cpu", reason: `${cpu} has no PCID` };
  if (protocol === "kvm-pv" && RELIES_ON_FLUSH.includes(lazyTlb)) {
    const reason = `${lazyTlb} relies on the interrupt of exit_mmap, which kvm-pv may not send`;
    return { axis: "lazyTlb", against: "protocol", reason };
  }
  return undefined;
}
