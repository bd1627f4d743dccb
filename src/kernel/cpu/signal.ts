// kernel/signal.c: SIGSEGV, for programs that handle it.

import type { Activation } from "../operation/activation.ts";
import type { Task } from "../state/task.ts";

/** get_signal, on the way to user mode: the accesses in progress end with what is pending. */
export function deliverSignal(task: Task, user: Activation): void {
  user.result = task.signal;
  user.activity = "ready";
  user.pending = null;
  task.signal = null;
}
