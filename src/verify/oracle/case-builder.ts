// Builds one random case: a control state, page tables in the oracle's RAM, accesses. It keeps the
// rules of the oracle's harness: tables lie at 1..4 MiB, data from 4 to 14 MiB and in high RAM, and
// the slots of the root that map the harness are left alone.

import type { Vendor } from "../../base/architecture.ts";
import type { Dice } from "../../base/dice.ts";
import * as bit from "./geometry.ts";
import type { Oracle } from "./oracles.ts";
import type { DataOperation, VectorCase, VectorMode, VectorOperation } from "../vectors/vector.ts";

const FIRST_TABLE_PAGE = 0x100;
const TABLE_PAGES = 0x300;
const FIRST_DATA_PAGE = 0x400;
const DATA_PAGES = 0xa00;
const HIGH_RAM_BYTES = 4n << 20n;
const LONG_MODE_EFER = 0x500n;

/** The entries that a walk goes through, from the root. */
export type Path = readonly { readonly address: bigint; readonly shift: number }[];

/** What an operation is given besides its address. */
export type AccessOptions = Partial<Omit<DataOperation, "address">>;

export class CaseBuilder {
  readonly vendor: Vendor;
  readonly physicalAddressBits: number;
  readonly entries = new Map<bigint, bigint>();
  readonly operations: VectorOperation[] = [];
  cr0 = 0x8000_0033n;
  cr4: bigint;
  efer: bigint;
  pkru = 0n;
  readonly cr3: bigint;
  private readonly usedPages = new Set<number>();

  constructor(
    readonly dice: Dice,
    readonly oracle: Oracle,
    readonly mode: VectorMode,
  ) {
    this.vendor = dice.pick(oracle.vendors);
    this.physicalAddressBits = dice.pick(oracle.physicalAddressBits);
    this.cr3 = this.newRoot();
    if (!dice.once(3)) this.cr0 |= bit.CR0_WRITE_PROTECT;
    this.cr4 = this.modeBits() | (dice.once(3) ? bit.CR4_GLOBAL : 0n);
    this.efer = bit.is64Bit(mode) ? LONG_MODE_EFER : 0n;
    if (mode !== "l2" && !dice.once(4)) this.efer |= bit.EFER_NO_EXECUTE;
  }

  private modeBits(): bigint {
    if (this.mode === "l2") return this.dice.once(5) ? 0n : bit.CR4_PAGE_SIZE;
    return this.mode === "l5" ? bit.CR4_PAE | bit.CR4_FIVE_LEVELS : bit.CR4_PAE;
  }

  get levels(): readonly bit.Level[] {
    return bit.LEVELS[this.mode];
  }

  get noExecute(): boolean {
    return (this.efer & bit.EFER_NO_EXECUTE) !== 0n;
  }

  /** A page in the range of tables that nothing else of the case uses. */
  newTable(): bigint {
    for (;;) {
      const page = FIRST_TABLE_PAGE + this.dice.below(TABLE_PAGES);
      if (this.usedPages.has(page)) continue;
      this.usedPages.add(page);
      return BigInt(page) << 12n;
    }
  }

  /** A value of CR3, with a root that nothing else uses. */
  newRoot(): bigint {
    const { dice } = this;
    if (this.mode === "pae") return this.newTable() + BigInt(32 * dice.below(128));
    return this.newTable() + (dice.once(2) ? 0n : dice.some(bit.WRITE_THROUGH | bit.CACHE_DISABLE));
  }

  /** The frame of a page of 1 << shift bytes, in RAM; of a gigabyte only some is. */
  frame(shift: number): bigint {
    if (shift === 30) return 0n;
    const canBeHigh = this.mode !== "l2" || shift === 22;
    const bytes = 1n << BigInt(shift);
    if (canBeHigh && this.dice.once(3)) {
      const beyond = 1n << BigInt(this.physicalAddressBits);
      const region = this.dice.pick(this.oracle.highRam.filter((at) => at < beyond));
      return region + bytes * BigInt(this.dice.below(Number(HIGH_RAM_BYTES / bytes)));
    }
    if (shift === 12) return BigInt(FIRST_DATA_PAGE + this.dice.below(DATA_PAGES)) << 12n;
    return shift === 21
      ? BigInt(2 + this.dice.below(5)) << 21n
      : BigInt(1 + this.dice.below(2)) << 22n;
  }

