// A mutation: a kernel that is known to be wrong in one way. One record says what is wrong, where
// that is from, and where it shows.

import type { LazyPolicy } from "../kernel/state/lazy-policy.ts";
import type { ShootdownProtocol } from "../kernel/state/shootdown-protocol.ts";

/** The kernel around a mutation, by the names of the axes. */
export interface MutatedKernel {
  readonly protocol: string;
  readonly lazyTlb: string;
  readonly pcid: boolean;
  readonly pti?: boolean;
  readonly invlpgb: boolean;
  readonly idle: string;
}

/** The exploration that shows a mutation. */
export interface MutationScenario {
  /** The scenario's name. */
  readonly name: string;
  /** The weakest memory model that shows it: under "sc" it shows without a store buffer. */
  readonly memory: "sc" | "tso";
  /** "refcounted" unless given. */
  readonly policy?: string;
  /** "linux-6.18" unless given. */
  readonly protocol?: string;
}

export interface Mutation {
  readonly name: string;
  /** One sentence: what is done wrong. */
  readonly summary: string;
  /** Commit, CVE or mail. */
  readonly source: string;
  /** Absent: no scenario is known to show it. */
  readonly scenario?: MutationScenario;
  /**
   * Whether it shows when `workload` runs on such a kernel with two cores or more: a row expects a
   * violation there. Elsewhere nothing is promised, and "ok" is expected: what goes wrong only in
   * rare orders, or only with a store buffer, is for `explore` to find. Absent: nowhere.
   */
  readonly shows?: (kernel: MutatedKernel, workload: string) => boolean;
  /** The protocol with the mutation in it; what it is not about it returns as it is. */
  readonly protocol?: (right: ShootdownProtocol) => ShootdownProtocol;
  /** The same of the lazy policy. */
  readonly policy?: (right: LazyPolicy) => LazyPolicy;
}
