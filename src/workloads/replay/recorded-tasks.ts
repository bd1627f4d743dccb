// The tasks of a recording by their pids, and what makes and ends them.

import type { Cpu } from "../../kernel/state/cpu.ts";
import { exec } from "../../kernel/process/exec.ts";
import { exitMm } from "../../kernel/process/exit.ts";
import { mmget } from "../../kernel/memory/mm-count.ts";
import type { KernelCode } from "../../kernel/operation/operation.ts";
import { copyMm, createTask, createUserTask, mapImage } from "../../kernel/process/fork.ts";
import type { Program, Task } from "../../kernel/state/task.ts";
import type { ExecEvent, ForkEvent } from "../../trace/trace-event.ts";

/** Names of kernel threads that recordings show; their tasks have no address space. */
const KERNEL_THREAD = /^(swapper|kthread|kworker|ksoftirqd|migration|rcu|cpuhp|kcompactd|kswapd)/;
const IDLE_PID = 0;

export class RecordedTasks {
  private readonly byPid = new Map<number, Task>();

  constructor(private readonly program: Program) {}

  /**
   * The task with that pid. One that was not seen before has been running since before the trace.
   */
  of(pid: number, name: string, cpu: Cpu): Task {
    if (pid === IDLE_PID) return cpu.idle;
    const known = this.byPid.get(pid);
    if (known !== undefined) return known;
    const task = this.create(name, cpu);
    this.byPid.set(pid, task);
    return task;
  }

  *fork(parent: Task, event: ForkEvent): KernelCode {
    if (parent.mm === null) return;
    const { cpu } = parent;
    let mm = parent.mm;
    if (event.sharesMm) yield* mmget(mm);
    else mm = yield* copyMm(cpu, mm, `mm of ${event.childPid}`);
    const request = { name: `${event.comm}/${event.childPid}`, program: this.program, cpu };
    this.byPid.set(event.childPid, createUserTask(null, request, mm));
  }

  *exec(task: Task, event: ExecEvent): KernelCode {
    if (task.mm === null) return;
    this.byPid.delete(event.oldPid);
    this.byPid.set(event.pid, task);
    yield* exec(task, `mm of ${event.pid} (${event.filename})`);
  }

  /** exit_mm at once; the recording may switch to the task again before it is gone for good. */
  *exit(task: Task): KernelCode {
    yield* exitMm(task);
  }

  private create(name: string, cpu: Cpu): Task {
    const request = { name, program: this.program, cpu };
    if (KERNEL_THREAD.test(name)) return createTask(request, null, true);
    const mm = cpu.kernel.createMm(`mm of ${name}`, cpu.id);
    mapImage(mm);
    return createUserTask(null, request, mm);
  }
}
