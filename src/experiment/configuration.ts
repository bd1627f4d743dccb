// One configuration: a value on every axis. What a row of results is about. Which values an axis
// takes, and its default, are in axes.ts: an axis that is absent here has that default.

import type { OwnName } from "../base/own-name.ts";
import type { X2apic } from "../kernel/state/kernel-options.ts";
import type { LazyPolicyName } from "../kernel/lazy/policies.ts";
import type { MutationName } from "../kernel/operation/mutation.ts";
import type { ProtocolName } from "../kernel/shootdown/protocols.ts";
import type { PageSize } from "../machine/description.ts";
import type { IdleState } from "../presets/describe.ts";
import type { PresetName } from "../presets/presets.ts";

export interface Configuration {
  readonly cpu: PresetName | OwnName;
  /** Emulated cores. */
  readonly cores: number;
  readonly lazyTlb: LazyPolicyName | OwnName;
  readonly protocol: ProtocolName | OwnName;
  /** CR4.PCIDE: whether address spaces keep their translations over a switch. */
  readonly pcid: boolean;
  /** Page-table isolation. */
  readonly pti?: boolean;
  /** Whether the kernel uses INVPCID. */
  readonly invpcid?: boolean;
  /** Whether the kernel uses INVLPGB and global ASIDs. */
  readonly invlpgb: boolean;
  /** Whether faults lock their area alone. */
  readonly vmaLocks: boolean;
  /** tlb_single_page_flush_ceiling: more pages than this are flushed as a whole. */
  readonly flushCeiling: number;
  readonly idle: IdleState;
  /** How the local APICs are addressed. */
  readonly x2apic?: X2apic;
  /** Whether interrupts for all other CPUs go out as one. */
  readonly ipiShorthand?: boolean;
  /** Topology: how the cores share last-level caches and sockets. */
  readonly coresPerLlc?: number;
  readonly llcsPerSocket?: number;
  /** Pages that one mmap, munmap, mprotect, madvise or vmalloc of the workload covers. */
  readonly pages: number;
  /** How large those pages are. */
  readonly pageSize?: PageSize;
  /** Measured repetitions of the workload's operation. */
  readonly rounds: number;
  /** The one way in which the kernel is wrong. */
  readonly mutation?: MutationName | "none" | OwnName;
}

export type ConfigurationAxis = keyof Configuration;

/** One run of one configuration. */
export interface Run {
  readonly configuration: Configuration;
  /** A workload's name, or what a replayed trace is called. */
  readonly workload: string;
  readonly seed: number;
  /** Path of the recorded trace to replay in place of a workload. */
  readonly trace?: string;
  /** False: no checker watches, and the run has no verdict. */
  readonly checks?: boolean;
  /** Files of code from outside that the names above may be from; none unless given. */
  readonly files?: readonly string[];
}
