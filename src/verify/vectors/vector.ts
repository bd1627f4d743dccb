// A recorded vector: a control state, paging-structure entries, operations, and what an oracle
// answered. The format is documented in docs/vectors.md.

import type { Fault, Vendor } from "../../base/architecture.ts";

/** 4- and 5-level, PAE, 32-bit two-level. */
export type VectorMode = "l4" | "l5" | "pae" | "l2";

export interface DataOperation {
  readonly kind: "read" | "write" | "add" | "compare" | "execute";
  readonly address: bigint;
  readonly bytes: 1 | 2 | 4 | 8;
  readonly user: boolean;
  readonly alignmentCheck: boolean;
  readonly stack: boolean;
  /** Stored, added, or what a failing LOCK CMPXCHG would have stored. */
  readonly value: bigint;
}

export type VectorOperation =
  | DataOperation
  | { readonly kind: "entry"; readonly address: bigint; readonly value: bigint }
  | { readonly kind: "invlpg"; readonly address: bigint }
  | {
      readonly kind: "invpcid";
      readonly type: bigint;
      readonly pcid: bigint;
      readonly address: bigint;
    }
  | { readonly kind: "cr0" | "cr3" | "cr4" | "efer" | "pkru"; readonly value: bigint };

export interface Entry {
  readonly address: bigint;
  readonly value: bigint;
}

/** What is asked of an engine. */
export interface VectorCase {
  readonly id: string;
  readonly category: string;
  readonly mode: VectorMode;
  readonly vendor: Vendor;
  readonly physicalAddressBits: number;
  readonly gigabytePages: boolean;
  readonly cr0: bigint;
  readonly cr3: bigint;
  readonly cr4: bigint;
  readonly efer: bigint;
  readonly pkru: bigint;
  readonly entries: readonly Entry[];
  readonly operations: readonly VectorOperation[];
}

/** What one operation came to. What an oracle did not see is absent. */
export type Outcome =
  | { readonly fault: Fault }
  | {
      readonly fault?: undefined;
      /** Read, or for "add" the old value. */
      readonly value?: bigint;
      /** Of the first byte, and of the first byte on a second page. */
      readonly physical?: bigint;
      readonly secondPhysical?: bigint;
      /** Of an instruction fetch: bits 43:12 of the physical address. */
      readonly frame?: bigint;
    };

/** What an engine answered, or is expected to. */
export interface VectorResult {
  /** The fault of the initial MOV to CR3; no operation ran then. */
  readonly loadFault?: Fault;
  readonly outcomes: readonly Outcome[];
  /** Final values of the case's entries, in order, then of addresses first named by an "entry". */
  readonly finalEntries: readonly Entry[];
}

export interface Vector extends VectorCase {
  readonly expected: VectorResult & {
    /** Bits of final entries that the architecture leaves open: not compared. */
    readonly loose: ReadonlyMap<bigint, bigint>;
  };
  /** The engines that agreed on it: "kvm", "tcg", "kvm+tcg". */
  readonly source: string;
}
