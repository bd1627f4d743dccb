// A and D bits that the architecture leaves open: after a fault, whether the entries that the walk
// came by are marked as accessed. Oracles differ there, and so may processors.

import type { OracleName } from "./oracles.ts";
import * as bit from "./geometry.ts";
import { Tables, pagesOf, type Traversed } from "./traversed.ts";
import type { DataOperation, Outcome, VectorCase } from "../vectors/vector.ts";

const PAGE_FAULT = 14;
const RESERVED_BIT_FAULT = 1 << 3;
const GIGABYTE_SHIFT = 30;
const OPEN_STORE = bit.ACCESSED | bit.DIRTY;

/** Bits that an oracle opens and the architecture does not. */
export const LOOSENINGS = [
  { name: "K4", why: "a locked access that is refused at CPL 0 sets A in the page's entry" },
  { name: "T7", why: "A is set in the entry of a 1-GByte page before its rights are looked at" },
] as const;

/** What is said of cases that read an entry while its bits are open. */
export const READ_BACK = {
  name: "loose-A-read-back",
  why: "an entry was read while the architecture leaves its A open",
} as const;

export interface LooseBits {
  /** By address of the entry. */
  readonly bits: ReadonlyMap<bigint, bigint>;
  /** Whether an access read an entry while bits of it were open. */
  readonly isReadBack: boolean;
  /** Artifacts of this oracle that opened bits which are not open by architecture. */
  readonly artifacts: ReadonlySet<string>;
}

export function looseBits(
  oracle: OracleName,
  the: VectorCase,
  outcomes: readonly Outcome[],
): LooseBits {
  const follower = new Follower(oracle, the);
  outcomes.forEach((outcome, index) => {
    const operation = the.operations[index]!;
    if (isAccess(operation)) follower.access(operation, outcome);
    else if (operation.kind === "entry") follower.rewrite(operation.address);
    follower.tables.follow(operation);
  });
  return follower;
}

const isAccess = (operation: VectorCase["operations"][number]): operation is DataOperation =>
  "bytes" in operation;

class Follower implements LooseBits {
  readonly bits = new Map<bigint, bigint>();
  readonly artifacts = new Set<string>();
  readonly tables: Tables;
  isReadBack = false;

  constructor(
    private readonly oracle: OracleName,
    private readonly the: VectorCase,
  ) {
    this.tables = new Tables(the);
  }

  rewrite(address: bigint): void {
    this.bits.delete(address);
  }

  access(access: DataOperation, { fault }: Outcome): void {
    const { mode } = this.the;
    const pages = pagesOf(access.address, access.bytes).map((page) => bit.canonical(mode, page));
    if (fault === undefined) {
      for (const page of pages) this.succeed(access, this.tables.walk(page));
    } else if (fault.vector === PAGE_FAULT) {
      this.fail(access, pages, fault);
    }
  }

  /** A and D are set for certain. A PDPTE of PAE has neither. */
  private succeed(access: DataOperation, { tables, last, physical }: Traversed): void {
    const isReading = access.kind !== "write" && access.kind !== "execute";
    if (isReading && physical !== undefined) this.readBack(physical & ~7n);
    for (const table of tables) this.settle(table, bit.ACCESSED);
    const stores = access.kind !== "read" && access.kind !== "execute";
    this.settle(last.address, stores ? bit.ACCESSED | bit.DIRTY : bit.ACCESSED);
  }

  private readBack(physical: bigint): void {
    this.isReadBack ||= this.bits.has(physical) || this.bits.has(physical + 4n);
  }

  private fail(
    access: DataOperation,
    pages: readonly bigint[],
    fault: NonNullable<Outcome["fault"]>,
  ): void {
    const isReserved = (fault.errorCode & RESERVED_BIT_FAULT) !== 0;
    for (const page of pages) {
      const { tables, last } = this.tables.walk(page);
      for (const table of tables) this.open(table, bit.ACCESSED);
      const isPassed = page !== fault.address && pages.length > 1 && page === pages[0];
      if (isPassed) this.open(last.address, access.kind === "read" ? bit.ACCESSED : OPEN_STORE);
      else if (isReserved) this.open(last.address, bit.ACCESSED);
      else this.openByArtifact(access, last);
      if (!isPassed) break;
    }
  }

  private openByArtifact(access: DataOperation, last: Traversed["last"]): void {
    const isLocked = access.kind === "add" || access.kind === "compare";
    if (this.oracle === "kvm" && isLocked && !access.user) {
      this.open(last.address, bit.ACCESSED, "K4");
    }
    if (this.oracle === "tcg" && last.shift === GIGABYTE_SHIFT && this.the.mode !== "pae") {
      this.open(last.address, bit.ACCESSED, "T7");
    }
  }

  private settle(address: bigint, flags: bigint): void {
    this.tables.set(address, flags);
    const open = this.bits.get(address);
    if (open === undefined) return;
    if ((open & ~flags) === 0n) this.bits.delete(address);
    else this.bits.set(address, open & ~flags);
  }

  /** Bits that are set already stay set, and an entry that is not present gets none. */
  private open(address: bigint, flags: bigint, artifact?: string): void {
    const value = this.tables.value(address);
    const open = flags & ~value;
    if ((value & bit.PRESENT) === 0n || open === 0n) return;
    this.bits.set(address, (this.bits.get(address) ?? 0n) | open);
    if (artifact !== undefined) this.artifacts.add(artifact);
  }
}
