// All walks for a linear address whose parts may still be cached. Each entry of such a walk has a
// moment in which it was read, no earlier than that of the entry above, and what the entry above
// said was not dropped from the paging-structure caches in between. Walks that end at an entry that
// maps nothing are not cached: they are found only where that entry is read now.

import {
  ENTRY,
  isLeaf,
  type Level,
  pageOf,
  reservedBits,
  SHAPES,
  shiftOf,
  tableOf,
} from "../../reference/entry.ts";
import type { Refusal } from "../../reference/fault.ts";
import { bit, bits, CR4, has } from "../../reference/registers.ts";
import { ALL_RIGHTS, narrow, type Rights } from "../../reference/rights.ts";
import type { History, Moment } from "./entry-history.ts";
import { type Cached, dropsStructure, type Invalidation } from "./invalidation.ts";

const GLOBAL = bit(8);
const FLAGS = ENTRY.A | ENTRY.D;

export interface EntryRead {
  readonly at: bigint;
  readonly bytes: 4 | 8;
}

interface EntryValue {
  readonly level: Level;
  readonly value: bigint;
}

/** A translation that may have been cached in a moment. */
export interface Translation extends Cached {
  readonly made: number;
  readonly global: boolean;
  readonly physical: bigint;
  readonly rights: Rights;
  readonly leaf: bigint;
  readonly leafRead: EntryRead;
}

export interface HeldWalks {
  readonly translations: Translation[];
  /** Why a walk that is made now may end without one. */
  readonly refusals: Set<Refusal>;
  /** Entries that a walk made now may use, and whether as a leaf. */
  readonly used: Map<bigint, { readonly bytes: 4 | 8; readonly isLeaf: boolean }>;
}

export function heldWalks(history: History, address: bigint): HeldWalks {
  const walks: HeldWalks = { translations: [], refusals: new Set(), used: new Map() };
  for (const pcid of new Set(history.moments.slice(history.oldest).map((moment) => moment.pcid))) {
    new Search(history, address, pcid, walks).run();
  }
  return walks;
}

/** An entry on the way: where it is, and what those above it allow. */
interface Place {
  readonly depth: number;
  readonly table: bigint;
  readonly rights: Rights;
}

class Search {
  private readonly moments: readonly Moment[];
  private readonly now: number;
  private readonly isCurrent: boolean;
  /** Tables that were descended to, with rights and moments. */
  private readonly seen = new Set<string>();

  constructor(
    private readonly history: History,
    private readonly address: bigint,
    private readonly pcid: bigint,
    private readonly walks: HeldWalks,
  ) {
    ({ moments: this.moments, now: this.now } = history);
    this.isCurrent = history.current.pcid === pcid;
  }

  /** From the tables that CR3 named in each moment. */
  run(): void {
    this.readEach(this.history.oldest, undefined, (moment) => this.root(moment));
  }

  /**
   * The table that a walk in that moment begins with. PAE paging begins with a PDPTE register,
   * which is no cache: it holds for the walk that reads it. undefined: it is not present.
   */
  private root({ mode, processor: { registers, pdptes } }: Moment): Place | undefined {
    if (mode === "PAE") {
      const pdpte = pdptes[Number((this.address >> 30n) & 3n)]!;
      if (!has(pdpte, ENTRY.P)) return undefined;
      return { depth: 1, table: tableOf(pdpte), rights: ALL_RIGHTS };
    }
    const table = registers.cr3 & bits(mode === "32-bit" ? 31 : 51, 12);
    return { depth: 0, table, rights: ALL_RIGHTS };
  }

  /**
   * Reads an entry in each moment from `first` in which the PCID is current and `above` is cached;
   * only once among moments between which nothing changes.
   */
  private readEach(
    first: number,
    above: Cached | undefined,
    placeIn: (moment: Moment) => Place | undefined,
  ): void {
    let last = "";
    for (let time = first; time <= this.now; time++) {
      const moment = this.moments[time]!;
      const { invalidation } = moment;
      if (invalidation !== undefined && time > first) {
        if (above !== undefined && dropsStructure(invalidation, above)) return;
        if (this.concerns(invalidation)) last = "";
      }
      if (moment.pcid !== this.pcid || moment.mode === "none") continue;
      if (above !== undefined && moment.mode !== this.moments[first]!.mode) continue;
      const place = placeIn(moment);
      if (place === undefined) {
        this.refuse("not present", time);
        last = "";
        continue;
      }
      const entry = this.entryAt(place, time);
      const key = `${entry.at} ${entry.value & ~FLAGS} ${moment.form}`;
      const isNew = key !== last;
      last = key;
      const refusal = this.refusalOf(entry, moment);
      if (refusal !== undefined) this.refuse(refusal, time);
      else if (isNew) this.use(place, entry, time);
    }
  }

  private refuse(refusal: Refusal, time: number): void {
    if (time === this.now && this.isCurrent) this.walks.refusals.add(refusal);
  }

  /** There are many ways to one table, and what lies below does not depend on the way. */
  private descend(place: Place, above: Cached, time: number): void {
    const { writable, user, executable } = place.rights;
    const way = `${place.depth} ${place.table} ${writable} ${user} ${executable} ${time}`;
    if (this.seen.has(way)) return;
    this.seen.add(way);
    this.readEach(time, above, () => place);
  }

  /** Whether an invalidation may drop anything of the address in this PCID. */
  private concerns({ pcid, address, globals, structures }: Invalidation): boolean {
    if (pcid !== undefined && pcid !== this.pcid && !globals) return false;
    return address === undefined || structures === "all" || (address ^ this.address) >> 48n === 0n;
  }

  private entryAt({ depth, table }: Place, time: number): EntryRead & EntryValue {
    const shape = SHAPES[this.moments[time]!.mode];
    const level = shape.levels[depth]!;
    const bytes = shape.entryBytes;
    const index = (this.address >> BigInt(shiftOf(shape, level))) & bits(shape.indexBits - 1, 0);
    const at = table + index * BigInt(bytes);
    return { at, bytes, level, value: this.history.valueAt(at, bytes, time) };
  }

  /** SDM 3A 4.10.2.2, 4.10.3: nothing is cached of an entry that is not present or reserved. */
  private refusalOf({ level, value }: EntryValue, { processor }: Moment): Refusal | undefined {
    if (!has(value, ENTRY.P)) return "not present";
    return has(value, reservedBits(processor, level, value)) ? "reserved bit" : undefined;
  }

  private use({ depth, rights: above }: Place, entry: EntryRead & EntryValue, time: number): void {
    const { at, bytes, level, value } = entry;
    const { processor, mode } = this.moments[time]!;
    const rights = narrow(above, value);
    const maps = isLeaf(processor, level, value);
    if (this.isCurrent) {
      this.walks.used.set(at, { bytes, isLeaf: maps || this.walks.used.get(at)?.isLeaf === true });
    }
    const shift = shiftOf(SHAPES[mode], level);
    const cached = { pcid: this.pcid, address: this.address, shift };
    if (!maps) {
      this.descend({ depth: depth + 1, table: tableOf(value), rights }, cached, time);
      return;
    }
    this.walks.translations.push({
      ...cached,
      made: time,
      global: has(value, GLOBAL) && has(processor.registers.cr4, CR4.PGE),
      physical: pageOf(processor, level, value) | (this.address & bits(shift - 1, 0)),
      rights,
      leaf: value,
      leafRead: { at, bytes },
    });
  }
}
