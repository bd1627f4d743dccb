// A recorded Linux trace, happening again on emulated cores: every switch, fork, exec, exit, mmap,
// munmap, mremap, mprotect, madvise and page fault, in recorded order and no earlier than recorded.
// Tasks of the recording are tasks here; whichever runs on a CPU carries out that CPU's next
// action.

import type { Cpu } from "../../kernel/state/cpu.ts";
import type { Kernel } from "../../kernel/state/kernel.ts";
import type { KernelCode } from "../../kernel/operation/operation.ts";
import { scheduleTo } from "../../kernel/cpu/schedule.ts";
import { inKernel } from "../../kernel/cpu/syscall.ts";
import type { Task } from "../../kernel/state/task.ts";
import { Director } from "./director.ts";
import { MemoryActions } from "./memory-actions.ts";
import type { Recording } from "./recording.ts";
import { RecordedTasks } from "./recorded-tasks.ts";

export class Replay {
  private director: Director | null = null;
  private readonly memory = new MemoryActions();
  private readonly tasks = new RecordedTasks((task) => this.resume(task));

  constructor(private readonly recording: Recording) {}

  /** To be called once the kernel has booted, before its clock runs. */
  start(kernel: Kernel): void {
    this.director = new Director(kernel, this.recording);
  }

  /** The program of idle tasks while a recording is replayed. */
  *idleProgram(cpu: Cpu): KernelCode {
    yield* this.follow(cpu.idle);
  }

  /** A task's program: it has just been switched to for the first time. */
  private *resume(task: Task): KernelCode {
    yield* this.director!.pass(task.cpu);
    yield* this.follow(task);
  }

  /**
   * Carries out the actions of whatever CPU `task` is on, for as long as it is the current task.
   */
  private *follow(task: Task): KernelCode {
    const director = this.director!;
    for (;;) {
      const action = yield* director.next(task.cpu);
      yield* this.memory.useRecentPages(task);
      if (action.kind === "switch") {
        if (action.prevState === "X" || action.prevState === "Z") task.state = "dead";
        const next = this.tasks.of(action.nextPid, action.nextComm, task.cpu);
        if (next !== task) yield* inKernel(task, scheduleTo(task.cpu, next));
      } else if (action.kind === "fork") yield* inKernel(task, this.tasks.fork(task, action));
      else if (action.kind === "exec") yield* inKernel(task, this.tasks.exec(task, action));
      else if (action.kind === "exit") yield* inKernel(task, this.tasks.exit(task));
      else yield* this.memory.carryOut(task, action);
      yield* director.pass(task.cpu);
    }
  }
}
