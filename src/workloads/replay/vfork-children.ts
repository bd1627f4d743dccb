// Where exec_mmap of a vfork child took place. Linux logs sched_process_exec when the new program
// is loaded; by then the child has long had its mm, and parent and child have switched with two of
// them. What exec_mmap does first is to wake the parent, which the recording shows.

import type { ExecEvent, TraceEvent, WakeupEvent } from "../../trace/trace-event.ts";

export class VforkChildren {
  /** By child that has neither executed nor exited: the parent that sleeps for it. */
  private readonly parents = new Map<number, number>();
  /** Children whose exec has been placed, and is not yet logged. */
  private readonly executed = new Set<number>();

  /** The event as it is to happen: a wakeup may stand for an exec, which is then left out later. */
  place(event: TraceEvent): TraceEvent | null {
    if (event.kind === "fork" && event.vfork && event.sharesMm) {
      this.parents.set(event.childPid, event.parentPid);
    } else if (event.kind === "exit") this.parents.delete(event.pid);
    else if (event.kind === "wakeup" && this.parents.get(event.pid) === event.wokenPid) {
      this.parents.delete(event.pid);
      this.executed.add(event.pid);
      return execAt(event);
    } else if (event.kind === "exec") {
      this.parents.delete(event.pid);
      if (this.executed.delete(event.pid)) return null;
    }
    return event;
  }
}

const execAt = ({ cycle, cpu, pid, comm, line }: WakeupEvent): ExecEvent => ({
  kind: "exec",
  cycle,
  cpu,
  pid,
  comm,
  line,
  context: "task",
  filename: comm,
  oldPid: pid,
});
