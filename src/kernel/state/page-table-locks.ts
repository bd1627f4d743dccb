// Split page-table locks (USE_SPLIT_PTE_PTLOCKS, since Linux 2.6.15; of middle tables since 3.13):
// each table of leaf entries has a lock of its own, in the table's struct page. Unlike Linux, the
// lock stays when the table is freed, for the next one at that place; and neither making nor
// unlinking a table takes the lock of the level above.

import type { PageNumber } from "../../base/address.ts";
import type { PageSize } from "../../machine/description.ts";
import { pagesPerTable } from "../../machine/page-table.ts";
import type { Cell } from "../operation/cell.ts";
import type { Restore } from "../../base/restore.ts";

export class PageTableLocks {
  private locks = new Map<string, Cell<number>>();

  constructor(private readonly create: (name: string) => Cell<number>) {}

  /** pte_lockptr, pmd_lockptr: the lock of the table that maps `page` by a leaf of `size`. */
  of(page: PageNumber, size: PageSize): Cell<number> {
    const pages = pagesPerTable(size);
    const name = `${size}[${Math.floor(page / pages).toString(16)}]`;
    let lock = this.locks.get(name);
    if (lock === undefined) this.locks.set(name, (lock = this.create(name)));
    return lock;
  }

  get all(): readonly Cell<number>[] {
    return [...this.locks.values()];
  }

  save(): Restore {
    const saved = [...this.locks];
    return () => {
      if (this.locks.size !== saved.length) this.locks = new Map(saved);
    };
  }
}
