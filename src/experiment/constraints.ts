// Which combinations of axis values no machine or no kernel can have, and why.

import { XAPIC_CPUS } from "../kernel/apic.ts";
import type { LazyPolicyName } from "../kernel/lazy/policies.ts";
import type { ShootdownProtocol } from "../kernel/shootdown/protocol.ts";
import { PASSING_OVER } from "../kernel/shootdown/kvm-pv.ts";
import { type ProtocolName, protocols } from "../kernel/shootdown/protocols.ts";
import { presetNamed, type PresetName } from "../presets/presets.ts";
import type { Configuration, ConfigurationAxis } from "./configuration.ts";
import { whyTooManyGigabytes } from "./gigantic-memory.ts";

/** Whether the CPU enumerates PCID (CPUID.01H:ECX[17]). */
export function hasPcid(cpu: PresetName): boolean {
  return presetNamed(cpu).features.pcid.value;
}

/** Whether it enumerates INVPCID (CPUID.07H:EBX[10]). */
export function hasInvpcid(cpu: PresetName): boolean {
  return presetNamed(cpu).features.invpcid.value;
}

/** Whether the protocol can run with CR4.PCIDE and page-table isolation: Linux since 4.14, 4.15. */
export function knowsPcid(protocol: ProtocolName | undefined): boolean {
  if (protocol === undefined) return true;
  return (protocols[protocol] as ShootdownProtocol).knowsPcid !== false;
}

/** Whether kernels of the protocol's time have per-VMA locks: Linux since 6.4. */
export function hasVmaLocks(protocol: ProtocolName | undefined): boolean {
  if (protocol === undefined) return false;
  return (protocols[protocol] as ShootdownProtocol).hasVmaLocks === true;
}

/** Whether it can run with page-table isolation. */
function knowsPti(protocol: ProtocolName): boolean {
  return knowsPcid(protocol) && (protocols[protocol] as ShootdownProtocol).knowsPti !== false;
}

export interface Conflict {
  /** The axis to change, and what its value does not go with. */
  readonly axis: ConfigurationAxis;
  readonly against: ConfigurationAxis;
  readonly reason: string;
}

/** Before loaded_mm x86 left the mm that core code named: these policies name none. */
const WITHOUT_PREV: readonly LazyPolicyName[] = ["null-prev", "fewer-parameters"];

/**
 * These move active_mm to init_mm from an interrupt, and find lazy users by their bit in
 * mm_cpumask.
 */
const BY_MASK: readonly LazyPolicyName[] = ["shoot-lazies", "exit-unlazy", "hazard-pointer"];

/** Nothing but the flush of exit_mmap makes a lazy CPU leave an mm that goes. */
const RELIES_ON_FLUSH: readonly LazyPolicyName[] = WITHOUT_PREV;

/** Why this configuration cannot be, or undefined where it can. */
export function conflictIn(configuration: Configuration): Conflict | undefined {
  const { cpu, pcid, invpcid, protocol } = configuration;
  if (pcid && !hasPcid(cpu)) return { axis: "pcid", against: "cpu", reason: `${cpu} has no PCID` };
  if (invpcid === true && !hasInvpcid(cpu)) {
    return { axis: "invpcid", against: "cpu", reason: `${cpu} has no INVPCID` };
  }
  if (pcid && !knowsPcid(protocol)) {
    const reason = `${protocol} knows no PCID`;
    return { axis: "pcid", against: "protocol", reason };
  }
  if (configuration.pti === true && !knowsPti(protocol)) {
    const reason = `${protocol} knows no page-table isolation`;
    return { axis: "pti", against: "protocol", reason };
  }
  if (configuration.idle === "c6" && presetNamed(cpu).idle.c6Exit === undefined) {
    const reason = `${cpu} has no figure for a state that loses the TLB`;
    return { axis: "idle", against: "cpu", reason };
  }
  if (configuration.x2apic === "off" && configuration.cores > XAPIC_CPUS) {
    const reason = `an xAPIC has ids of 8 bits, for ${XAPIC_CPUS} CPUs`;
    return { axis: "x2apic", against: "cores", reason };
  }
  if (protocol === "rar" && presetNamed(cpu).vendor === "AMD") {
    return { axis: "protocol", against: "cpu", reason: `RAR is Intel's, ${cpu} is not` };
  }
  const { needsPcid }: ShootdownProtocol = protocols[protocol];
  if (!pcid && needsPcid !== undefined) {
    return { axis: "protocol", against: "pcid", reason: `${protocol} needs PCID: ${needsPcid}` };
  }
  const tooMany = whyTooManyGigabytes(configuration);
  if (tooMany !== undefined) return { axis: "pages", against: "pageSize", reason: tooMany };
  const reason = whyNotTogether(configuration);
  if (reason !== undefined) return { axis: "lazyTlb", against: "protocol", reason };
  return configuration.invlpgb ? conflictOfInvlpgb(configuration) : undefined;
}

/** Why INVLPGB cannot be used. */
function conflictOfInvlpgb({ cpu, pcid, pti, protocol }: Configuration): Conflict | undefined {
  const against = (other: ConfigurationAxis, reason: string): Conflict => {
    return { axis: "invlpgb", against: other, reason };
  };
  if (presetNamed(cpu).broadcast === undefined) return against("cpu", `${cpu} has no INVLPGB`);
  if (!pcid) return against("pcid", "INVLPGB is of use only with PCID");
  if (pti === true) return against("pti", "broadcasts of user PCIDs are not modelled");
  const { usesInvlpgb = false }: ShootdownProtocol = protocols[protocol];
  return usesInvlpgb ? undefined : against("protocol", `${protocol} knows no INVLPGB`);
}

/** Why the lazy-TLB policy does not go with the protocol. */
function whyNotTogether({ lazyTlb, protocol, pcid }: Configuration): string | undefined {
  const { endsLazyUse = true, leavesActiveMm = false }: ShootdownProtocol = protocols[protocol];
  if (lazyTlb === "pre-4.15" && !leavesActiveMm) {
    return `${lazyTlb} is for linux-4.8; since 4.14 x86 has loaded_mm`;
  }
  if (leavesActiveMm && WITHOUT_PREV.includes(lazyTlb)) {
    return `${protocol} must be told what it leaves; ${lazyTlb} does not`;
  }
  if (PASSING_OVER.some((name) => name === protocol) && RELIES_ON_FLUSH.includes(lazyTlb)) {
    return `${lazyTlb} relies on the interrupt of exit_mmap, which ${protocol} may not send`;
  }
  if (!endsLazyUse && RELIES_ON_FLUSH.includes(lazyTlb)) {
    return `${lazyTlb} relies on exit_mmap to move lazy CPUs, which ${protocol} does not`;
  }
  if (leavesActiveMm && BY_MASK.includes(lazyTlb)) {
    return `${protocol} needs active_mm as it was; ${lazyTlb} changes it in an interrupt`;
  }
  if (protocol === "linux-4.15" && pcid && BY_MASK.includes(lazyTlb)) {
    const where = `with PCID a lazy CPU is not in mm_cpumask under ${protocol}`;
    return `${where}, and there ${lazyTlb} looks for it`;
  }
  return undefined;
}
