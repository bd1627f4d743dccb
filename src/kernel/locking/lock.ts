// Spinlocks and mmap_lock. Waiters park on the lock's line and take interrupts when they are
// enabled.

import type { Cell } from "../operation/cell.ts";
import { type KernelCode, locked, store, queueUntil } from "../operation/operation.ts";
import { nameFunctions } from "../operation/origin.ts";

/**
 * spin_lock. Waiters queue up as in Linux's queued spinlock; unlike there, one that comes in the
 * moment in which the lock is handed on may get ahead of the queue.
 */
export function* spinLock(lock: Cell<number>): KernelCode {
  while ((yield* locked(lock, () => 1)) !== 0) yield* queueUntil(lock, (value) => value === 0);
}

/** spin_unlock: a plain release store. */
export function* spinUnlock(lock: Cell<number>): KernelCode {
  yield* store(lock, 0);
}

const WRITER = -1;

/** down_read(mmap_lock). Unlike Linux, a waiter spins and never sleeps. */
export function* lockForReading(lock: Cell<number>): KernelCode {
  while ((yield* locked(lock, (count) => (count === WRITER ? WRITER : count + 1))) === WRITER) {
    yield* queueUntil(lock, (count) => count !== WRITER);
  }
}

export function* unlockForReading(lock: Cell<number>): KernelCode {
  yield* locked(lock, (count) => count - 1);
}

/** down_write(mmap_lock). */
export function* lockForWriting(lock: Cell<number>): KernelCode {
  while ((yield* locked(lock, (count) => (count === 0 ? WRITER : count))) !== 0) {
    yield* queueUntil(lock, (count) => count === 0);
  }
}

export function* unlockForWriting(lock: Cell<number>): KernelCode {
  yield* locked(lock, () => 0);
}

nameFunctions({
  spin_lock: spinLock,
  spin_unlock: spinUnlock,
  down_read: lockForReading,
  up_read: unlockForReading,
  down_write: lockForWriting,
  up_write: unlockForWriting,
});
