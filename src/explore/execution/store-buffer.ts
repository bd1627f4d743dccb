// One CPU's store buffer under x86-TSO (Sewell, Sarkar, Owens, Zappa Nardelli, Myreen: x86-TSO,
// CACM 2010): plain stores wait here in order, and the CPU's own loads see them first. Page walks
// do not: they read memory.

import { hex, type PageNumber } from "../../base/address.ts";
import type { Cell } from "../../kernel/operation/cell.ts";
import type { Mm } from "../../kernel/state/mm.ts";
import type { PageSize } from "../../machine/description.ts";

export interface BufferedValue {
  readonly cell: Cell;
  readonly value: unknown;
  /** The step that issued it. */
  readonly step: number;
}

/** A leaf entry of a page table. */
export interface BufferedEntry {
  readonly cell: null;
  readonly mm: Mm;
  readonly page: PageNumber;
  readonly entry: bigint;
  readonly size: PageSize;
  readonly step: number;
}

export type BufferedStore = BufferedValue | BufferedEntry;

/** For example "a.context.tlb_gen = 2". */
export function describeStore(store: BufferedStore): string {
  if (store.cell !== null) return `${store.cell.name} = ${describeValue(store.value)}`;
  return `entry of page ${hex(store.page)} of ${store.mm.name} = ${hex(store.entry)}`;
}

function describeValue(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  return "name" in value ? String(value.name) : "a new value";
}

export class StoreBuffer {
  private stores: BufferedStore[] = [];

  get isEmpty(): boolean {
    return this.stores.length === 0;
  }

  /** Oldest first. */
  get waiting(): readonly BufferedStore[] {
    return this.stores;
  }

  add(store: BufferedStore): void {
    this.stores.push(store);
  }

  /** Takes out the oldest. */
  remove(): BufferedStore {
    return this.stores.shift()!;
  }

  clear(): void {
    if (this.stores.length > 0) this.stores = [];
  }

  /** What a load of the cell by this CPU sees. */
  valueOf(cell: Cell): unknown {
    for (let index = this.stores.length - 1; index >= 0; index--) {
      const store = this.stores[index]!;
      if (store.cell === cell) return store.value;
    }
    return cell.value;
  }

  /** The youngest store to the leaf entry of a page, if one waits. */
  entryOf(mm: Mm, page: PageNumber): bigint | undefined {
    for (let index = this.stores.length - 1; index >= 0; index--) {
      const store = this.stores[index]!;
      if (store.cell === null && store.mm === mm && store.page === page) return store.entry;
    }
    return undefined;
  }
}
