// Spinlocks and mmap_lock. Waiters park on the lock's line and take interrupts when they are
// enabled. Who holds what is kept for preconditions (precondition.ts), as lockdep does.

import type { Cell } from "../operation/cell.ts";
import { count, type KernelCode, locked, store, queueUntil } from "../operation/operation.ts";
import { nameFunctions } from "../operation/origin.ts";
import { mightSleep, preconditionBroken } from "../operation/precondition.ts";
import { thisCpu } from "../operation/this-cpu.ts";
import type { Task } from "../state/task.ts";

type Held = "spinLocks" | "semaphores";

/** lock_acquire: the lock is the running task's from now on. */
export function acquired(lock: Cell<number>, as: Held): void {
  thisCpu()?.current[as].push(lock);
}

/** lock_release. False: it is not the running task's. */
export function released(lock: Cell<number>, as: Held): boolean {
  const held = thisCpu()?.current[as];
  if (held === undefined) return true;
  const index = held.lastIndexOf(lock);
  if (index >= 0) held.splice(index, 1);
  return index >= 0;
}

/** `callee` gives up a lock that the running task does not hold. */
export function* unbalanced(lock: Cell<number>, callee: string): KernelCode {
  yield* preconditionBroken(callee, `without ${lock.name} held`, "race");
}

/** `callee` gives up a lock that the running task holds in the other way (DEBUG_RWSEMS_WARN_ON). */
function* heldOtherwise(
  lock: Cell<number>,
  callee: string,
  way: "reading" | "writing",
): KernelCode {
  yield* preconditionBroken(callee, `with ${lock.name} held for ${way}`, "race");
}

/** prepare_lock_switch and finish_lock_switch: `next` will give up what `prev` has taken. */
export function handOver(lock: Cell<number>, prev: Task, next: Task): void {
  const index = prev.spinLocks.lastIndexOf(lock);
  if (index >= 0) next.spinLocks.push(...prev.spinLocks.splice(index, 1));
}

/**
 * spin_lock. Waiters queue up as in Linux's queued spinlock; unlike there, one that comes in the
 * moment in which the lock is handed on may get ahead of the queue.
 */
export function* spinLock(lock: Cell<number>): KernelCode {
  while ((yield* locked(lock, () => 1)) !== 0) yield* queueUntil(lock, (value) => value === 0);
  acquired(lock, "spinLocks");
}

/** spin_unlock: a plain release store. */
export function* spinUnlock(lock: Cell<number>): KernelCode {
  if (!released(lock, "spinLocks")) yield* unbalanced(lock, "spin_unlock");
  yield* store(lock, 0);
}

const WRITER = -1;

/** down_read(mmap_lock). Unlike Linux, a waiter spins and never sleeps. */
export function* lockForReading(lock: Cell<number>): KernelCode {
  yield* mightSleep("down_read");
  while (
    (yield* count(lock, (readers) => (readers === WRITER ? WRITER : readers + 1))) === WRITER
  ) {
    yield* queueUntil(lock, (readers) => readers !== WRITER);
  }
  acquired(lock, "semaphores");
}

export function* unlockForReading(lock: Cell<number>): KernelCode {
  if (!released(lock, "semaphores")) yield* unbalanced(lock, "up_read");
  else if (lock.value === WRITER) yield* heldOtherwise(lock, "up_read", "writing");
  yield* count(lock, (readers) => readers - 1);
}

/** down_write(mmap_lock). */
export function* lockForWriting(lock: Cell<number>): KernelCode {
  yield* mightSleep("down_write");
  while ((yield* locked(lock, (readers) => (readers === 0 ? WRITER : readers))) !== 0) {
    yield* queueUntil(lock, (readers) => readers === 0);
  }
  acquired(lock, "semaphores");
}

export function* unlockForWriting(lock: Cell<number>): KernelCode {
  if (!released(lock, "semaphores")) yield* unbalanced(lock, "up_write");
  else if (lock.value !== WRITER) yield* heldOtherwise(lock, "up_write", "reading");
  yield* locked(lock, () => 0);
}

nameFunctions({
  spin_lock: spinLock,
  spin_unlock: spinUnlock,
  down_read: lockForReading,
  up_read: unlockForReading,
  down_write: lockForWriting,
  up_write: unlockForWriting,
  lock_release: [unbalanced, heldOtherwise],
});
