// A scenario: a small kernel brought to some state by real kernel calls, and from there what each
// CPU does, in all orders.

import type { OwnName } from "../../base/own-name.ts";
import type { Cpu } from "../../kernel/state/cpu.ts";
import type { KernelOptions } from "../../kernel/state/kernel-options.ts";
import type { ShootdownProtocol } from "../../kernel/state/shootdown-protocol.ts";
import type { ProtocolName } from "../../kernel/shootdown/protocols.ts";
import type { KernelCode } from "../../kernel/operation/operation.ts";
import type { Break } from "./breaks.ts";
import type { Stage } from "./stage.ts";

/** What the task that is current on a CPU does from the start on. */
export type Script = (cpu: Cpu) => KernelCode<unknown>;

/** Whether the protocol can do what the scenario's kernel options ask for. */
export function fits({ kernel = {} }: Scenario, { traits }: ShootdownProtocol): boolean {
  if (kernel.pcid === false && traits.pcid === "required") return false;
  const hasUserPcids = kernel.pcid ?? traits.pcid !== "none";
  const isIsolated =
    traits.isolation === "full" || (traits.isolation === "kernel-pcids" && !hasUserPcids);
  if (kernel.pti === true && !isIsolated) return false;
  return kernel.invlpgb !== true || traits.invlpgb === "when-enabled";
}

export interface Scenario {
  readonly name: string;
  /** One sentence: who does what meanwhile. */
  readonly summary: string;
  readonly cpus: number;
  /** Each CPU has a scheduler tick, at any moment, where the protocol does something at one. */
  readonly ticks?: boolean;
  /** Kernel options that it needs: page-table isolation, say. */
  readonly kernel?: Partial<KernelOptions>;
  /** Kernels that are known to fail here; why, is said by the first of them that fits. */
  readonly breaks?: readonly Break[];
  /** Protocols that it is about, beside the newest: explored with them unless one is chosen. */
  readonly protocols?: readonly (ProtocolName | OwnName)[];
  /** It is about lazy policies: explored with all of them, wrong ones too, unless one is chosen. */
  readonly everyPolicy?: true;
  /** No policy has a say in it: explored with the first alone, unless one is chosen. */
  readonly onePolicy?: true;
  /**
   * Brings the kernel to its start. Returns by CPU what its current task does; an idle CPU idles,
   * and goes on to a task that is ready, if it has none.
   */
  prepare(stage: Stage): readonly (Script | undefined)[];
}
