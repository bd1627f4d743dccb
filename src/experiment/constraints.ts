// Which combinations of axis values are refused, and why: a list of rules, of which the first that
// applies is the reason. docs/protocols/combinations.md lists them; `npm run docs:protocols` writes
// that page.

import { XAPIC_CPUS } from "../kernel/apic.ts";
import type { LazyPolicyName } from "../kernel/lazy/policies.ts";
import type { ShootdownProtocol } from "../kernel/shootdown/protocol.ts";
import { PASSING_OVER } from "../kernel/shootdown/kvm-pv.ts";
import { type ProtocolName, protocols } from "../kernel/shootdown/protocols.ts";
import { presetNamed, type PresetName } from "../presets/presets.ts";
import type { Configuration, ConfigurationAxis } from "./configuration.ts";
import { isTooManyGigabytes } from "./gigantic-memory.ts";

/** Whether the CPU enumerates PCID (CPUID.01H:ECX[17]). */
export function hasPcid(cpu: PresetName): boolean {
  return presetNamed(cpu).features.pcid.value;
}

/** Whether it enumerates INVPCID (CPUID.07H:EBX[10]). */
export function hasInvpcid(cpu: PresetName): boolean {
  return presetNamed(cpu).features.invpcid.value;
}

/** Whether the protocol makes use of CR4.PCIDE: Linux since 4.14. */
export function knowsPcid(protocol: ProtocolName | undefined): boolean {
  if (protocol === undefined) return true;
  return (protocols[protocol] as ShootdownProtocol).knowsPcid !== false;
}

/** Whether kernels of the protocol's time have per-VMA locks: Linux since 6.4. */
export function hasVmaLocks(protocol: ProtocolName | undefined): boolean {
  if (protocol === undefined) return false;
  return (protocols[protocol] as ShootdownProtocol).hasVmaLocks === true;
}

const of = (protocol: ProtocolName): ShootdownProtocol => protocols[protocol];

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
  refuses(configuration: Configuration): boolean;
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

const isGuest = ({ protocol }: Configuration): boolean =>
  PASSING_OVER.some((name) => name === protocol);

const broadcasts = ({ protocol }: Configuration): boolean => of(protocol).usesInvlpgb === true;

const leavesActiveMm = (protocol: ProtocolName): boolean => of(protocol).leavesActiveMm === true;

const FEATURES: readonly Rule[] = [
  {
    axis: "pcid",
    against: "cpu",
    kind: "absent",
    why: "{cpu} has no PCID",
    refuses: ({ pcid, cpu }) => pcid && !hasPcid(cpu),
  },
  {
    axis: "invpcid",
    against: "cpu",
    kind: "absent",
    why: "{cpu} has no INVPCID",
    refuses: ({ invpcid, cpu }) => invpcid === true && !hasInvpcid(cpu),
  },
  {
    axis: "pcid",
    against: "protocol",
    kind: "unused",
    why: "{protocol} knows no PCID: each of its switches empties the TLB",
    refuses: ({ pcid, protocol }) => pcid && !knowsPcid(protocol),
  },
  {
    axis: "protocol",
    against: "pcid",
    kind: "absent",
    why: "what {protocol} puts into the TLB survives MOV CR3 by bit 63 alone, which is PCID's",
    refuses: ({ pcid, protocol }) => !pcid && of(protocol).needsPcid === true,
  },
  {
    axis: "pti",
    against: "protocol",
    kind: "absent",
    why: "{protocol} knows no page-table isolation: no root for user mode is ever loaded",
    refuses: ({ pti, protocol }) => pti === true && of(protocol).knowsPti === false,
  },
  {
    axis: "pti",
    against: "protocol",
    kind: "breaks",
    why: "{protocol} flushes no user PCIDs, of which there are none with pcid=false",
    refuses: ({ pti, pcid, protocol }) =>
      pti === true && pcid && of(protocol).knowsUserPcids === false,
  },
  {
    axis: "idle",
    against: "cpu",
    kind: "absent",
    why: "{cpu} has no figure for a state that loses the TLB",
    refuses: ({ idle, cpu }) => idle === "c6" && presetNamed(cpu).idle.c6Exit === undefined,
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
    axis: "protocol",
    against: "cpu",
    kind: "absent",
    why: "RAR is Intel's, {cpu} is not",
    refuses: ({ protocol, cpu }) => protocol === "rar" && presetNamed(cpu).vendor === "AMD",
  },
];

