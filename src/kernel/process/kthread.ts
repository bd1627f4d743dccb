// kernel/kthread.c: kernel threads that use a user's address space for a while.

import { mmdrop, mmgrab } from "../memory/mm-count.ts";
import type { Mm } from "../state/mm.ts";
import type { KernelCode } from "../operation/operation.ts";
import type { Task } from "../state/task.ts";
import { nameFunctions } from "../operation/origin.ts";
import { mightSleep } from "../operation/precondition.ts";

/** kthread_use_mm. Caller holds a user of `mm` for as long as the thread uses it. */
export function* kthreadUseMm(task: Task, mm: Mm): KernelCode {
  yield* mightSleep("kthread_use_mm");
  const { lazyPolicy } = task.cpu.kernel;
  const has = lazyPolicy.kthreadsKeepReference === true && task.activeMm === mm;
  if (!has) yield* mmgrab(mm); // a real reference: the lazy one may not be one
  yield* lazyPolicy.useMm(task.cpu, task, mm);
}

/** kthread_unuse_mm: the thread goes on as a lazy user. */
export function* kthreadUnuseMm(task: Task): KernelCode {
  yield* mightSleep("kthread_unuse_mm");
  const mm = task.mm!;
  const { lazyPolicy } = task.cpu.kernel;
  yield* lazyPolicy.unuseMm(task.cpu, task, mm);
  if (lazyPolicy.kthreadsKeepReference !== true) yield* mmdrop(task.cpu, mm);
}

nameFunctions({ kthread_use_mm: kthreadUseMm, kthread_unuse_mm: kthreadUnuseMm });
