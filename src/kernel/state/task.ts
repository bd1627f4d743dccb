// struct task_struct, as far as switching address spaces needs it.

import type { PageNumber } from "../../base/address.ts";
import type { Activation } from "../operation/activation.ts";
import { Cell, type Line } from "../operation/cell.ts";
import type { Cpu } from "./cpu.ts";
import type { Mm } from "./mm.ts";
import type { KernelCode } from "../operation/operation.ts";
import type { WaitQueue } from "./wait-queue.ts";

/** What a task does, from its first instruction to its exit. */
export type Program = (task: Task) => KernelCode;

/** What SIGSEGV tells of: an access in user mode that no area of the address space allows. */
export interface SegmentationFault {
  readonly mm: Mm;
  readonly page: PageNumber;
  readonly isWrite: boolean;
}

export const NEED_RESCHED = 1;
/** TIF_POLLING_NRFLAG: the idle loop watches its flags, so that setting one wakes it. */
export const POLLING = 2;

export type TaskState = "running" | "sleeping" | "dead";

export class Task {
  /** The address space of a user task; null for kernel threads (and kthread_use_mm sets it). */
  mm: Mm | null = null;
  /** The address space borrowed (or owned) while running: see the lazy policies. */
  activeMm: Mm | null = null;
  state: TaskState = "running";
  /** thread_info.flags: NEED_RESCHED, and of an idle task POLLING. */
  readonly flags: Cell<number>;
  /** On a run queue, or running. Guarded by the run queue's lock. */
  onQueue = false;
  /** The kernel stack: what runs on top of what. Empty before the first switch to the task. */
  readonly stack: Activation[] = [];
  /** current->held_locks: spinlocks, and what is held of mmap_lock and the locks of areas. */
  readonly spinLocks: Cell<number>[] = [];
  readonly semaphores: Cell<number>[] = [];
  /** A pending SIGSEGV: the accesses in progress end with it. */
  signal: SegmentationFault | null = null;
  /** Children not yet waited for; their deaths are guarded by childExits. */
  readonly children: Task[] = [];

  constructor(
    readonly pid: number,
    readonly name: string,
    /** The CPU whose run queue the task is on; it moves only when something moves it. */
    public cpu: Cpu,
    readonly program: Program,
    readonly parent: Task | null,
    /** Where the task sleeps in wait4. */
    readonly childExits: WaitQueue,
    /** PF_KTHREAD; execve of a kernel thread clears it. Its own CPU writes it. */
    public isKernelThread: boolean,
    flagsLine: Line,
  ) {
    const unique = pid === 0 ? name : `${name}-${pid}`;
    this.flags = new Cell(`${unique}.thread_info.flags`, flagsLine, 0);
  }
}
