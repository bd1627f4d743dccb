// What observers see. Notices come from kernel code beside the thing that they tell of; the
// executor adds who and when, and tells of operations by itself. Observers never change what they
// see.

import type { FrameNumber, PageNumber, PageRange } from "../../base/address.ts";
import type { Broadcast } from "../../machine/broadcast.ts";
import type { Mm } from "../state/mm.ts";
import type { Operation } from "./operation.ts";
import type { Task } from "../state/task.ts";

/**
 * What may come of a call that does not keep to the contract: some CPU waits for ever, or two CPUs
 * change the same data at once.
 */
export type Risk = "deadlock" | "race";

export type KernelNotice =
  /** flush_tlb_mm_range: entered, and returned. */
  | { readonly kind: "flushBegin"; readonly mm: Mm; readonly range: PageRange }
  | {
      readonly kind: "flushReturn";
      readonly mm: Mm;
      readonly range: PageRange;
      readonly remote: boolean;
    }
  /** flush_tlb_kernel_range: entered, and returned. */
  | { readonly kind: "kernelFlushBegin" | "kernelFlushReturn"; readonly range: PageRange }
  /** A CPU flushed (or found that it need not) in answer to a flush; of kernel pages: init_mm. */
  | {
      readonly kind: "flushed";
      readonly mm: Mm;
      readonly how: "full" | "ranged" | "skipped";
      readonly local: boolean;
    }
  /**
   * Reclaim takes the entries of the range away and puts their flush off until this CPU's next
   * batched flush, arch_tlbbatch_flush, which stands for all that was put off here.
   */
  | { readonly kind: "unmapDeferred"; readonly mm: Mm; readonly range: PageRange }
  | { readonly kind: "batchFlushBegin" }
  | { readonly kind: "batchFlushReturn"; readonly remote: boolean }
  /** The range was unmapped; others may use what was there until its pages are freed. */
  | { readonly kind: "unmapPostponed"; readonly mm: Mm; readonly range: PageRange }
  /** Page contents given back to the allocator, after the flush that covers them. */
  | { readonly kind: "pagesFreed"; readonly mm: Mm; readonly range: PageRange }
  /** This CPU is about to withdraw rights or entries: entries that it finds absent count, too. */
  | { readonly kind: "revoking"; readonly mm: Mm; readonly range: PageRange }
  /** Rights were withdrawn, or entries moved or replaced: nobody may use the older ones now. */
  | { readonly kind: "revoked"; readonly mm: Mm; readonly range: PageRange }
  | { readonly kind: "tableFreed"; readonly mm: Mm; readonly table: FrameNumber }
  | { readonly kind: "rootFreed"; readonly mm: Mm; readonly root: FrameNumber }
  | { readonly kind: "mmCreated"; readonly mm: Mm }
  | { readonly kind: "mmFreed"; readonly mm: Mm }
  /** A counter of `mm` went below zero: `counter` names it. */
  | { readonly kind: "droppedTwice"; readonly mm: Mm; readonly counter: string }
  /** A pointer to `mm` was handed to the function `callee`. */
  | { readonly kind: "passed"; readonly mm: Mm; readonly callee: string }
  /**
   * switch_mm or enter_lazy_tlb begins and has ended: in between, CR3, what the kernel thinks of it
   * and mm_cpumask may disagree.
   */
  | { readonly kind: "changeBegin" | "changeEnd" }
  /** An idle CPU serves calls that came without an interrupt, interrupts off. */
  | { readonly kind: "callsBegin" | "callsEnd" }
  /** The pages that were put off until this CPU's user PCID is the current one have left it. */
  | { readonly kind: "userPcidFlushed" }
  /** context_switch has done its part before switch_to; rq->prev_mm is set if it is to be. */
  | { readonly kind: "switched"; readonly from: Task; readonly to: Task }
  /** finish_task_switch has taken this out of rq->prev_mm. */
  | { readonly kind: "prevMmTaken"; readonly mm: Mm | null }
  /** A function was called against its contract: see precondition.ts. */
  | {
      readonly kind: "preconditionBroken";
      readonly callee: string;
      readonly how: string;
      readonly risk: Risk;
    }
  /** Older translations of the range may be used for as long as anybody likes. */
  | { readonly kind: "leftUnflushed"; readonly mm: Mm; readonly range: PageRange }
  /** A workload has done what it is there for once more. */
  | { readonly kind: "operationDone" }
  /** A workload's measured part begins, and ends. */
  | { readonly kind: "measureBegin" }
  | { readonly kind: "measureEnd" };

