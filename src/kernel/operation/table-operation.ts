// Operations on the shape of an address space's page tables: which tables and leaves there are.

import type { FrameNumber, PageNumber, PageRange } from "../../base/address.ts";
import type { PageSize } from "../../machine/description.ts";
import type { Mm } from "../state/mm.ts";
import type { KernelCode } from "./operation.ts";

export type TableOperation =
  | {
      readonly kind: "presentPages" | "detachTables" | "detachIfEmpty";
      readonly mm: Mm;
      readonly range: PageRange;
    }
  | {
      readonly kind: "tablesOf";
      readonly mm: Mm;
      readonly range: PageRange;
      readonly size: PageSize;
    };

/** The first page of each present leaf of the range, ascending; absent subtrees are skipped. */
export function* presentPages(mm: Mm, range: PageRange): KernelCode<PageNumber[]> {
  return (yield { kind: "presentPages", mm, range }) as PageNumber[];
}

/** The parts of the range that there is a table for leaves of `size` for, one for each table. */
export function* tablesOf(mm: Mm, range: PageRange, size: PageSize): KernelCode<PageRange[]> {
  return (yield { kind: "tablesOf", mm, range, size }) as PageRange[];
}

/**
 * free_pgtables: unlinks every table below the root that overlaps the range and serves no area of
 * the mm any more. Returns their frames, which are still allocated.
 */
export function* detachTables(mm: Mm, range: PageRange): KernelCode<FrameNumber[]> {
  return (yield { kind: "detachTables", mm, range }) as FrameNumber[];
}
