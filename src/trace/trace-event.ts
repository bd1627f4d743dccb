// What a recorded Linux trace tells, event by event. Modelled: whatever decides about address
// spaces and TLB flushes. Everything else that the kernel logs is counted by name and left out.

import type { VirtualAddress } from "../base/address.ts";

/** Where the CPU was. `pid` is its current task in all cases but "switch", where the event was
 *  logged inside a context switch and carries the task being left (Linux logs CR3 writes so). */
export type TraceContext = "task" | "interrupt" | "switch";

interface Logged {
  /** TSC cycles since the file's first line. */
  readonly cycle: number;
  readonly cpu: number;
  readonly pid: number;
  /** The task's name as known when the trace was read: a later one than at the event, perhaps. */
  readonly comm: string;
  /** Line of the file, from 1. */
  readonly line: number;
  readonly context: TraceContext;
}

export interface SwitchEvent extends Logged {
  readonly kind: "switch";
  readonly prevPid: number;
  readonly nextPid: number;
  readonly prevComm: string;
  readonly nextComm: string;
  /** "R" still runnable, "S" or "D" asleep, "X" or "Z" dead; "?" where inferred. */
  readonly prevState: string;
  /** Not in the file: the CPU is seen running another task than the last switch left there. */
  readonly inferred: boolean;
}

export interface WakeupEvent extends Logged {
  readonly kind: "wakeup";
  readonly wokenPid: number;
  readonly wokenComm: string;
  readonly targetCpu: number;
}

export interface MigrateEvent extends Logged {
  readonly kind: "migrate";
  readonly movedPid: number;
  readonly fromCpu: number;
  readonly toCpu: number;
}

/** A new task of the current one (task_newtask, whose flags clone3 does not log). */
export interface ForkEvent extends Logged {
  readonly kind: "fork";
  readonly childPid: number;
  readonly parentPid: number;
  /** CLONE_VM: the child uses the parent's mm (threads, vfork, posix_spawn). */
  readonly sharesMm: boolean;
  /** CLONE_VFORK: the parent sleeps until the child's exec or exit. */
  readonly vfork: boolean;
  /** CLONE_THREAD. */
  readonly thread: boolean;
}

/** From here on the task has a new mm of its own. */
export interface ExecEvent extends Logged {
  readonly kind: "exec";
  readonly filename: string;
  /** Another one than `pid` if a thread other than the leader called execve. */
  readonly oldPid: number;
}

/** Before exit_mm: the task may sleep and be switched to once more, still with its mm. */
export interface ExitEvent extends Logged {
  readonly kind: "exit";
  /** The last thread of its group; undefined where the kernel does not say. */
  readonly groupDead: boolean | undefined;
}

/** A system call, at the place of its entry. */
interface Call extends Logged {
  /** 0 success, else the error number; undefined if the call never returned. */
  readonly errno: number | undefined;
}

export interface MmapEvent extends Call {
  readonly kind: "mmap";
  /** The address asked for: a hint unless `fixed`. */
  readonly address: VirtualAddress;
  readonly lengthBytes: number;
  /** PROT_READ 1, PROT_WRITE 2, PROT_EXEC 4. */
  readonly protection: number;
  readonly flags: number;
  /** MAP_FIXED or MAP_FIXED_NOREPLACE. */
  readonly fixed: boolean;
  readonly anonymous: boolean;
  readonly shared: boolean;
  readonly result: VirtualAddress | undefined;
}

export interface MunmapEvent extends Call {
  readonly kind: "munmap";
  readonly address: VirtualAddress;
  readonly lengthBytes: number;
}

export interface MprotectEvent extends Call {
  readonly kind: "mprotect";
  readonly address: VirtualAddress;
  readonly lengthBytes: number;
  readonly protection: number;
}

export interface MadviseEvent extends Call {
  readonly kind: "madvise";
  readonly address: VirtualAddress;
  readonly lengthBytes: number;
  readonly behaviour: "dontneed" | "free" | "other";
  /** MADV_*, the number. */
  readonly advice: number;
}

export interface MremapEvent extends Call {
  readonly kind: "mremap";
  readonly address: VirtualAddress;
  readonly oldLengthBytes: number;
  readonly newLengthBytes: number;
  readonly flags: number;
  /** Used with MREMAP_FIXED. */
  readonly newAddress: VirtualAddress;
  readonly result: VirtualAddress | undefined;
}

export interface BrkEvent extends Call {
  readonly kind: "brk";
  /** The break asked for; 0 asks where it is. */
  readonly address: VirtualAddress;
  /** The break after the call. */
  readonly result: VirtualAddress | undefined;
}

export interface PageFaultEvent extends Logged {
  readonly kind: "pageFault";
  readonly address: VirtualAddress;
  /** SDM 3A 4.7: bit 0 present, 1 write, 2 user, 4 instruction fetch. */
  readonly errorCode: number;
  /** Raised in user mode; false: by the kernel, as in copy_to_user. */
  readonly user: boolean;
}

/** tlb:tlb_flush. */
export interface FlushEvent extends Logged {
  readonly kind: "flush";
  /** 0 CR3 write by switch_mm, 1 by a remote request, 2 local, 3 local of one mm, 4 a multi-CPU
   *  flush starts (no IPI need follow), 5 request for an mm that is not loaded. */
  readonly reason: number;
  /** -1 everything; 0 nothing (reason 0: CR3 written without a flush). */
  readonly pages: number;
}

/** A flush request queued for another CPU (csd_queue_cpu of flush_tlb_func). */
export interface FlushRequestEvent extends Logged {
  readonly kind: "flushRequest";
  readonly targetCpu: number;
}

/** A system call on memory, entry and result in one. */
export type CallEvent =
  MmapEvent | MunmapEvent | MprotectEvent | MadviseEvent | MremapEvent | BrkEvent;

export type TraceEvent =
  | SwitchEvent
  | WakeupEvent
  | MigrateEvent
  | ForkEvent
  | ExecEvent
  | ExitEvent
  | CallEvent
  | PageFaultEvent
  | FlushEvent
  | FlushRequestEvent;

export type TraceEventKind = TraceEvent["kind"];

/** What the fields in front of an event say, the same for every kind. */
export type TraceOrigin = Logged;
