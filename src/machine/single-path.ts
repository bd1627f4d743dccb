// Page tables that map one page and no other: a root, and one table of each level below it. A CPU
// that loads such a root can walk to that page without touching the entries that all CPUs share.

import type { FrameNumber, PageNumber, PhysicalAddress } from "../base/address.ts";
import type { PageSize } from "./description.ts";
import type { Machine } from "./machine.ts";
import { entryAddress, entryOf, indexIn, LEVEL_OF } from "./page-table.ts";

export class SinglePath {
  readonly root: FrameNumber;
  /** That of level 1 first. */
  readonly tables: readonly FrameNumber[];

  constructor(
    private readonly machine: Machine,
    allocateFrame: () => FrameNumber,
  ) {
    this.root = allocateFrame();
    this.tables = Array.from({ length: machine.levels - 1 }, allocateFrame);
  }

  /**
   * The path leads to `page` by this leaf entry; null: no longer. Returns where entries were
   * written.
   */
  set(page: PageNumber, leaf: bigint | null, size: PageSize): readonly PhysicalAddress[] {
    const written: PhysicalAddress[] = [];
    for (let level = this.machine.levels; level >= LEVEL_OF[size]; level--) {
      const [table, index] = [this.tableOf(level), indexIn(level, page)];
      this.machine.writeEntry(table, index, this.entryIn(level, leaf, size));
      written.push(entryAddress(table, index));
    }
    return written;
  }

  private entryIn(level: number, leaf: bigint | null, size: PageSize): bigint {
    if (leaf === null) return 0n;
    if (level === LEVEL_OF[size]) return leaf;
    return entryOf(this.tableOf(level - 1), { writable: true, user: true });
  }

  private tableOf(level: number): FrameNumber {
    return this.tables[level - 1] ?? this.root;
  }
}
