// Changes of page tables whose flush is still to come: the CPU that made one has not flushed it
// yet, or reclaim has put the flush off. Until then the older translation may be used, and whoever
// else flushes the same range, and began before the change, does not answer for it.

import { overlap, type PageNumber, type PageRange } from "../base/address.ts";
import type { Mm } from "../kernel/state/mm.ts";
import { type Restore, saveArray } from "../base/restore.ts";

interface Change {
  readonly cpu: number;
  readonly mm: Mm;
  readonly range: PageRange;
  /** The moment, as the checker counts them. */
  readonly at: number;
  /** Put off until the next batched flush of its CPU. */
  readonly deferred: boolean;
  /** The moment at which the flush began that left it to others. */
  readonly leftBy?: number;
}

/** What is to be condemned, and when its flush, or its withdrawal, began. */
export interface Condemned {
  readonly mm: Mm;
  readonly range: PageRange;
  readonly since: number;
  /** A flush of it has returned. */
  readonly returned: boolean;
}

/** No CPU's flush ends this: the pages' free does. */
const NOBODY = -1;

export class UnflushedChanges {
  private changes: Change[] = [];

  /** `cpu` has withdrawn what the entry of a range granted. */
  withdrawn(cpu: number, mm: Mm, range: PageRange, at: number): void {
    const last = this.changes.at(-1);
    const goesOn = last?.cpu === cpu && last.mm === mm && last.at === at && !last.deferred;
    if (goesOn && last.range.end === range.start) {
      const longer = { start: last.range.start, end: range.end };
      this.changes[this.changes.length - 1] = { ...last, range: longer };
    } else this.changes.push({ cpu, mm, range, at, deferred: false });
  }

  /** `cpu` puts the flush of a range off. */
  deferred(cpu: number, mm: Mm, range: PageRange, at: number): void {
    this.changes.push({ cpu, mm, range, at, deferred: true });
  }

  /**
   * The flush of `cpu` that began at the moment `leftBy` leaves what it has withdrawn to whoever
   * comes by: it may be used until its pages are freed.
   */
  postponed(cpu: number, mm: Mm, range: PageRange, leftBy: number): void {
    const own = this.changes.findLast(
      (one) => one.cpu === cpu && one.mm === mm && overlap(one.range, range),
    );
    const at = own?.at ?? leftBy;
    this.changes.push({ cpu: NOBODY, mm, range, at, deferred: true, leftBy });
  }

  /** The pages of a postponed unmapping are free. */
  endPostponed(mm: Mm, { start, end }: PageRange): void {
    const index = this.changes.findIndex(
      ({ cpu, mm: of, range }) =>
        cpu === NOBODY && of === mm && range.start === start && range.end === end,
    );
    if (index >= 0) this.changes.splice(index, 1);
  }

  /** A flush of `mm` by `cpu` that began at the moment `since` has returned. */
  flushed(cpu: number, mm: Mm, since: number): void {
    this.drop((one) => one.cpu === cpu && one.mm === mm && one.at < since && !one.deferred);
  }

  /** The batched flush of `cpu` has returned: what it stood for. */
  batchFlushed(cpu: number): readonly { readonly mm: Mm; readonly range: PageRange }[] {
    const own = this.changes.filter((one) => one.cpu === cpu && one.deferred);
    const mms = new Set(own.map(({ mm }) => mm));
    this.drop((one) => one.cpu === cpu && mms.has(one.mm));
    return own;
  }

  forget(mm: Mm): void {
    this.drop((one) => one.mm === mm);
  }

  /**
   * What is left of the range without what others than `by` changed from `since` on. Who has not
   * flushed it is not to have flushed what is postponed either, whenever that was.
   */
  without(by: number, { mm, range, since, returned }: Condemned): readonly PageRange[] {
    if (this.changes.length === 0) return [range];
    const isExcused = ({ cpu, at, leftBy }: Change): boolean =>
      cpu !== by && (at >= since || leftBy === since || (cpu === NOBODY && !returned));
    const excused = this.changes
      .filter((one) => one.mm === mm && isExcused(one))
      .map((one) => one.range)
      .sort((a, b) => a.start - b.start);
    return subtract(range, excused);
  }

  save(): Restore {
    return saveArray(this.changes);
  }

  private drop(done: (change: Change) => boolean): void {
    if (this.changes.length === 0) return;
    const left = this.changes.filter((change) => !done(change));
    this.changes.splice(0, this.changes.length, ...left);
  }
}

/** The parts of `range` that none of the others, in order of their starts, covers. */
function subtract(range: PageRange, others: readonly PageRange[]): readonly PageRange[] {
  const parts: PageRange[] = [];
  let { start } = range;
  for (const other of others) {
    const end = Math.min(other.start, range.end) as PageNumber;
    if (end > start) parts.push({ start, end });
    if (other.end > start) start = other.end;
  }
  if (start < range.end) parts.push({ start, end: range.end });
  return parts;
}
