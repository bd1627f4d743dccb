// Page tables in emulated memory, for one root: real entries, written where the walker reads them.

import {
  addressOfFrame,
  type FrameNumber,
  frameNumber,
  frameOf,
  pageNumber,
  type PageNumber,
  type PageRange,
  pagesIn,
  type PhysicalAddress,
  physicalAddress,
} from "../base/address.ts";
import { assert } from "../base/assert.ts";
import type { PageSize } from "./description.ts";
import { type Callers, guard } from "./doors.ts";
import { checkedFrames, checkTables, type Obstacle, tableDoors } from "./page-table-doors.ts";

/** Bits of a paging-structure entry (SDM 3A 4.5). */
export const PRESENT = 1n << 0n;
export const WRITABLE = 1n << 1n;
export const USER = 1n << 2n;
export const ACCESSED = 1n << 5n;
export const DIRTY = 1n << 6n;
export const PAGE_SIZE = 1n << 7n;
const GLOBAL = 1n << 8n;
export const NO_EXECUTE = 1n << 63n;

const ADDRESS_BITS = 0x000f_ffff_ffff_f000n;
const TABLE_ENTRIES = 512;
/** The level of the table whose entries map pages of a size. */
export const LEVEL_OF: Readonly<Record<PageSize, number>> = { "4K": 1, "2M": 2, "1G": 3 };

export interface EntryFlags {
  readonly writable?: boolean;
  readonly user?: boolean;
  readonly global?: boolean;
  readonly noExecute?: boolean;
}

/** A present entry for a frame. */
export function entryOf(frame: FrameNumber, flags: EntryFlags): bigint {
  let entry = addressOfFrame(frame) | PRESENT;
  if (flags.writable) entry |= WRITABLE;
  if (flags.user) entry |= USER;
  if (flags.global) entry |= GLOBAL;
  if (flags.noExecute) entry |= NO_EXECUTE;
  return entry;
}

export const frameOfEntry = (entry: bigint): FrameNumber =>
  frameOf(physicalAddress(entry & ADDRESS_BITS));

export interface Mapping extends EntryFlags {
  readonly frame: FrameNumber;
  readonly size?: PageSize;
}

/** How many pages one entry of a table of `level` spans. */
const pagesSpanned = (level: number): number => TABLE_ENTRIES ** (level - 1);

/** 4 KiB pages that one page of a size covers. */
export const pagesPer = (size: PageSize): number => pagesSpanned(LEVEL_OF[size]);

/** 4 KiB pages that one table of entries which map pages of a size covers. */
export const pagesPerTable = (size: PageSize): number => pagesSpanned(LEVEL_OF[size] + 1);

export const smallerPage = (one: PageSize, other: PageSize): PageSize =>
  LEVEL_OF[one] < LEVEL_OF[other] ? one : other;

export const indexIn = (level: number, page: PageNumber): number =>
  Math.floor(page / pagesSpanned(level)) % TABLE_ENTRIES;

/** Where an entry of a table is. */
export const entryAddress = (table: FrameNumber, index: number): PhysicalAddress =>
  physicalAddress(addressOfFrame(table) + BigInt(8 * index));

export interface ReachedTable {
  readonly table: FrameNumber;
  readonly level: number;
}

/** What page tables take of a machine: its memory, and what it finds in tables without cycles. */
export interface TableMemory {
  readonly levels: number;
  /** Page tables are called by whom their machine is called by. */
  readonly callers: Callers;
  readEntry(table: FrameNumber, index: number): bigint;
  writeEntry(table: FrameNumber, index: number, value: bigint): void;
  findTable(root: FrameNumber, page: PageNumber, level: number): ReachedTable;
  nextLeaf(
    root: FrameNumber,
    page: PageNumber,
    end: PageNumber,
  ): { readonly page: PageNumber; readonly pages: number };
  nextPresent(table: number, from: number): number;
  tableBelow(table: number, index: number, level: number): number;
}

export class PageTables {
  readonly root: FrameNumber;

  private readonly allocateFrame: () => FrameNumber;

  constructor(
    private readonly machine: TableMemory,
    allocateFrame: () => FrameNumber,
    root?: FrameNumber,
    /** A second root, with the same entries in the user half; null: there is none. */
    readonly userRoot: FrameNumber | null = null,
  ) {
    const isTrusted = machine?.callers === "trusted";
    if (!isTrusted) checkTables({ machine, allocateFrame, root, userRoot });
    this.allocateFrame = isTrusted ? allocateFrame : checkedFrames(allocateFrame);
    this.root = root ?? this.allocateFrame();
    if (isTrusted) return;
    const obstacle = (page: PageNumber, level: number) => this.obstacle(page, level);
    guard<PageTables>(this, "PageTables", tableDoors({ machine, levelOf: LEVEL_OF, obstacle }));
  }

  /** Maps the page of `size` that `page` is in, making the tables on its path. */
  map(page: PageNumber, mapping: Mapping): void {
    const size = mapping.size ?? "4K";
    const large = size === "4K" ? 0n : PAGE_SIZE;
    this.setEntry(page, entryOf(mapping.frame, mapping) | large, size);
  }

  /** The present leaf entry that maps `page`, else what its 4 KiB entry holds; 0n without one. */
  entryAt(page: PageNumber): bigint {
    const reached = this.machine.findTable(this.root, page, 1);
    return this.machine.readEntry(reached.table, indexIn(reached.level, page));
  }