/** Why a lazy-TLB policy does not go with a protocol. */
const POLICIES: readonly Rule[] = [
  {
    axis: "lazyTlb",
    against: "protocol",
    kind: "absent",
    why: "since 4.14 x86 goes by loaded_mm, and no kernel had both that and {lazyTlb}",
    refuses: ({ lazyTlb, protocol }) => lazyTlb === "pre-4.15" && !leavesActiveMm(protocol),
  },
  {
    axis: "lazyTlb",
    against: "protocol",
    kind: "breaks",
    why: "{protocol} must be told what it leaves; {lazyTlb} does not",
    refuses: ({ lazyTlb, protocol }) => leavesActiveMm(protocol) && WITHOUT_PREV.includes(lazyTlb),
  },
  {
    axis: "lazyTlb",
    against: "protocol",
    kind: "breaks",
    why: "{lazyTlb} relies on the interrupt of exit_mmap, which {protocol} may not send",
    refuses: (configuration) =>
      isGuest(configuration) && RELIES_ON_FLUSH.includes(configuration.lazyTlb),
  },
  {
    axis: "lazyTlb",
    against: "protocol",
    kind: "breaks",
    why: "{lazyTlb} relies on exit_mmap to move lazy CPUs, which {protocol} does not",
    refuses: ({ lazyTlb, protocol }) =>
      of(protocol).endsLazyUse === false && RELIES_ON_FLUSH.includes(lazyTlb),
  },
  {
    axis: "lazyTlb",
    against: "protocol",
    kind: "breaks",
    why: "{protocol} needs active_mm as it was; {lazyTlb} changes it in an interrupt",
    refuses: ({ lazyTlb, protocol }) => leavesActiveMm(protocol) && BY_MASK.includes(lazyTlb),
  },
  {
    axis: "lazyTlb",
    against: "protocol",
    kind: "breaks",
    why:
      "with PCID a lazy CPU is not in mm_cpumask under {protocol}, and there {lazyTlb} looks " +
      "for it",
    refuses: ({ lazyTlb, protocol, pcid }) =>
      protocol === "linux-4.15" && pcid && BY_MASK.includes(lazyTlb),
  },
];

/** Why INVLPGB cannot be used, or what does not go with it. */
const BROADCASTS: readonly Rule[] = [
  {
    axis: "invlpgb",
    against: "cpu",
    kind: "absent",
    why: "{cpu} has no INVLPGB",
    refuses: ({ invlpgb, cpu }) => invlpgb && presetNamed(cpu).broadcast === undefined,
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
    refuses: (configuration) => configuration.invlpgb && isGuest(configuration),
  },
  {
    axis: "invlpgb",
    against: "protocol",
    kind: "unused",
    why: "{protocol} knows no INVLPGB",
    refuses: (configuration) =>
      configuration.invlpgb && !isGuest(configuration) && !broadcasts(configuration),
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
    refuses: ({ invlpgb, lazyTlb }) => invlpgb && RELIES_ON_FLUSH.includes(lazyTlb),
  },
];

export const RULES: readonly Rule[] = [...FEATURES, ...POLICIES, ...BROADCASTS];

export interface Conflict extends Pick<Rule, "axis" | "against"> {
  readonly reason: string;
}

/** The first rule that refuses this configuration. */
export function ruleAgainst(configuration: Configuration): Rule | undefined {
  return RULES.find((rule) => rule.refuses(configuration));
}

/** Why this configuration cannot be, or undefined where it can. */
export function conflictIn(configuration: Configuration): Conflict | undefined {
  const rule = ruleAgainst(configuration);
  if (rule === undefined) return undefined;
  const { axis, against } = rule;
  return { axis, against, reason: filled(rule, (name) => String(configuration[name])) };
}

/** The reason with words in place of its axes. */
export function filled({ why }: Rule, words: (axis: ConfigurationAxis) => string): string {
  return why.replaceAll(/\{(\w+)\}/g, (_, axis: ConfigurationAxis) => words(axis));
}
