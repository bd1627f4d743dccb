// vm_area_struct and the list of an mm's areas: what is mapped where, with which rights. Areas that
// touch and do not differ are one, as in Linux (vma_merge); those of large pages stay as they are.

import type { PageNumber, PageRange } from "../../base/address.ts";
import { assert } from "../../base/assert.ts";
import type { PageSize } from "../../machine/description.ts";
import { pagesPer } from "../../machine/page-table.ts";
import type { Cell } from "../operation/cell.ts";
import { type Restore, saveArray } from "../../base/restore.ts";

/** The lock of one area. Its count has a line of its own, as in vm_area_struct. */
export interface AreaLock {
  /** vm_refcnt: 1 while nobody has it, 1 more for each reader, WRITER more for a writer. */
  readonly references: Cell<number>;
  /** vm_lock_seq: write-locked while it is mm_lock_seq. */
  readonly sequence: Cell<number>;
}

/** A mapped range of anonymous private memory (files are mapped as if anonymous). */
export interface Area {
  readonly start: PageNumber;
  readonly end: PageNumber;
  readonly writable: boolean;
  readonly executable: boolean;
  /** What each of its entries maps, as with MAP_HUGETLB: 4K unless given. */
  readonly pageSize?: PageSize;
  /** Given by the list; absent in a kernel without per-VMA locks. */
  readonly lock?: AreaLock;
}

/** Makes and takes back the locks of areas. */
export interface AreaLocks {
  /** As `split` is at the moment, which it was split from (__split_vma); free without. */
  create(start: PageNumber, split?: AreaLock): AreaLock;
  release(lock: AreaLock): void;
}

/** The areas of an address space, sorted, never overlapping. */
export class AreaList {
  private areas: Area[] = [];

  constructor(private readonly locks: AreaLocks | null = null) {}

  get all(): readonly Area[] {
    return this.areas;
  }

  /** The area that holds `page`: find_vma with a check. */
  at(page: PageNumber): Area | undefined {
    const index = this.firstEndingAfter(page);
    const area = this.areas[index];
    return area !== undefined && area.start <= page ? area : undefined;
  }

  overlaps(range: PageRange): boolean {
    const area = this.areas[this.firstEndingAfter(range.start)];
    return area !== undefined && area.start < range.end;
  }

  /** Enters an area where none is. */
  add(area: Area): void {
    const [before, after] = this.joining(area);
    const start = before?.start ?? area.start;
    const end = after?.end ?? area.end;
    // Of those that become one the lowest that was in the list goes on.
    const lock = before?.lock ?? after?.lock ?? area.lock ?? this.locks?.create(start);
    for (const one of [area, after]) if (one?.lock !== lock) this.release(one);
    const joined = Number(before !== undefined) + Number(after !== undefined);
    const whole = { ...area, start, end, ...(lock && { lock }) };
    this.areas.splice(this.firstEndingAfter(start), joined, whole);
  }

  /** The areas that `area` would become one with: below it, and above. */
  joining(area: Area): [before: Area | undefined, after: Area | undefined] {
    const likeIt = (other: Area | undefined): Area | undefined =>
      other !== undefined && isAlike(other, area) ? other : undefined;
    return [likeIt(this.at((area.start - 1) as PageNumber)), likeIt(this.at(area.end))];
  }

  /**
   * Takes the range out, splitting areas at its borders. Returns the parts taken out, which keep
   * their locks (__split_vma): they are to be added again, or released.
   */
  remove(range: PageRange): Area[] {
    const first = this.firstEndingAfter(range.start);
    const kept: Area[] = [];
    const removed: Area[] = [];
    let last = first;
    for (; last < this.areas.length && this.areas[last]!.start < range.end; last++) {
      const area = this.areas[last]!;
      if (area.start < range.start) kept.push(this.splitOff(area, { end: range.start }));
      removed.push(partOf(area, range));
      if (area.end > range.end) kept.push(this.splitOff(area, { start: range.end }));
    }
    this.areas.splice(first, last - first, ...kept);
    return removed;
  }

  /** The parts of areas that are in the range. */
  within(range: PageRange): Area[] {
    const parts: Area[] = [];
    for (let index = this.firstEndingAfter(range.start); index < this.areas.length; index++) {
      const area = this.areas[index]!;
      if (area.start >= range.end) break;
      parts.push(partOf(area, range));
    }
    return parts;
  }

  /** mprotect: the same areas with other rights. Returns the parts that changed, as they were. */
  protect(range: PageRange, rights: { writable: boolean; executable: boolean }): Area[] {
    const removed = this.remove(range);
    for (const area of removed) this.add({ ...area, ...rights });
    return removed;
  }

  /** `pageCount` free pages at or above `from`, at a multiple of `align`: the lowest that fit. */
  findFree(pageCount: number, from: PageNumber, align = 1): PageRange {
    const aligned = (page: number): number => Math.ceil(page / align) * align;
    let start = aligned(from);
    for (let index = this.firstEndingAfter(from); index < this.areas.length; index++) {
      const area = this.areas[index]!;
      if (area.start - start >= pageCount) break;
      start = Math.max(start, aligned(area.end));
    }
    return { start: start as PageNumber, end: (start + pageCount) as PageNumber };
  }

  /** An area that was taken out is gone. */
  release(area: Area | undefined): void {
    if (area?.lock !== undefined) this.locks?.release(area.lock);
  }

  copyFrom(other: AreaList): void {
    this.areas = other.areas.map(({ lock: _others, ...area }) => this.withLock(area));
  }

  clear(): Area[] {
    const all = this.areas;
    for (const area of all) this.release(area);
    this.areas = [];
    return all;
  }

  private splitOff(area: Area, part: Partial<PageRange>): Area {
    const { lock, ...rest } = area;
    return this.withLock({ ...rest, ...part }, lock);
  }

  private withLock(area: Area, split?: AreaLock): Area {
    const lock = this.locks?.create(area.start, split);
    return { ...area, ...(lock && { lock }) };
  }

  save(): Restore {
    const { areas } = this;
    const inside = saveArray(areas);
    return () => {
      this.areas = areas;
      inside();
    };
  }

  private firstEndingAfter(page: PageNumber): number {
    let low = 0;
    let high = this.areas.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.areas[middle]!.end > page) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** Not VM_HUGETLB: its entries map pages of 4 KiB. */
export const isSmall = ({ pageSize = "4K" }: Area): boolean => pageSize === "4K";

/** Whether two areas could be one: is_mergeable_vma, and not VM_HUGETLB. */
function isAlike(one: Area, other: Area): boolean {
  return (
    isSmall(one) &&
    isSmall(other) &&
    one.writable === other.writable &&
    one.executable === other.executable
  );
}

/** What of the area is in the range: whole pages of its size. */
function partOf(area: Area, range: PageRange): Area {
  const start = Math.max(area.start, range.start) as PageNumber;
  const end = Math.min(area.end, range.end) as PageNumber;
  const step = pagesPer(area.pageSize ?? "4K");
  assert(start % step === 0 && end % step === 0, "a large page is not split (EINVAL)");
  return { ...area, start, end };
}