  /** Writes a leaf entry, making the tables on its path unless it is 0n. Returns the old entry. */
  setEntry(page: PageNumber, entry: bigint, size: PageSize = "4K"): bigint {
    const level = LEVEL_OF[size];
    let reached = this.machine.findTable(this.root, page, level);
    if (reached.level > level) {
      if (entry === 0n) return 0n;
      reached = this.makeTables(page, level);
    }
    const index = indexIn(level, page);
    const old = this.machine.readEntry(reached.table, index);
    const isTable = level > 1 && (old & PRESENT) !== 0n && (old & PAGE_SIZE) === 0n;
    assert(!isTable, "a large page does not take the place of a table");
    this.write(reached.table, index, entry);
    return old;
  }

  /** Makes the tables that are missing on the page's path, down to that of `level`. */
  makeTables(page: PageNumber, level = 1): ReachedTable {
    let reached = this.machine.findTable(this.root, page, level);
    while (reached.level > level) {
      const index = indexIn(reached.level, page);
      const above = this.machine.readEntry(reached.table, index);
      assert((above & PRESENT) === 0n, "no entry goes below a large page");
      const rights = { writable: true, user: true };
      this.write(reached.table, index, entryOf(this.allocateFrame(), rights));
      reached = this.machine.findTable(this.root, page, level);
    }
    return reached;
  }

  /** The page's entry in the root becomes that of `other`: the tables below it are shared. */
  shareTop(other: PageTables, page: PageNumber): void {
    const index = indexIn(this.machine.levels, page);
    this.machine.writeEntry(this.root, index, this.machine.readEntry(other.root, index));
  }

  /** Where the deepest entry on the page's path is. */
  addressOfEntry(page: PageNumber): PhysicalAddress {
    const { table, level } = this.machine.findTable(this.root, page, 1);
    return entryAddress(table, indexIn(level, page));
  }

  /** The first page of every present leaf of the range, ascending; absent subtrees are skipped. */
  presentPages(range: PageRange): PageNumber[] {
    const pages: PageNumber[] = [];
    let next = this.machine.nextLeaf(this.root, range.start, range.end);
    while (next.page < range.end) {
      pages.push(next.page);
      const behind = (Math.floor(next.page / next.pages) + 1) * next.pages;
      next = this.machine.nextLeaf(this.root, pageNumber(behind), range.end);
    }
    return pages;
  }

  /** The parts of the range that there is a table for pages of `size` for, one for each. */
  tablesOf(range: PageRange, size: PageSize): PageRange[] {
    const level = LEVEL_OF[size];
    const parts: PageRange[] = [];
    for (let { start } = range; start < range.end;) {
      const reached = this.machine.findTable(this.root, start, level);
      const isThere = reached.level === level;
      // Where there is none, all that the missing entry would have led to is passed over.
      const span = pagesSpanned(isThere ? level + 1 : reached.level);
      const behind = (Math.floor(start / span) + 1) * span;
      const end = pageNumber(Math.min(behind, range.end));
      if (isThere) parts.push({ start, end });
      start = end;
    }
    return parts;
  }

  /**
   * Unlinks every table below the root that overlaps the range and of whose own range `unused` is
   * true. Returns their frames, children before parents.
   */
  detach(range: PageRange, unused: (covered: PageRange) => boolean): FrameNumber[] {
    const detached: FrameNumber[] = [];
    const { levels } = this.machine;
    const span = pagesSpanned(levels + 1);
    const first = Math.floor(range.start / span) * span;
    this.detachBelow(this.root, levels, first, range, unused, detached);
    return detached;
  }

  /** As detach, of the last-level table whose range this is, if no entry of it is present. */
  detachIfEmpty(table: PageRange): FrameNumber[] {
    const isEmpty = this.presentPages(table).length === 0;
    return this.detach(table, (covered) => isEmpty && pagesIn(covered) === pagesIn(table));
  }

  private obstacle(page: PageNumber, level: number): Obstacle {
    const reached = this.machine.findTable(this.root, page, level);
    const entry = this.machine.readEntry(reached.table, indexIn(reached.level, page));
    if ((entry & PRESENT) === 0n) return "none";
    if (reached.level > level) return "larger page";
    return level > 1 && (entry & PAGE_SIZE) === 0n ? "table" : "none";
  }

  private detachBelow(
    table: FrameNumber,
    level: number,
    firstPage: number,
    range: PageRange,
    unused: (covered: PageRange) => boolean,
    detached: FrameNumber[],
  ): void {
    const span = pagesSpanned(level);
    const from = Math.max(0, Math.floor((range.start - firstPage) / span));
    for (let index = this.machine.nextPresent(table, from); index < TABLE_ENTRIES;) {
      const start = firstPage + index * span;
      if (start >= range.end) return;
      const below = this.machine.tableBelow(table, index, level);
      if (below >= 0) {
        const frame = frameNumber(below);
        if (level > 2) this.detachBelow(frame, level - 1, start, range, unused, detached);
        if (unused({ start: pageNumber(start), end: pageNumber(start + span) })) {
          this.write(table, index, 0n);
          detached.push(frame);
        }
      }
      index = this.machine.nextPresent(table, index + 1);
    }
  }

  /** Writes an entry; one of the root's user half goes into both roots. */
  private write(table: FrameNumber, index: number, entry: bigint): void {
    this.machine.writeEntry(table, index, entry);
    if (this.userRoot === null || table !== this.root || index >= TABLE_ENTRIES / 2) return;
    this.machine.writeEntry(this.userRoot, index, entry);
  }
}
