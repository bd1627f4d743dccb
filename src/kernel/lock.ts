// Spinlocks and mmap_lock. Waiters park on the lock's line and take interrupts when they are
// enabled.

import type { Cell } from "./cell.ts";
import { type Kernel, locked, store, waitUntil } from "./operation.ts";

/** spin_lock. Unfair, unlike the queued spinlock of Linux: the first to see it free takes it. */
export function* spinLock(lock: Cell<number>): Kernel {
  while ((yield* locked(lock, () => 1)) !== 0) yield* waitUntil(lock, (value) => value === 0);
}

/** spin_unlock: a plain release store. */
export function* spinUnlock(lock: Cell<number>): Kernel {
  yield* store(lock, 0);
}

const WRITER = -1;

/** down_read(mmap_lock). Unlike Linux, a waiter spins and never sleeps. */
export function* lockForReading(lock: Cell<number>): Kernel {
  while ((yield* locked(lock, (count) => (count === WRITER ? WRITER : count + 1))) === WRITER) {
    yield* waitUntil(lock, (count) => count !== WRITER);
  }
}

export function* unlockForReading(lock: Cell<number>): Kernel {
  yield* locked(lock, (count) => count - 1);
}

/** down_write(mmap_lock). */
export function* lockForWriting(lock: Cell<number>): Kernel {
  while ((yield* locked(lock, (count) => (count === 0 ? WRITER : count))) !== 0) {
    yield* waitUntil(lock, (count) => count === 0);
  }
}

export function* unlockForWriting(lock: Cell<number>): Kernel {
  yield* locked(lock, () => 0);
}