  /** An address, 8-byte aligned, whose root slot is free; in a gigabyte, one that has RAM. */
  address(pageShift = 12): bigint {
    for (;;) {
      const raw = this.dice.bits(bit.linearBits(this.mode)) & ~7n;
      const backed =
        pageShift === 30 ? (raw & ~0x3fff_ffffn) | (raw & 0x3f_ffffn) | 0x40_0000n : raw;
      // Instructions are not to be fetched ahead from the next page.
      const address = (backed & 0xfffn) > 0xfe0n ? backed - 0x20n : backed;
      if (this.isFree(address)) return bit.canonical(this.mode, address);
    }
  }

  isFree(address: bigint): boolean {
    const slot = bit.indexAt(this.levels[0]!, address);
    return !bit.RESERVED_SLOTS[this.mode].includes(slot);
  }

  /** The entries that map `address`, down to the one that maps 1 << leafShift bytes. Tables that
   *  are missing are made, and grant everything; that last entry stays as it is. */
  path(address: bigint, leafShift: number, cr3 = this.cr3): Path {
    let table = cr3 & bit.ROOT_MASK[this.mode];
    const path: { address: bigint; shift: number }[] = [];
    for (const level of this.levels) {
      const size = BigInt(bit.entryBytes(this.mode));
      const entry = table + BigInt(bit.indexAt(level, address)) * size;
      path.push({ address: entry, shift: level.shift });
      if (level.shift === leafShift) return path;
      const value = this.entries.get(entry);
      table = value === undefined ? this.newTable() : value & 0xf_ffff_ffff_f000n;
      const isPdpte = this.mode === "pae" && level.shift === 30;
      this.entries.set(entry, value ?? table | (isPdpte ? bit.PRESENT : bit.OPEN_TABLE));
    }
    throw new Error(`no level of mode ${this.mode} maps 1 << ${leafShift} bytes`);
  }

  /** The sizes of pages that this case's control state knows. */
  pageShifts(): readonly number[] {
    if (this.mode === "l2") return this.cr4 & bit.CR4_PAGE_SIZE ? [12, 22] : [12];
    const canBeGigabyte = this.oracle.gigabytePages && bit.is64Bit(this.mode);
    return canBeGigabyte ? [12, 21, 30] : [12, 21];
  }

  /** Mostly 4 KiB. */
  pageShift(): number {
    return this.dice.once(2) ? 12 : this.dice.pick(this.pageShifts());
  }

  /** Frame and size of a page that grants nothing; in 32-bit mode, the address folded into it. */
  leaf(shift: number): bigint {
    const frame = this.frame(shift);
    if (shift === 12) return frame;
    const low = this.mode === "l2" ? frame & 0xffc0_0000n : frame;
    const high = this.mode === "l2" ? (frame >> 32n) << 13n : 0n;
    return low | high | bit.PAGE_SIZE;
  }

  set(address: bigint, value: bigint): void {
    this.entries.set(address, value);
  }

  or(address: bigint, flags: bigint): void {
    this.set(address, (this.entries.get(address) ?? 0n) | flags);
  }

  /** A random access; whatever `options` leaves open is drawn. */
  access(address: bigint, options: AccessOptions = {}): void {
    const { dice } = this;
    const kind = options.kind ?? this.accessKind();
    const widest = bit.is64Bit(this.mode) ? 8 : 4;
    const narrower = kind === "compare" || options.stack === true ? [4] : [1, 2, 4];
    const bytes = options.bytes ?? (dice.once(6) ? dice.pick(narrower as (1 | 2 | 4)[]) : widest);
    this.operations.push({
      kind,
      address,
      bytes: kind === "execute" ? widest : bytes,
      user: options.user ?? dice.once(2),
      alignmentCheck: options.alignmentCheck ?? false,
      stack: options.stack ?? false,
      // Odd: adding it changes memory, so that the oracle sees where.
      value: kind === "read" || kind === "execute" ? 0n : dice.bits(8 * bytes) | 1n,
    });
  }

  private accessKind(): DataOperation["kind"] {
    if (this.oracle.comparesAsStore && this.dice.once(12)) return "compare";
    return this.dice.pick(["read", "read", "write", "write", "execute", "add"]);
  }

  finish(id: string, category: string): VectorCase {
    const { mode, vendor, physicalAddressBits, cr0, cr3, cr4, efer, pkru, operations } = this;
    const entries = [...this.entries].map(([address, value]) => ({ address, value }));
    const processor = { vendor, physicalAddressBits, gigabytePages: this.oracle.gigabytePages };
    const registers = { cr0, cr3, cr4, efer, pkru };
    return { id, category, mode, ...processor, ...registers, entries, operations };
  }
}
