// Which combinations of axis values are refused, and why: a list of rules, of which the first that
// applies is the reason. docs/protocols/combinations.md lists them; `npm run docs:protocols` writes
// that page.

import type { Catalogue } from "../catalogue/catalogue.ts";
import { BUILT_IN, entryIn } from "../catalogue/catalogue.ts";
import { XAPIC_CPUS } from "../kernel/cpu/icr.ts";
import type { LazyTraits } from "../kernel/state/lazy-policy.ts";
import type { ProtocolTraits } from "../kernel/state/protocol-traits.ts";
import type { Preset } from "../presets/preset.ts";
import type { Configuration, ConfigurationAxis } from "./configuration.ts";
import { isTooManyGigabytes, isTooManyPages } from "./memory-room.ts";

/** Whether the CPU enumerates PCID (CPUID.01H:ECX[17]). */
export const hasPcid = (catalogue: Catalogue, cpu: string): boolean =>
  entryIn(catalogue, "cpus", cpu).features.pcid.value;

/** Whether it enumerates INVPCID (CPUID.07H:EBX[10]). */
export const hasInvpcid = (catalogue: Catalogue, cpu: string): boolean =>
  entryIn(catalogue, "cpus", cpu).features.invpcid.value;

/** Whether the protocol makes use of CR4.PCIDE: Linux since 4.14. */
export const knowsPcid = (catalogue: Catalogue, protocol: string | undefined): boolean =>
  protocol === undefined || entryIn(catalogue, "protocols", protocol).traits.pcid !== "none";

/** Whether kernels of the protocol's time have per-VMA locks: Linux since 6.4. */
export const hasVmaLocks = (catalogue: Catalogue, protocol: string | undefined): boolean =>
  protocol !== undefined && entryIn(catalogue, "protocols", protocol).traits.vmaLocks;

/** Whether the protocol is for guests without MWAIT: KVM's since Linux 5.18. */
export const hasMwait = (catalogue: Catalogue, protocol: string | undefined): boolean =>
  protocol === undefined ||
  entryIn(catalogue, "protocols", protocol).traits.host !== "kvm-without-mwait";

const MWAIT_STATES = ["mwait", "c6"];

/**
 * Why a run would be worth nothing. absent: the machine or the kernel has nothing to do it with.
 * unused: the rows would be those of another value. breaks: a checker finds a violation, in a
 * workload or in some order that the explorer tries.
 */
type Kind = "absent" | "unused" | "breaks";

export interface Rule {
  /** The axis to change, and what its value does not go with. */
  readonly axis: ConfigurationAxis;
  readonly against: ConfigurationAxis;
  readonly kind: Kind;
  /** {lazyTlb} stands for the value of that axis, and so on. */
  readonly why: string;
  refuses(combination: Combination): boolean;
}

/** A configuration, and what its names stand for. */
export interface Combination extends Configuration {
  readonly preset: Preset;
  readonly traits: ProtocolTraits;
  readonly policy: LazyTraits;
}

const isGuest = ({ traits }: Combination): boolean => traits.host !== "none";

/** x86 leaves the mm that core code names, as before loaded_mm. */
const leavesActiveMm = ({ traits }: Combination): boolean => traits.switchesFrom === "active_mm";

const FEATURES: readonly Rule[] = [
  {
    axis: "pcid",
    against: "cpu",
    kind: "absent",
    why: "{cpu} has no PCID",
    refuses: ({ pcid, preset }) => pcid && !preset.features.pcid.value,
  },
  {
    axis: "invpcid",
    against: "cpu",
    kind: "absent",
    why: "{cpu} has no INVPCID",
    refuses: ({ invpcid, preset }) => invpcid === true && !preset.features.invpcid.value,
  },
  {
    axis: "pcid",
    against: "protocol",
    kind: "unused",
    why: "{protocol} knows no PCID: each of its switches empties the TLB",
    refuses: ({ pcid, traits }) => pcid && traits.pcid === "none",
  },
  {
    axis: "protocol",
    against: "pcid",
    kind: "absent",
    why: "what {protocol} puts into the TLB survives MOV CR3 by bit 63 alone, which is PCID's",
    refuses: ({ pcid, traits }) => !pcid && traits.pcid === "required",
  },
  {
    axis: "pti",
    against: "protocol",
    kind: "absent",
    why: "{protocol} knows no page-table isolation: no root for user mode is ever loaded",
    refuses: ({ pti, traits }) => pti === true && traits.isolation === "none",
  },
  {
    axis: "pti",
    against: "protocol",
    kind: "breaks",
    why: "{protocol} flushes no user PCIDs, of which there are none with pcid=false",
    refuses: ({ pti, pcid, traits }) => pti === true && pcid && traits.isolation === "kernel-pcids",
  },
  {
    axis: "idle",
    against: "cpu",
    kind: "absent",
    why: "{cpu} has no figure for a state that loses the TLB",
    refuses: ({ idle, preset }) => idle === "c6" && preset.idle.c6Exit === undefined,
  },
  {
    axis: "idle",
    against: "protocol",
    kind: "absent",
    why: "a guest that has MWAIT does not flush by {protocol}",
    refuses: ({ idle, traits }) =>
      traits.host === "kvm-without-mwait" && MWAIT_STATES.includes(idle),
  },
  {
    axis: "x2apic",
    against: "cores",
    kind: "absent",
    why: `an xAPIC has ids of 8 bits, for ${XAPIC_CPUS} CPUs`,
    refuses: ({ x2apic, cores }) => x2apic === "off" && cores > XAPIC_CPUS,
  },
  {
    axis: "pages",
    against: "pageSize",
    kind: "absent",
    why: "{pages} pages of {pageSize} on {cores} cores are more than {cpu} has addresses for",
    refuses: isTooManyGigabytes,
  },
  {
    axis: "pages",
    against: "cores",
    kind: "absent",
    why: "{pages} pages for each of {cores} cores are more than mmap finds addresses for, 1 TiB",
    refuses: isTooManyPages,
  },
  {
    axis: "protocol",
    against: "cpu",
    kind: "absent",
    why: "{protocol} is Intel's, {cpu} is not",
    refuses: ({ traits, preset }) => traits.vendor === "Intel" && preset.vendor !== "Intel",
  },
];

