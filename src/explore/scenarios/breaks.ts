// Kernels that are known to fail in a scenario, each with what makes it fail: a window that Linux
// of the time has, or a lazy policy on a protocol that does not do what the policy counts on. A
// scenario names those that it shows.

import type { LazyPolicy } from "../../kernel/state/lazy-policy.ts";
import type { ProtocolTraits } from "../../kernel/state/protocol-traits.ts";
import type { ShootdownProtocol } from "../../kernel/state/shootdown-protocol.ts";

/** Those that are meant: by their names, or by what they are. */
type Which<T> = readonly string[] | ((one: T) => boolean);

export interface Break {
  /** With these; with every policy where none is named. */
  readonly policies?: Which<LazyPolicy>;
  /** With these; with every protocol where none is named. */
  readonly protocols?: Which<ShootdownProtocol>;
  /** What happens, in one sentence. */
  readonly reason: string;
}

/** Whether it makes this kernel fail. */
export const isMeant = (
  { policies, protocols }: Break,
  policy: LazyPolicy,
  protocol: ShootdownProtocol,
): boolean => isAmong(policies, policy) && isAmong(protocols, protocol);

function isAmong<T extends { readonly name: string }>(
  which: Which<T> | undefined,
  one: T,
): boolean {
  if (which === undefined) return true;
  return typeof which === "function" ? which(one) : which.includes(one.name);
}

const isBorrowing = ({ traits }: LazyPolicy): boolean => traits.aliveBy !== "not-borrowed";
const reliesOnFlush = ({ traits }: LazyPolicy): boolean => traits.aliveBy === "exit-flush";
const looksInMask = ({ traits }: LazyPolicy): boolean => traits.aliveBy === "mask";

/** With PCID, as the explorer has it, some protocols leave no CPU lazy. */
const staysLazy = ({ traits }: ShootdownProtocol): boolean => traits.lazyWithPcid === "keeps";
const leavesMaskFirst = (protocol: ShootdownProtocol): boolean =>
  staysLazy(protocol) && protocol.traits.maskOfPrevious === "cleared-before-cr3";
/** Linux 4.8 and what is made of it. */
const leavesActiveMm = ({ traits }: ShootdownProtocol): boolean =>
  traits.switchesFrom === "active_mm";
const leavesLazyCpus = ({ traits }: ShootdownProtocol): boolean =>
  traits.freedTables === "leave-lazy-cpus";

/** Reclaim puts flushes off, and an mm knows of it thus. */
const putsOff =
  (...known: readonly ProtocolTraits["batchedUnmaps"][]) =>
  ({ batchedUnmap, traits }: ShootdownProtocol): boolean =>
    batchedUnmap !== undefined && known.includes(traits.batchedUnmaps);

/** Nothing counts a borrowed mm, and active_mm outlives it. */
export const UNCOUNTED: Break = {
  policies: ({ traits }) => traits.aliveBy === "nothing",
  reason: "nothing keeps the mm that a lazy CPU borrows, and active_mm still names it",
};

/** The same where x86 itself goes by active_mm alone. */
export const UNCOUNTED_BEFORE_LOADED_MM: Break = {
  ...UNCOUNTED,
  protocols: leavesActiveMm,
};

/** The window of 4.14 to 6.13, met by a flush that frees tables as a CPU stops being lazy. */
export const TABLES_FREED_IN_SWITCH: Break = {
  policies: isBorrowing,
  protocols: leavesMaskFirst,
  reason:
    "switch_mm takes the CPU out of mm_cpumask before it writes CR3 (Linux 4.14 to 6.13): a " +
    "flush that frees tables does not wait for it in between",
};

/** The same as a thread stops running: lazy or not, with a policy's help or without. */
export const TABLES_FREED_IN_ANY_SWITCH: Break = {
  protocols: ({ traits }) => traits.maskOfPrevious === "cleared-before-cr3",
  reason: TABLES_FREED_IN_SWITCH.reason,
};

