// call_single_queue and call_single_data (kernel/smp.c): what other CPUs have asked a CPU to run,
// and the slots by which it asks others.

import { Cell, type Line } from "../operation/cell.ts";
import type { KernelCode } from "../operation/operation.ts";
import type { Cpu } from "./cpu.ts";

/** What is left to do when the caller has been told that it need not wait any more. */
export type Rest = () => KernelCode;

/** What a target runs, interrupts off: what it returns, if anything, comes after the release. */
export type CallFunction = (cpu: Cpu) => KernelCode<Rest | void>;

/** call_single_data of one caller; CSD_FLAG_LOCK is 1 until the target has run it. */
export interface CallSlot {
  readonly locked: Cell<number>;
  run: CallFunction | null;
}

/** call_single_queue: an llist whose head other CPUs exchange. */
interface QueuedCall {
  readonly slot: CallSlot;
  readonly next: QueuedCall | null;
}

export class CallQueue {
  readonly head: Cell<QueuedCall | null>;
  /** csd_stack of smp_call_function_single: this CPU's, for a call that it waits for. */
  readonly stackSlot: CallSlot;
  /** By caller. */
  private readonly slots = new Map<number, CallSlot>();

  constructor(
    private readonly cpuId: number,
    private readonly allocateLine: () => Line,
  ) {
    this.head = new Cell<QueuedCall | null>(`cpu${cpuId}.call_single_queue`, allocateLine(), null);
    this.stackSlot = { locked: new Cell(`cpu${cpuId}.csd_stack`, allocateLine(), 0), run: null };
  }

  /**
   * per_cpu_ptr(cfd_data.csd, cpu): the slot that `caller` uses for calls to this CPU.
   * call_single_data_t has 32 bytes: the slots of CPUs 2k and 2k + 1 share a line.
   */
  slotOf(caller: number): CallSlot {
    let slot = this.slots.get(caller);
    if (slot === undefined) {
      const name = `cpu${caller}.csd[${this.cpuId}]`;
      const line = this.slots.get(caller ^ 1)?.locked.line ?? this.allocateLine();
      slot = { locked: new Cell(name, line, 0), run: null };
      this.slots.set(caller, slot);
    }
    return slot;
  }
}