export type KernelEvent =
  | KernelNotice
  | {
      readonly kind: "useAfterFree";
      readonly owner: string;
      readonly cell: string;
      readonly mm: Mm | null;
    }
  /** A locked operation on mm_users or mm_count; the explorer does not tell of them. */
  | { readonly kind: "refcountOperation"; readonly counter: string }
  /** A page-table entry has lost rights, its frame or its presence, in memory. */
  | { readonly kind: "entryWithdrawn"; readonly mm: Mm; readonly range: PageRange }
  | { readonly kind: "staleUse"; readonly page: PageNumber; readonly root: FrameNumber }
  | {
      readonly kind: "cr3Written";
      readonly root: FrameNumber;
      readonly pcid: number;
      readonly keep: boolean;
    }
  /** An INVLPGB; and a TLBSYNC, which ends all that its CPU began. */
  | { readonly kind: "broadcastBegun"; readonly what: Broadcast }
  | { readonly kind: "broadcastsDone" }
  /** Hardware has invalidated on these CPUs for this one; the others held nothing of it. */
  | {
      readonly kind: "invalidatedRemotely";
      readonly what: Broadcast;
      readonly cpus: readonly number[];
    }
  /** Microcode has answered a Remote Action Request, and taken so many cycles of this CPU. */
  | { readonly kind: "remoteActionDone"; readonly cycles: number }
  | { readonly kind: "ipiSent"; readonly target: number; readonly vector: number }
  /** The host took this vCPU away, and let it run again, its TLB flushed or not. */
  | { readonly kind: "vcpuPreempted" }
  | { readonly kind: "vcpuEntered"; readonly flushed: boolean }
  /** Nobody has anything left to do: an execution is over. */
  | { readonly kind: "cameToRest" }
  | { readonly kind: "interruptTaken"; readonly vector: number }
  | { readonly kind: "interruptReturned"; readonly vector: number; readonly cycles: number }
  | { readonly kind: "deadlock"; readonly waits: readonly WaitingCpu[] };

/** Every kind of event: one that is forgotten does not compile. */
export const EVENT_KINDS = Object.keys({
  flushBegin: true,
  flushReturn: true,
  kernelFlushBegin: true,
  kernelFlushReturn: true,
  flushed: true,
  unmapDeferred: true,
  batchFlushBegin: true,
  batchFlushReturn: true,
  unmapPostponed: true,
  pagesFreed: true,
  revoking: true,
  revoked: true,
  tableFreed: true,
  rootFreed: true,
  mmCreated: true,
  mmFreed: true,
  droppedTwice: true,
  passed: true,
  changeBegin: true,
  changeEnd: true,
  callsBegin: true,
  callsEnd: true,
  userPcidFlushed: true,
  switched: true,
  prevMmTaken: true,
  preconditionBroken: true,
  leftUnflushed: true,
  operationDone: true,
  measureBegin: true,
  measureEnd: true,
  useAfterFree: true,
  refcountOperation: true,
  entryWithdrawn: true,
  staleUse: true,
  cr3Written: true,
  broadcastBegun: true,
  broadcastsDone: true,
  invalidatedRemotely: true,
  remoteActionDone: true,
  ipiSent: true,
  vcpuPreempted: true,
  vcpuEntered: true,
  cameToRest: true,
  interruptTaken: true,
  interruptReturned: true,
  deadlock: true,
} satisfies Record<KernelEvent["kind"], true>);

/** A CPU that waits for something that can no longer come. */
export interface WaitingCpu {
  readonly cpu: number;
  readonly task: string;
  readonly cell: string;
}

/** Where and when an event happened. */
export interface Moment {
  readonly cpu: number;
  readonly cycle: number;
}

/**
 * Watches a run from outside. Called in the order in which things happen. `observe` is no method,
 * so that what takes only some kinds of events is no observer: a checker, which a Watch calls.
 */
export interface Observer {
  readonly observe: (event: KernelEvent, moment: Moment) => void;
}

/** One operation that a CPU carried out, kept for reports. */
export interface PastOperation {
  readonly cycle: number;
  readonly operation: Operation;
}
