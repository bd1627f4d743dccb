// Per-CPU kernel data: the run queue, the TLB state, the call-function queue.

import type { Cell } from "../operation/cell.ts";
import type { CallQueue } from "./call-queue.ts";
import type { Kernel } from "./kernel.ts";
import type { Mm } from "./mm.ts";
import type { Task } from "./task.ts";
import type { TlbState } from "./tlb-state.ts";

/** struct rq. Fields below `lock` are guarded by it; the hazard-pointer cells are lock-free. */
export interface RunQueue {
  readonly lock: Cell<number>;
  readonly tasks: Task[];
  /** rq->prev_mm: the reference that finish_task_switch drops. */
  prevMm: Mm | null;
  /** rq->lazy_mm and rq->drop_mm of the hazard-pointer policy. */
  readonly lazyMm: Cell<Mm | null>;
  readonly dropMm: Cell<Mm | null>;
}

export interface Cpu {
  readonly id: number;
  readonly kernel: Kernel;
  readonly runQueue: RunQueue;
  readonly tlb: TlbState;
  readonly calls: CallQueue;
  /** kvm_steal_time.preempted: written by the host, and by other vCPUs that want a flush. */
  readonly preempted: Cell<number>;
  readonly idle: Task;
  /** RFLAGS.IF, which the executors keep. */
  interruptsOn: boolean;
  /** cpu_is_offline of this CPU itself, which set it with interrupts off. */
  isOffline: boolean;
  /** Set by the dead CPU's last store (cpuhp_report_idle_dead). */
  readonly isDead: Cell<boolean>;
  /** rq->curr: another CPU looks at it under the run queue's lock. */
  current: Task;
  /** The task that ran before the last switch_to on this CPU. */
  previous: Task;
}
