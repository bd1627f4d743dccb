// kernel/sched/wait.c: sleeping until a condition on data that the queue's lock guards holds.

import { spinLock, spinUnlock } from "../locking/lock.ts";
import { call, type KernelCode } from "../operation/operation.ts";
import type { Task } from "../state/task.ts";
import type { WaitQueue } from "../state/wait-queue.ts";
import { schedule, wakeUp } from "./schedule.ts";
import { nameFunctions } from "../operation/origin.ts";
import { mightSleep } from "../operation/precondition.ts";

/**
 * wait_event: sleeps until `condition` holds; `then` runs under the lock in the moment in which it
 * does. Both touch only what the lock guards.
 */
export function* waitEvent(
  task: Task,
  queue: WaitQueue,
  condition: () => boolean,
  then: () => void = () => {},
): KernelCode {
  yield* mightSleep("wait_event");
  yield* spinLock(queue.lock);
  while (!condition()) {
    queue.sleepers.push(task);
    task.state = "sleeping";
    yield* spinUnlock(queue.lock);
    yield* call(schedule(task.cpu));
    yield* spinLock(queue.lock);
  }
  then();
  yield* spinUnlock(queue.lock);
}

/** Changes the guarded data by `change`, then wakes who slept. */
export function* changeAndWake(task: Task, queue: WaitQueue, change: () => void): KernelCode {
  yield* spinLock(queue.lock);
  change();
  const sleepers = queue.sleepers.splice(0);
  yield* spinUnlock(queue.lock);
  for (const sleeper of sleepers) yield* call(wakeUp(task.cpu, sleeper));
}

nameFunctions({ wait_event: waitEvent, wake_up: changeAndWake });
