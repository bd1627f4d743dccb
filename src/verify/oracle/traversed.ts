// Which entries the walks of a case's accesses come by. It knows how tables hang together and which
// bits end a walk, not what entries grant: whether an access faults is what the oracle says.

import * as bit from "./geometry.ts";
import type { VectorCase, VectorOperation } from "../vectors/vector.ts";

const TABLE_MASK = 0xf_ffff_ffff_f000n;

export interface Traversed {
  /** Addresses of the entries above the last one; not PDPTEs of PAE, which have no A. */
  readonly tables: readonly bigint[];
  /** The entry where the walk ends: it maps a page, is not present, or has a reserved bit. */
  readonly last: { readonly address: bigint; readonly value: bigint; readonly shift: number };
  /** Where the address is mapped to; undefined if it is not. */
  readonly physical?: bigint;
}

/** The paging structures as they are while the case runs, with the A and D bits that are certain to
 *  have been set so far. */
export class Tables {
  private readonly entries: Map<bigint, bigint>;
  private cr3: bigint;
  private cr4: bigint;
  private efer: bigint;

  constructor(private readonly the: VectorCase) {
    this.entries = new Map(the.entries.map(({ address, value }) => [address, value]));
    this.cr3 = the.cr3;
    this.cr4 = the.cr4;
    this.efer = the.efer;
  }

  follow(operation: VectorOperation): void {
    if (operation.kind === "entry") this.entries.set(operation.address, operation.value);
    if (operation.kind === "cr3") this.cr3 = operation.value;
    if (operation.kind === "cr4") this.cr4 = operation.value;
    if (operation.kind === "efer") this.efer = operation.value;
  }

  value(address: bigint): bigint {
    return this.entries.get(address) ?? 0n;
  }

  set(address: bigint, flags: bigint): void {
    this.entries.set(address, this.value(address) | flags);
  }

  walk(linear: bigint): Traversed {
    const { mode } = this.the;
    const tables: bigint[] = [];
    let table = this.cr3 & bit.ROOT_MASK[mode];
    for (const level of bit.LEVELS[mode]) {
      const index = BigInt(bit.indexAt(level, linear));
      const address = table + index * BigInt(bit.entryBytes(mode));
      const value = this.value(address);
      const last = { address, value, shift: level.shift };
      if ((value & bit.PRESENT) === 0n || this.isReserved(value, level.shift)) {
        return { tables, last };
      }
      if (this.mapsPage(value, level.shift)) {
        return { tables, last, physical: this.physical(value, level.shift, linear) };
      }
      if (!this.isPdpteOfPae(level.shift)) tables.push(address);
      table = value & TABLE_MASK;
    }
    throw new Error("the last level maps pages");
  }

  private isReserved(value: bigint, shift: number): boolean {
    const { mode, vendor, physicalAddressBits, gigabytePages } = this.the;
    const isLarge = shift > 12 && this.mapsPage(value, shift);
    if (mode === "l2") return isLarge && (value & (1n << 21n)) !== 0n;
    if (this.isPdpteOfPae(shift)) return false;
    const lowestIgnored = mode === "pae" ? 63n : 52n;
    let reserved = (1n << lowestIgnored) - (1n << BigInt(physicalAddressBits));
    if ((this.efer & bit.EFER_NO_EXECUTE) === 0n) reserved |= bit.NO_EXECUTE;
    if (isLarge) reserved |= (1n << BigInt(shift)) - (1n << 13n);
    if (shift > 30 || (shift === 30 && !gigabytePages)) reserved |= bit.PAGE_SIZE;
    if (shift > 30 && vendor === "amd") reserved |= bit.GLOBAL;
    return (value & reserved) !== 0n;
  }

  private mapsPage(value: bigint, shift: number): boolean {
    if (shift === 12) return true;
    if (this.isPdpteOfPae(shift)) return false;
    if (this.the.mode === "l2" && (this.cr4 & bit.CR4_PAGE_SIZE) === 0n) return false;
    return (value & bit.PAGE_SIZE) !== 0n;
  }

  private isPdpteOfPae(shift: number): boolean {
    return this.the.mode === "pae" && shift === 30;
  }

  private physical(value: bigint, shift: number, linear: bigint): bigint {
    const offset = (1n << BigInt(shift)) - 1n;
    // PSE-36: bits 20:13 are bits 39:32 of the address.
    const high = shift === 22 ? ((value >> 13n) & 0xffn) << 32n : 0n;
    return (value & TABLE_MASK & ~offset) | high | (linear & offset);
  }
}

/** The linear addresses of the first byte and, of an access that crosses a page, of the second
 *  page. */
export function pagesOf(address: bigint, bytes: number): readonly bigint[] {
  const second = (address | 0xfffn) + 1n;
  return address + BigInt(bytes) > second ? [address, second] : [address];
}