/** The same window, met by who looks for lazy users before the root is freed. */
export const ROOT_FREED_IN_SWITCH: Break = {
  // A hazard pointer hands a reference over, wherever the CPU is.
  policies: (policy) => looksInMask(policy) && policy.lazyReference === "none",
  protocols: leavesMaskFirst,
  reason:
    "switch_mm takes the CPU out of mm_cpumask before it writes CR3 (Linux 4.14 to 6.13): a " +
    "policy that looks for lazy users there in between finds none",
};

export const NOTHING_TO_FLUSH: Break = {
  policies: reliesOnFlush,
  protocols: staysLazy,
  reason:
    "exit_mmap flushes nothing where nothing is mapped, and nothing else takes a lazy CPU off " +
    "the root",
};

/** What follows from it later, where a switch changes the mask of the mm that it leaves. */
export const LEAVES_FREED_MASK: Break = {
  policies: reliesOnFlush,
  protocols: (protocol) => staysLazy(protocol) && protocol.traits.maskOfPrevious !== "kept",
  reason: "the mm is gone while a CPU borrows it, and the switch away clears a bit of its mask",
};

export const FLUSH_MOVES_NOBODY: Break = {
  policies: ({ traits }) => ["nothing", "exit-flush"].includes(traits.aliveBy),
  protocols: leavesLazyCpus,
  reason: "the flush of exit_mmap leaves a lazy CPU on the root, and nothing else takes it off",
};

export const FLUSH_PASSES_OVER: Break = {
  policies: reliesOnFlush,
  protocols: ({ traits }) => traits.host !== "none",
  reason: "the flush of exit_mmap is left to the host, which takes no vCPU off the root",
};

export const TOLD_NO_PREV: Break = {
  policies: reliesOnFlush,
  protocols: leavesActiveMm,
  reason: "x86 goes by the active_mm of core code until Linux 4.13, and there is none",
};

export const MASK_LEFT_WHEN_FLUSHED: Break = {
  policies: looksInMask,
  protocols: leavesActiveMm,
  reason:
    "leave_mm takes a lazy CPU out of mm_cpumask and leaves active_mm: a policy that looks " +
    "for lazy users in the mask misses it",
};

export const MASK_LEFT_WHEN_LAZY: Break = {
  policies: looksInMask,
  protocols: (protocol) => !staysLazy(protocol),
  reason:
    "with PCID a CPU that turns lazy leaves mm_cpumask: a policy that looks for lazy users there " +
    "misses it",
};

export const ACKNOWLEDGED_BEFORE_FLUSH: Break = {
  policies: isBorrowing,
  protocols: ({ traits }) => traits.acknowledges === "before-flush",
  reason: "a target acknowledges before it invalidates, and the table is freed in between",
};

/** The same of a target that runs a thread of the mm. */
export const ACKNOWLEDGED_BY_THREAD: Break = {
  protocols: ACKNOWLEDGED_BEFORE_FLUSH.protocols!,
  reason: ACKNOWLEDGED_BEFORE_FLUSH.reason,
};

/** Who relies on "not present, so nothing to flush" while reclaim has put the flush off. */
export const BATCH_UNNOTED: Break = {
  protocols: putsOff("unnoted"),
  reason:
    "until Linux 4.12 nobody is told that reclaim has put a flush off: who finds the page gone " +
    "flushes nothing, and relies on it",
};

/** The same, where another entry goes while the first is flushed. */
export const BATCH_FORGOTTEN: Break = {
  protocols: putsOff("unnoted", "flagged"),
  reason:
    "until Linux 5.16 tlb_flush_batched is a flag: who flushes for reclaim clears it, whatever " +
    "was put off meanwhile",
};

export const GATHERS_UNCOUNTED: Break = {
  protocols: ({ traits }) => traits.gathers === "uncounted",
  reason:
    "until Linux 4.13 a thread that finds nothing to discard flushes nothing, and returns while " +
    "another's flush of the page is under way",
};
