// call_single_queue and call_single_data (kernel/smp.c): what other CPUs have asked a CPU to run,
// and the slots by which it asks others.

import { Cell, type Line } from "../operation/cell.ts";
import type { KernelCode } from "../operation/operation.ts";
import type { Cpu } from "./cpu.ts";

/** What is left to do when the caller has been told that it need not wait any more. */
export type Rest = () => KernelCode;

/** What a target runs, interrupts off: what it returns, if anything, comes after the release. */
export type CallFunction = (cpu: Cpu) => KernelCode<Rest | void>;

/**
 * call_single_data of one caller for one target; CSD_FLAG_LOCK is 1 until the target has run it.
 */
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
  private readonly slots = new Map<number, CallSlot>();

  constructor(
    private readonly cpuId: number,
    private readonly allocateLine: () => Line,
  ) {
    this.head = new Cell<QueuedCall | null>(`cpu${cpuId}.call_single_queue`, allocateLine(), null);
  }

  /** The slot that this CPU uses for calls to `target`: a line of its own. */
  slotFor(target: number): CallSlot {
    let slot = this.slots.get(target);
    if (slot === undefined) {
      const name = `cpu${this.cpuId}.csd[${target}]`;
      slot = { locked: new Cell(name, this.allocateLine(), 0), run: null };
      this.slots.set(target, slot);
    }
    return slot;
  }
}
