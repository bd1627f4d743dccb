// Kernels that are known to fail in a scenario, each with what makes it fail: a window that Linux
// of the time has, or a lazy policy on a protocol that does not do what the policy counts on. A
// scenario names those that it shows; nobody fails by them under `eager`, where no CPU is lazy.

import { LAZY_POLICY_NAMES, type LazyPolicyName } from "../kernel/lazy/policies.ts";
import { PASSING_OVER } from "../kernel/shootdown/kvm-pv.ts";
import type { ShootdownProtocol } from "../kernel/shootdown/protocol.ts";
import { PROTOCOL_NAMES, type ProtocolName, protocols } from "../kernel/shootdown/protocols.ts";

export interface Break {
  /** With these; with every policy where none is named. */
  readonly policies?: readonly LazyPolicyName[];
  /** With these; with every protocol where none is named. */
  readonly protocols?: readonly ProtocolName[];
  /** What happens, in one sentence. */
  readonly reason: string;
}

const protocolsThat = (hold: (protocol: ShootdownProtocol) => boolean): readonly ProtocolName[] =>
  PROTOCOL_NAMES.filter((name) => hold(protocols[name]));

const BORROWING = LAZY_POLICY_NAMES.filter((name) => name !== "eager");
const WITHOUT_ACTIVE_MM = ["null-prev", "fewer-parameters"] as const;
/** These look for lazy users in mm_cpumask. */
const BY_MASK = ["shoot-lazies", "exit-unlazy", "hazard-pointer"] as const;

/** With PCID, as the explorer has it, nobody is lazy under linux-4.15. */
const isLazyUnder = (name: ProtocolName): boolean => name !== "linux-4.15";
const LEAVING_MASK_FIRST = protocolsThat((each) => each.leavesMaskFirst === true).filter(
  isLazyUnder,
);
/** Linux 4.8 and what is made of it. */
const LEAVING_ACTIVE_MM = protocolsThat((each) => each.leavesActiveMm === true);
const LEAVING_LAZY_CPUS = protocolsThat((each) => each.endsLazyUse === false);

/** Nothing counts a borrowed mm, and active_mm outlives it. */
export const UNCOUNTED: Break = {
  policies: ["unrefcounted"],
  reason: "nothing keeps the mm that a lazy CPU borrows, and active_mm still names it",
};

/** The same where x86 itself goes by active_mm alone. */
export const UNCOUNTED_BEFORE_LOADED_MM: Break = {
  ...UNCOUNTED,
  protocols: LEAVING_ACTIVE_MM,
};

/** The window of 4.14 to 6.13, met by a flush that frees tables. */
export const TABLES_FREED_IN_SWITCH: Break = {
  policies: BORROWING,
  protocols: LEAVING_MASK_FIRST,
  reason:
    "switch_mm takes the CPU out of mm_cpumask before it writes CR3 (Linux 4.14 to 6.13): a " +
    "flush that frees tables does not wait for it in between",
};

/** The same window, met by who looks for lazy users before the root is freed. */
export const ROOT_FREED_IN_SWITCH: Break = {
  policies: ["shoot-lazies", "exit-unlazy"],
  protocols: LEAVING_MASK_FIRST,
  reason:
    "switch_mm takes the CPU out of mm_cpumask before it writes CR3 (Linux 4.14 to 6.13): a " +
    "policy that looks for lazy users there in between finds none",
};

export const NOTHING_TO_FLUSH: Break = {
  policies: WITHOUT_ACTIVE_MM,
  protocols: PROTOCOL_NAMES.filter(isLazyUnder),
  reason:
    "exit_mmap flushes nothing where nothing is mapped, and nothing else takes a lazy CPU off " +
    "the root",
};

/** What follows from it later, where a switch changes the mask of the mm that it leaves. */
export const LEAVES_FREED_MASK: Break = {
  policies: WITHOUT_ACTIVE_MM,
  protocols: [...LEAVING_MASK_FIRST, ...LEAVING_ACTIVE_MM, "always-full", "freebsd"],
  reason: "the mm is gone while a CPU borrows it, and the switch away clears a bit of its mask",
};

export const FLUSH_MOVES_NOBODY: Break = {
  policies: ["unrefcounted", ...WITHOUT_ACTIVE_MM],
  protocols: LEAVING_LAZY_CPUS,
  reason: "the flush of exit_mmap leaves a lazy CPU on the root, and nothing else takes it off",
};

export const FLUSH_PASSES_OVER: Break = {
  policies: WITHOUT_ACTIVE_MM,
  protocols: PASSING_OVER,
  reason: "the flush of exit_mmap is left to the host, which takes no vCPU off the root",
};

export const TOLD_NO_PREV: Break = {
  policies: WITHOUT_ACTIVE_MM,
  protocols: LEAVING_ACTIVE_MM,
  reason: "x86 goes by the active_mm of core code until Linux 4.13, and there is none",
};

export const MASK_LEFT_WHEN_FLUSHED: Break = {
  policies: BY_MASK,
  protocols: LEAVING_ACTIVE_MM,
  reason:
    "leave_mm takes a lazy CPU out of mm_cpumask and leaves active_mm: a policy that looks " +
    "for lazy users in the mask misses it",
};

export const MASK_LEFT_WHEN_LAZY: Break = {
  policies: BY_MASK,
  protocols: ["linux-4.15"],
  reason:
    "with PCID a CPU that turns lazy leaves mm_cpumask: a policy that looks for lazy users there " +
    "misses it",
};

export const ACKNOWLEDGED_BEFORE_FLUSH: Break = {
  policies: BORROWING,
  protocols: ["freebsd"],
  reason: "a target acknowledges before it invalidates, and the table is freed in between",
};
