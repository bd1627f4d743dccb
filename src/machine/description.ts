// What a machine is made of: geometry and latencies, as plain numbers, handed to the wasm before
// boot. Presets produce it (with sources); nothing in here knows where a number came from.

import type { PagingFeatures } from "../base/architecture.ts";

export const MAX_CORES = 1024;

export type PageSize = "4K" | "2M" | "1G";

/** How a set chooses its victim when no way is free. Ways up to 16, more only with "lru". */
export type Replacement =
  /** True least recently used. */
  | "lru"
  /** Binary-tree pseudo-LRU; ways must be a power of two. */
  | "tree-plru"
  /** Skylake's 12-way STLB: the group after the most recent one of three, then tree-PLRU of 4. */
  | "mru-plus-one-plru"
  /** Oldest fill first. */
  | "fifo";

/** One TLB array. `ways === entries` is fully associative. Sets need not be a power of two. */
export interface TlbArrayDescription {
  readonly entries: number;
  readonly ways: number;
  readonly pageSizes: readonly PageSize[];
  readonly replacement: Replacement;
  /** How a page number selects a set: its low bits, or all its bits folded with XOR. */
  readonly index: "linear" | "xor-fold";
}

export interface TlbDescription {
  /** At most 3 arrays a list; each page size appears in at most one array of a list. */
  readonly firstLevelInstruction: readonly TlbArrayDescription[];
  readonly firstLevelData: readonly TlbArrayDescription[];
  /**
   * `secondLevelInstruction: "shared"`: fetches use the data side's second level (Intel's STLB).
   */
  readonly secondLevelInstruction: readonly TlbArrayDescription[] | "shared";
  readonly secondLevelData: readonly TlbArrayDescription[];
  /** Extra cycles of a first-level miss that hits in the second level. */
  readonly secondLevelHitCycles: { readonly instruction: number; readonly data: number };
  /** Cycles of a walk beyond its memory loads (starting the walker, the second-level miss). */
  readonly walkCycles: number;
  /** PCIDs whose entries the second level keeps; loading one more drops the least recently
   *  loaded one's entries. 0: all 4096. */
  readonly pcidsTracked: number;
  /** First-level data TLB loses its non-global entries whenever CR3 changes the PCID. */
  readonly firstLevelDataPerPcid: boolean;
}

/** Entries of each paging-structure cache (SDM 3A 4.10.3), fully associative, LRU. 0: none. */
export interface StructureCacheDescription {
  readonly pml5e: number;
  readonly pml4e: number;
  readonly pdpte: number;
  readonly pde: number;
}

export interface CacheDescription {
  readonly sizeBytes: number;
  readonly ways: number;
  /** Load-to-use cycles of a hit at this level. */
  readonly latencyCycles: number;
}

/**
 * Core c is in LLC floor(c / coresPerLlc) and in socket floor(c / (coresPerLlc * llcsPerSocket)).
 */
export interface TopologyDescription {
  readonly coreCount: number;
  readonly coresPerLlc: number;
  readonly llcsPerSocket: number;
  /** Sockets further apart than one link: |a - b| > this many are two hops. 1 with 2 sockets. */
  readonly oneHopSockets: number;
}

/** How far apart two cores are, in the order of the machine's numbers for it. */
export const DISTANCES = ["self", "sameLlc", "sameSocket", "oneHop", "twoHops"] as const;

export type Distance = (typeof DISTANCES)[number];

/** Cycles by distance class between two cores (or a core and a line's home socket). */
export interface DistanceCycles {
  readonly sameLlc: number;
  readonly sameSocket: number;
  readonly oneHop: number;
  readonly twoHops: number;
}

export interface LineDescription {
  /** Load or store of a line this core holds. */
  readonly localCycles: number;
  /** LOCK-prefixed RMW on a line this core owns. */
  readonly lockedCycles: number;
  /** A line another core owns or shares: one cache-to-cache transfer, seen by the requester. */
  readonly transferCycles: DistanceCycles;
  /** Load of a line no cache holds: from memory of the home socket. */
  readonly memoryCycles: { readonly local: number; readonly remote: number };
  /** AMD: a transfer is looked up at the line's home socket, so a remote home costs oneHop even
   *  between neighbours in another LLC of the same socket. */
  readonly directoryAtHome: boolean;
  /** For how long a line is busy when it is only read (a transfer keeps it busy until it ends). */
  readonly readOccupancyCycles: number;
}

/** Cycles that the instruction itself takes, its effects on TLBs not included. */
export interface InstructionCycles {
  readonly writeCr3Flush: number;
  readonly writeCr3NoFlush: number;
  readonly writeCr4: number;
  readonly invlpg: number;
  /** Index = INVPCID type: individual address, single context, all, all but globals. */
  readonly invpcid: readonly [number, number, number, number];
  readonly writeIcr: number;
  /** From the vector's acceptance to the handler's first instruction. */
  readonly interruptEntry: number;
  readonly endOfInterrupt: number;
  readonly iret: number;
  /** #PF delivery. */
  readonly pageFault: number;
  /** SYSCALL plus SYSRET. */
  readonly syscall: number;
  /** Leaving the idle state in which a core waits (MWAIT C1 or HLT). */
  readonly idleExit: number;
}

/** INVLPGB and TLBSYNC. */
export interface BroadcastDescription {
  /** Pages that one INVLPGB covers. */
  readonly pages: number;
  /** INVLPGB itself, which only begins the invalidation. */
  readonly issueCycles: number;
  /** From then until every core has carried it out: what a TLBSYNC waits for. */
  readonly completionCycles: number;
}

export interface MachineDescription {
  readonly frequencyGhz: number;
  readonly topology: TopologyDescription;
  readonly tlb: TlbDescription;
  readonly structureCaches: StructureCacheDescription;
  /** L1D and L2 are per core, the LLC per coresPerLlc cores. 64-byte lines. */
  readonly l1d: CacheDescription;
  readonly l2: CacheDescription;
  readonly llc: CacheDescription;
  readonly dramCycles: { readonly local: number; readonly remote: number };
  readonly line: LineDescription;
  readonly instruction: InstructionCycles;
  /** Where the processor has INVLPGB. */
  readonly broadcast?: BroadcastDescription;
  /** Microcode around a Remote Action Request, but for what it invalidates. */
  readonly remoteActionCycles: number;
  /** From the sender's ICR write to the vector pending at the target. */
  readonly ipiDeliveryCycles: DistanceCycles;
  /** What CPUID tells of paging. */
  readonly paging: PagingFeatures;
}
