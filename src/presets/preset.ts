// A CPU preset: one microarchitecture as sold in one SKU, every number with its source. Numbers
// keep the unit in which they were published; `describe` turns a preset into the machine's
// description and is the only place where nanoseconds become cycles.

import type { PageSize, Replacement } from "../machine/description.ts";

export type Unit = "cycles" | "ns" | "bytes" | "GHz" | "bits";

/** A value and where it comes from. `estimate` marks one that nobody measured, with the reason. */
export interface Sourced<T> {
  readonly value: T;
  /** The document or measurement; for an estimate, the reasoning. */
  readonly source: string;
  readonly estimate?: true;
  readonly unit?: Unit;
}

/** A time in the unit of its source. */
export interface Latency extends Sourced<number> {
  readonly unit: "cycles" | "ns";
}

export interface Preset {
  /** The name on the command line. */
  readonly name: string;
  readonly vendor: "Intel" | "AMD";
  readonly microarchitecture: string;
  /** The product whose nominal frequency and core count are used. */
  readonly sku: string;
  readonly frequency: Sourced<number>;
  /** MAXPHYADDR. */
  readonly physicalAddressBits: Sourced<number>;
  readonly features: PresetFeatures;
  readonly topology: PresetTopology;
  readonly tlb: PresetTlb;
  readonly structureCaches: PresetStructureCaches;
  readonly caches: PresetCaches;
  /** Load from memory of the core's own socket, and of another. */
  readonly memory: { readonly local: Latency; readonly remote: Latency };
  readonly line: PresetLine;
  readonly instruction: PresetInstructions;
  /** Where the processor has INVLPGB and TLBSYNC. */
  readonly broadcast?: PresetBroadcast;
  /** From the ICR write to the handler's first instruction, both included. */
  readonly interrupt: DistanceLatency;
  readonly idle: PresetIdle;
}

export interface PresetFeatures {
  readonly pcid: Sourced<boolean>;
  readonly invpcid: Sourced<boolean>;
  readonly invlpgb: Sourced<boolean>;
  readonly la57: Sourced<boolean>;
  readonly smep: Sourced<boolean>;
  readonly smap: Sourced<boolean>;
  readonly protectionKeys: Sourced<boolean>;
  readonly supervisorKeys: Sourced<boolean>;
}

export interface PresetTopology {
  readonly coresPerLlc: Sourced<number>;
  readonly llcsPerSocket: Sourced<number>;
  /** The largest system actually sold; `describe` adds further sockets all the same. */
  readonly maximumSockets: Sourced<number>;
  /** Sockets at most this many apart are joined by one link. */
  readonly oneHopSockets: Sourced<number>;
}

export interface PresetTlbArray {
  readonly pageSizes: readonly PageSize[];
  readonly entries: Sourced<number>;
  readonly ways: Sourced<number>;
  readonly replacement: Sourced<Replacement>;
  readonly index: Sourced<"linear" | "xor-fold">;
}

export interface PresetTlb {
  readonly firstLevelInstruction: readonly PresetTlbArray[];
  readonly firstLevelData: readonly PresetTlbArray[];
  readonly secondLevelInstruction: readonly PresetTlbArray[] | "shared";
  readonly secondLevelData: readonly PresetTlbArray[];
  readonly secondLevelHit: { readonly instruction: Latency; readonly data: Latency };
  /** A walk beyond its memory loads: the second level's miss and starting the walker. */
  readonly walk: Latency;
  /** PCIDs whose entries the second level keeps; 0: all. */
  readonly pcidsTracked: Sourced<number>;
  readonly firstLevelDataPerPcid: Sourced<boolean>;
}

export interface PresetStructureCaches {
  readonly pml5e: Sourced<number>;
  readonly pml4e: Sourced<number>;
  readonly pdpte: Sourced<number>;
  readonly pde: Sourced<number>;
}

export interface PresetCache {
  readonly size: Sourced<number>;
  readonly ways: Sourced<number>;
  readonly latency: Latency;
}

export interface PresetCaches {
  readonly l1d: PresetCache;
  readonly l2: PresetCache;
  readonly llc: PresetCache;
}

export interface DistanceLatency {
  readonly sameLlc: Latency;
  readonly sameSocket: Latency;
  readonly oneHop: Latency;
  readonly twoHops: Latency;
}

export interface PresetLine {
  /** LOCK-prefixed RMW on a line this core owns. */
  readonly locked: Latency;
  /** One hand-over of a contended line between two cores by LOCK CMPXCHG, that RMW included. */
  readonly handover: DistanceLatency;
  readonly directoryAtHome: Sourced<boolean>;
  /** For how long a line is busy with one reader. */
  readonly readOccupancy: Latency;
}

export interface PresetInstructions {
  readonly writeCr3Flush: Latency;
  readonly writeCr3NoFlush: Latency;
  readonly writeCr4: Latency;
  readonly invlpg: Latency;
  readonly invpcid: {
    readonly address: Latency;
    readonly context: Latency;
    readonly all: Latency;
    readonly allButGlobals: Latency;
  };
  /** WRMSR to the x2APIC's ICR. */
  readonly writeIcr: Latency;
  readonly xapic: PresetXapic;
  readonly interruptEntry: Latency;
  readonly endOfInterrupt: Latency;
  readonly iret: Latency;
  readonly pageFault: Latency;
  readonly syscall: Latency;
}

/** The same register behind MMIO, in two halves, with a delivery status to look at first. */
export interface PresetXapic {
  /** A load of the delivery status. */
  readonly readIcr: Latency;
  /** The stores of both halves. */
  readonly writeIcr: Latency;
}

export interface PresetBroadcast {
  /** Pages that one INVLPGB covers. */
  readonly pages: Sourced<number>;
  /** INVLPGB itself. */
  readonly issue: Latency;
  /** From then until every core has carried it out, which a TLBSYNC waits for. */
  readonly completion: Latency;
}

export interface PresetIdle {
  /** Leaving a loop of PAUSE that polls need_resched. */
  readonly pollExit: Latency;
  /** Leaving C1, typical (not the upper bound that an OS table states). */
  readonly c1Exit: Latency;
  /** Leaving C6, in which TLBs and the core's own caches lose their contents, typical. */
  readonly c6Exit?: Latency;
}
