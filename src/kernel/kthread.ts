// kernel/kthread.c: kernel threads that use a user's address space for a while.

import { mmdrop, mmgrab } from "./mm-count.ts";
import type { Mm } from "./mm.ts";
import type { Kernel } from "./operation.ts";
import type { Task } from "./task.ts";

/** kthread_use_mm. Caller holds a user of `mm` for as long as the thread uses it. */
export function* kthreadUseMm(task: Task, mm: Mm): Kernel {
  yield* mmgrab(mm); // always a real reference: the lazy one may not be one
  yield* task.cpu.kernel.lazyPolicy.useMm(task.cpu, task, mm);
}

/** kthread_unuse_mm: the thread goes on as a lazy user. */
export function* kthreadUnuseMm(task: Task): Kernel {
  const mm = task.mm!;
  yield* task.cpu.kernel.lazyPolicy.unuseMm(task.cpu, task, mm);
  yield* mmdrop(task.cpu, mm);
}