/** Why a lazy-TLB policy does not go with a protocol. */
const POLICIES: readonly Rule[] = [
  {
    axis: "lazyTlb",
    against: "protocol",
    kind: "absent",
    why: "since 4.14 x86 goes by loaded_mm, and no kernel had both that and {lazyTlb}",
    refuses: (one) => one.policy.era === "active_mm" && !leavesActiveMm(one),
  },
  {
    axis: "lazyTlb",
    against: "protocol",
    kind: "breaks",
    why: "{protocol} must be told what it leaves; {lazyTlb} does not",
    refuses: (one) => leavesActiveMm(one) && one.policy.previousMm === "unnamed",
  },
  {
    axis: "lazyTlb",
    against: "protocol",
    kind: "breaks",
    why: "{lazyTlb} relies on the interrupt of exit_mmap, which {protocol} may not send",
    refuses: (one) => isGuest(one) && one.policy.aliveBy === "exit-flush",
  },
  {
    axis: "lazyTlb",
    against: "protocol",
    kind: "breaks",
    why: "{lazyTlb} relies on exit_mmap to move lazy CPUs, which {protocol} does not",
    refuses: ({ policy, traits }) =>
      traits.freedTables === "leave-lazy-cpus" && policy.aliveBy === "exit-flush",
  },
  {
    axis: "lazyTlb",
    against: "protocol",
    kind: "breaks",
    why: "{protocol} needs active_mm as it was; {lazyTlb} changes it in an interrupt",
    refuses: (one) => leavesActiveMm(one) && one.policy.aliveBy === "mask",
  },
  {
    axis: "lazyTlb",
    against: "protocol",
    kind: "breaks",
    why:
      "with PCID a lazy CPU is not in mm_cpumask under {protocol}, and there {lazyTlb} looks " +
      "for it",
    refuses: ({ policy, traits, pcid }) =>
      traits.lazyWithPcid === "leaves" && pcid && policy.aliveBy === "mask",
  },
];

/** Why INVLPGB cannot be used, or what does not go with it. */
const BROADCASTS: readonly Rule[] = [
  {
    axis: "invlpgb",
    against: "cpu",
    kind: "absent",
    why: "{cpu} has no INVLPGB",
    refuses: ({ invlpgb, preset }) => invlpgb && preset.broadcast === undefined,
  },
  {
    axis: "invlpgb",
    against: "pcid",
    kind: "absent",
    why: "INVLPGB is of use only with PCID: a global ASID is one",
    refuses: ({ invlpgb, pcid }) => invlpgb && !pcid,
  },
  {
    axis: "invlpgb",
    against: "protocol",
    kind: "absent",
    why: "{protocol} is a guest, which KVM gives no INVLPGB",
    refuses: (one) => one.invlpgb && isGuest(one),
  },
  {
    axis: "invlpgb",
    against: "protocol",
    kind: "unused",
    why: "{protocol} knows no INVLPGB",
    refuses: (one) => one.invlpgb && !isGuest(one) && one.traits.invlpgb === "unknown",
  },
  {
    axis: "invlpgb",
    against: "pti",
    kind: "breaks",
    why: "broadcasts of user PCIDs are not modelled",
    refuses: ({ invlpgb, pti }) => invlpgb && pti === true,
  },
  {
    axis: "lazyTlb",
    against: "invlpgb",
    kind: "breaks",
    why: "{lazyTlb} relies on exit_mmap to move lazy CPUs, which a broadcast does not",
    refuses: ({ invlpgb, policy }) => invlpgb && policy.aliveBy === "exit-flush",
  },
];

export const RULES: readonly Rule[] = [...FEATURES, ...POLICIES, ...BROADCASTS];

/** Those of what there is nothing to do it with. */
export const ABSENCES: readonly Rule[] = RULES.filter(({ kind }) => kind === "absent");

export interface Conflict extends Pick<Rule, "axis" | "against"> {
  readonly reason: string;
}

/** What the names of a configuration stand for. */
export function combinationOf(
  configuration: Configuration,
  catalogue: Catalogue = BUILT_IN,
): Combination {
  const { cpu, protocol, lazyTlb } = configuration;
  return {
    ...configuration,
    preset: entryIn(catalogue, "cpus", cpu),
    traits: entryIn(catalogue, "protocols", protocol).traits,
    policy: entryIn(catalogue, "policies", lazyTlb).traits,
  };
}

/** Why this configuration cannot be, by one of the rules, or undefined where it can. */
export function conflictIn(
  configuration: Configuration,
  catalogue: Catalogue = BUILT_IN,
  rules: readonly Rule[] = RULES,
): Conflict | undefined {
  const combination = combinationOf(configuration, catalogue);
  const rule = rules.find((one) => one.refuses(combination));
  if (rule === undefined) return undefined;
  const { axis, against } = rule;
  return { axis, against, reason: filled(rule, (name) => String(configuration[name])) };
}

/** The reason with words in place of its axes. */
export function filled({ why }: Rule, words: (axis: ConfigurationAxis) => string): string {
  return why.replaceAll(/\{(\w+)\}/g, (_, axis: ConfigurationAxis) => words(axis));
}
