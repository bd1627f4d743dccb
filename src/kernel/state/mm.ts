// struct mm_struct: an address space, its two counters, its page tables and its TLB context.

import type { FrameNumber, PageNumber, PageRange } from "../../base/address.ts";
import type { PageTables } from "../../machine/page-table.ts";
import type { SinglePath } from "../../machine/single-path.ts";
import { Cell, type Lifetime, type Line } from "../operation/cell.ts";
import { CpuMask } from "./cpu-mask.ts";
import { type AreaLock, AreaList } from "./area.ts";
import { PageTableLocks } from "./page-table-locks.ts";

/** tlb_flush_batched: how often reclaim has put a flush off, and up to which it has been made. */
export interface BatchedFlushes {
  readonly pending: number;
  readonly flushed: number;
}

export const NONE_PENDING: BatchedFlushes = { pending: 0, flushed: 0 };

/** The whole user half of an address space: TLB_FLUSH_ALL. */
export const WHOLE_USER_HALF = { start: 0, end: 2 ** 35 } as PageRange;

const PAGE_TABLE_LOCK = "ptl:";

/** Addresses that were unmapped while others may still use what was there. */
export interface PostponedRange {
  readonly range: PageRange;
  /** Set when the addresses are free again. */
  readonly isDone: Cell<boolean>;
}

export class Mm implements Lifetime {
  freed = false;
  /** Real users. At 0 exit_mmap frees leaves and middle tables. */
  readonly mmUsers: Cell<number>;
  /**
   * 1 for all real users together, plus 1 per lazy or grabbed reference. At 0 root and struct go.
   */
  readonly mmCount: Cell<number>;
  /** context.tlb_gen: raised by every flush. */
  readonly tlbGeneration: Cell<number>;
  /** context.next_trim_cpumask: the jiffy after which cpumask may be trimmed. 0: not yet set. */
  readonly nextTrim: Cell<number>;
  /** context.global_asid: the ASID that is this mm's on every CPU; 0: there is none. */
  readonly globalAsid: Cell<number>;
  /** context.asid_transition: some CPU may still run the mm on an ASID of its own. */
  readonly asidTransition: Cell<boolean>;
  /** Each CPU that may hold translations of this mm and is to hear of flushes. */
  readonly cpumask: CpuMask;
  /** 0: free; n > 0: that many readers; -1: a writer. */
  readonly mmapLock: Cell<number>;
  /** mm_lock_seq: odd while mmap_lock is held for writing. Null: no per-VMA locks. */
  readonly lockSequence: Cell<number> | null = null;
  readonly areas: AreaList;
  readonly pageTableLocks: PageTableLocks;
  /** tlb_flush_pending: changes of entries that have begun and are not flushed. */
  readonly tlbFlushPending: Cell<number>;
  /** Reclaim has taken entries away whose flush it has put off. */
  readonly tlbFlushBatched: Cell<BatchedFlushes>;
  /** By CPU: a root of its own, by which it fills its TLB with a page that it alone has. */
  readonly privatePaths: (SinglePath | undefined)[] = [];
  /** Unmapped, and not to be mapped anew yet. Guarded by mmapLock. */
  postponed: readonly PostponedRange[] = [];

  constructor(
    readonly name: string,
    /** context.ctx_id: never used again. */
    readonly contextId: number,
    readonly tables: PageTables,
    cpuCount: number,
    lines: { allocate(): Line; free(line: Line): void },
    /** Whether areas have locks of their own. */
    vmaLocks: boolean,
  ) {
    const allocateLine = (): Line => lines.allocate();
    const cell = <T>(field: string, line: Line, value: T, isRefcount = false): Cell<T> =>
      new Cell(`${name}.${field}`, line, value, this, isRefcount);
    // mm_count has a line of its own in mm_struct; mm_users shares one with the locks' neighbours.
    this.mmCount = cell("mm_count", allocateLine(), 1, true);
    this.mmUsers = cell("mm_users", allocateLine(), 1, true);
    this.mmapLock = cell("mmap_lock", allocateLine(), 0);
    if (vmaLocks) this.lockSequence = cell("mm_lock_seq", allocateLine(), 0);
    const ofAreas = {
      create: (start: PageNumber, split?: AreaLock): AreaLock => ({
        references: cell(`vma[${start.toString(16)}].vm_refcnt`, allocateLine(), 1),
        sequence: cell(
          `vma[${start.toString(16)}].vm_lock_seq`,
          allocateLine(),
          split?.sequence.value ?? -1,
        ),
      }),
      release: ({ references, sequence }: AreaLock): void => {
        for (const { line } of [references, sequence]) lines.free(line);
      },
    };
    this.areas = new AreaList(vmaLocks ? ofAreas : null);
    this.pageTableLocks = new PageTableLocks((table) =>
      cell(`${PAGE_TABLE_LOCK}${table}`, allocateLine(), 0),
    );
    const unflushed = allocateLine();
    this.tlbFlushPending = cell("tlb_flush_pending", unflushed, 0);
    this.tlbFlushBatched = cell("tlb_flush_batched", unflushed, NONE_PENDING);
    const context = allocateLine();
    this.tlbGeneration = cell("context.tlb_gen", context, 1);
    this.nextTrim = cell("context.next_trim_cpumask", context, 0);
    const global = allocateLine();
    this.globalAsid = cell("context.global_asid", global, 0);
    this.asidTransition = cell("context.asid_transition", global, false);
    this.cpumask = new CpuMask(`${name}.cpumask`, cpuCount, allocateLine, this);
  }

  get root(): FrameNumber {
    return this.tables.root;
  }

  /** What user mode's CR3 points at with page-table isolation; null without. */
  get userRoot(): FrameNumber | null {
    return this.tables.userRoot;
  }

  /** Whether `lock` is that of one of its tables. */
  isPageTableLock(lock: Cell<number>): boolean {
    return lock.owner === this && lock.name.startsWith(`${this.name}.${PAGE_TABLE_LOCK}`);
  }

  /** What CR3 may point at while this mm is loaded. */
  get roots(): readonly FrameNumber[] {
    const own = this.userRoot === null ? [this.root] : [this.root, this.userRoot];
    for (const path of this.privatePaths) if (path !== undefined) own.push(path.root);
    return own;
  }

  /** The root by whose tables that is right or wrong which was cached from `root`, one of these. */
  rootBehind(root: FrameNumber): FrameNumber {
    return root === this.userRoot ? root : this.root;
  }

  /** Every variable of the struct. */
  get cells(): readonly Cell[] {
    return [
      this.mmCount,
      this.mmUsers,
      this.mmapLock,
      this.tlbGeneration,
      this.nextTrim,
      this.globalAsid,
      this.asidTransition,
      this.tlbFlushPending,
      this.tlbFlushBatched,
      ...(this.lockSequence === null ? [] : [this.lockSequence]),
      ...this.pageTableLocks.all,
      ...this.cpumask.words,
    ];
  }

  /** Every line of the struct, to be given back when it is freed. */
  lines(): Line[] {
    return [...new Set(this.cells.map((cell) => cell.line))];
  }
}
