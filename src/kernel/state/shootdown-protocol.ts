// What a shootdown protocol is: how this CPU goes to another address space, how it becomes lazy,
// and how everybody is brought to forget translations. One file per protocol.

import { type FrameNumber, type PageNumber, type PageRange, pagesIn } from "../../base/address.ts";
import type { PageSize } from "../../machine/description.ts";
import { pagesPer } from "../../machine/page-table.ts";
import type { Cell } from "../operation/cell.ts";
import type { Cpu } from "./cpu.ts";
import type { Kernel, KernelPart } from "./kernel.ts";
import type { Mm } from "./mm.ts";
import type { KernelCode } from "../operation/operation.ts";
import type { ProtocolTraits } from "./protocol-traits.ts";
import type { FlushInfo } from "./tlb-state.ts";
import type { FlushBatch } from "./flush-batch.ts";

/** What a flush covers, in 4 KiB pages. */
export interface FlushRequest {
  readonly mm: Mm;
  readonly range: PageRange;
  /** Page tables of the range were unlinked and will be freed: lazy CPUs must hear of it too. */
  readonly freedTables: boolean;
  /** stride_shift: the smallest page that the range was mapped by, 4K unless given. */
  readonly pageSize?: PageSize;
  /** What the leaf entries held that were taken away or changed; absent: nobody has looked. */
  readonly taken?: readonly bigint[];
  /** The caller writes to the page afterwards, which evicts what this CPU holds: no INVLPG here. */
  readonly evictedHere?: boolean;
}

/**
 * Whether as many invalidations as the range has pages are more than the ceiling: then everything
 * goes instead (get_flush_tlb_info, since Linux 4.20; before, pages were of 4 KiB).
 */
export const isAboveCeiling = (cpu: Cpu, { range, pageSize = "4K" }: FlushRequest): boolean =>
  pagesIn(range) / pagesPer(pageSize) > cpu.kernel.options.flushCeiling;

/** What is still to be flushed: an entry of `mm` that held `taken` was taken away. */
export interface DeferredFlush {
  readonly mm: Mm;
  readonly taken: bigint;
}

/** How a protocol flushes once for entries of many address spaces (reclaim). */
export interface BatchedUnmap {
  /** arch_tlbbatch_add_mm. Page-table lock held. */
  add(cpu: Cpu, batch: FlushBatch, deferred: DeferredFlush): KernelCode;
  /**
   * arch_tlbbatch_flush: on return no CPU uses what was taken away before it was added. Interrupts
   * on. Returns whether another CPU was in the batch, which is empty then.
   */
  flush(cpu: Cpu, batch: FlushBatch): KernelCode<boolean>;
}

/** pv_ops.mmu.flush_tlb_multi: a flush of the CPUs of `mask`. Interrupts on. */
export type FlushMulti = (cpu: Cpu, mask: readonly number[], info: FlushInfo) => KernelCode;

/** Pages taken out of an address space that may still be used there: where they were, and they. */
export interface PostponedUnmap {
  readonly mm: Mm;
  readonly range: PageRange;
  readonly frames: readonly FrameNumber[];
}

/** How a protocol leaves the flush of unmapped pages to the others, and the pages until then. */
export interface LazyUnmap {
  canPostpone(cpu: Cpu, mm: Mm): KernelCode<boolean>;
  /** The frames are the protocol's from now on. Returns what is set when all of it is free. */
  postpone(cpu: Cpu, unmap: PostponedUnmap): KernelCode<Cell<boolean>>;
}

/** What a CPU does around a system call that uses no user memory: see batched-call.ts. */
export interface BatchedCalls {
  begin(cpu: Cpu): KernelCode;
  end(cpu: Cpu): KernelCode;
}

/** What a protocol does at the scheduler tick. */
export interface TickHook {
  /** Every CPU, at each of its ticks. Interrupts off. */
  serve(cpu: Cpu): KernelCode;
  /** Whether an idle CPU has something left to do at a tick. Without, it has none (NO_HZ_IDLE). */
  keepsIdleTicking(cpu: Cpu): boolean;
}

/** A leaf entry that is about to appear. */
export interface NewLeaf {
  readonly mm: Mm;
  readonly page: PageNumber;
  readonly entry: bigint;
  readonly size: PageSize;
}

export interface ShootdownProtocol {
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  readonly source: string;
  readonly traits: ProtocolTraits;
  /** switch_mm_irqs_off: CR3 and this CPU's bookkeeping go to `next`. Interrupts off. */
  switchMm(cpu: Cpu, next: Mm): KernelCode;
  /** enter_lazy_tlb: CR3 stays, no user memory is used. Interrupts off. */
  enterLazy(cpu: Cpu): KernelCode;
  /**
   * leave_mm: an idle CPU goes to init_mm before it loses its TLB. Interrupts off. Absent: by
   * switchMm, from loaded_mm.
   */
  leaveMm?(cpu: Cpu): KernelCode;
  /**
   * flush_tlb_mm_range: on return no CPU uses a translation of the range older than the call.
   * Interrupts on; the caller holds mmap_lock or the lock of the area, or is the last user. Returns
   * whether another CPU was in mm_cpumask. Kernel code asks for it through flush.ts.
   */
  flushRange(cpu: Cpu, request: FlushRequest): KernelCode<boolean>;
  /** flush_tlb_kernel_range: on return no CPU uses a translation of this range of the kernel half
   *  older than the call, in whichever address space. Interrupts on. */
  flushKernelRange(cpu: Cpu, range: PageRange): KernelCode;
  /**
   * set_pte of a page that this CPU has faulted in, page-table lock held, where no leaf was.
   * Absent: it is written as it is. Kernel code asks for it through fault.ts.
   */
  readonly installLeaf?: (cpu: Cpu, leaf: NewLeaf) => KernelCode;
  /** The handler of INVALIDATE_VECTOR, interrupts off. Absent: flushes are function calls. */
  readonly serveInterrupt?: (cpu: Cpu) => KernelCode;
  /** destroy_context: the mm is about to be freed. Absent: there is nothing to give back. */
  readonly destroyContext?: (cpu: Cpu, mm: Mm) => KernelCode;
  /** Absent: reclaim flushes page by page. Kernel code asks for it through unmap-batch.ts. */
  readonly batchedUnmap?: BatchedUnmap;
  /** Shared variables of its own, made at boot: kernel code gets them by `Kernel.part`. */
  readonly state?: new (kernel: Kernel) => KernelPart;
  /** Absent: there are no scheduler ticks. */
  readonly tick?: TickHook;
  /** Absent: pages are freed after a flush. Kernel code asks for it through flush.ts. */
  readonly lazyUnmap?: LazyUnmap;
  /** Absent: such a system call is nothing special. Kernel code uses batched-call.ts. */
  readonly batchedCalls?: BatchedCalls;
}
