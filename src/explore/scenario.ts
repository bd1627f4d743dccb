// A scenario: a small kernel brought to some state by real kernel calls, and from there what each
// CPU does, in all orders.

import type { Cpu } from "../kernel/cpu.ts";
import type { KernelOptions } from "../kernel/kernel.ts";
import type { LazyPolicyName } from "../kernel/lazy/policies.ts";
import type { ProtocolName } from "../kernel/shootdown/protocols.ts";
import type { Kernel } from "../kernel/operation.ts";
import type { Stage } from "./stage.ts";

/** What the task that is current on a CPU does from the start on. */
export type Script = (cpu: Cpu) => Kernel<unknown>;

export interface Break {
  readonly policy: LazyPolicyName;
  readonly protocol?: ProtocolName;
}

export interface Scenario {
  readonly name: string;
  /** One sentence: who does what meanwhile. */
  readonly summary: string;
  readonly cpus: number;
  /** The protocols under which it can be; all unless given. */
  readonly only?: readonly ProtocolName[];
  /** Kernel options that it needs: page-table isolation, say. */
  readonly kernel?: Partial<KernelOptions>;
  /** Preemptions that the exploration is bounded to, where the whole space is too large. */
  readonly preemptionBound?: number;
  /** Kernels that are known to fail here, with every protocol unless one is named. */
  readonly breaks?: readonly Break[];
  /**
   * Brings the kernel to its start. Returns by CPU what its current task does; an idle CPU idles,
   * and goes on to a task that is ready, if it has none.
   */
  prepare(stage: Stage): readonly (Script | undefined)[];
}
