// include/linux/lockdep.h and might_sleep: what a kernel function needs of its caller, stated where
// it begins. It costs no cycle and is no step; where it does not hold, observers are told.
//
// Unlike Linux, these are always compiled in, and a lock counts as the task's own that took it.

import type { Mm } from "../state/mm.ts";
import type { Cell } from "./cell.ts";
import type { Risk } from "./event.ts";
import { type KernelCode, note } from "./operation.ts";
import { thisCpu } from "./this-cpu.ts";

/** What a contract that holds leaves to do: nothing. One for all, since it has ended. */
const HOLDS = (function* (): KernelCode {})();
HOLDS.return();

/** `callee`, a Linux function, was called `how`. */
export function* preconditionBroken(callee: string, how: string, risk: Risk): KernelCode {
  yield* note({ kind: "preconditionBroken", callee, how, risk });
}

/**
 * lockdep_assert_irqs_enabled: `callee` waits for interrupts that others take, one of whom may wait
 * for this CPU's; or it turns interrupts on at its end.
 */
export function needInterruptsOn(callee: string): KernelCode {
  if (thisCpu()?.interruptsOn !== false) return HOLDS;
  return preconditionBroken(callee, "with interrupts off", "deadlock");
}

/** lockdep_assert_irqs_disabled: an interrupt would see what `callee` has half done. */
export function needInterruptsOff(callee: string): KernelCode {
  if (thisCpu()?.interruptsOn !== true) return HOLDS;
  return preconditionBroken(callee, "with interrupts on", "race");
}

/** might_sleep: interrupts are on, and nobody spins for what the caller holds. */
export function mightSleep(callee: string): KernelCode {
  const lock = thisCpu()?.current.spinLocks.at(-1);
  if (lock === undefined) return needInterruptsOn(callee);
  return sleepsWithSpinLock(lock, callee);
}

function* sleepsWithSpinLock({ name }: Cell<number>, callee: string): KernelCode {
  yield* needInterruptsOn(callee);
  yield* preconditionBroken(callee, `with ${name} held`, "deadlock");
}

/** lockdep_assert_held, of a spinlock. */
export function* needSpinLock(lock: Cell<number>, callee: string): KernelCode {
  if (thisCpu()?.current.spinLocks.includes(lock) === false) yield* withoutLock(callee, lock.name);
}

/**
 * lockdep_sys_exit, and what system calls are watched for: on the way to user mode interrupts are
 * on, and nothing is held that others wait for.
 */
export function* needNothingHeld(callee: string): KernelCode {
  yield* mightSleep(callee);
  const lock = thisCpu()?.current.semaphores.at(-1);
  if (lock !== undefined) yield* preconditionBroken(callee, `with ${lock.name} held`, "deadlock");
}

/** The lock of a table of `mm` is held. */
export function* needPageTableLock(mm: Mm, callee: string): KernelCode {
  const held = thisCpu()?.current.spinLocks;
  if (held?.some((lock) => mm.isPageTableLock(lock)) !== false) return;
  yield* withoutLock(callee, `a page-table lock of ${mm.name}`);
}

/** mmap_lock is held, in whichever way; the lock of an area is not enough. */
export function* needMmapLock({ mmapLock }: Mm, callee: string): KernelCode {
  if (thisCpu()?.current.semaphores.includes(mmapLock) !== false) return;
  yield* withoutLock(callee, mmapLock.name);
}

/** mmap_assert_write_locked */
export function* needMmapLockForWriting({ mmapLock }: Mm, callee: string): KernelCode {
  // Who holds it, alone or among readers, reads a value that nobody else can change to a writer's.
  const holds = thisCpu()?.current.semaphores.includes(mmapLock);
  if (holds === undefined || (holds && mmapLock.value < 0)) return;
  yield* withoutLock(callee, mmapLock.name, " held for writing");
}

/** mmap_assert_locked, or vma_assert_locked: mmap_lock is held, or the lock of an area. */
export function* needAreaLock(mm: Mm, callee: string): KernelCode {
  const held = thisCpu()?.current.semaphores;
  if (held?.some(({ owner }) => owner === mm) !== false) return;
  yield* withoutLock(callee, `mmap_lock or the lock of an area of ${mm.name}`);
}

/** VM_BUG_ON of __mmput: nobody uses the mm any more, or ever will. */
export function* needNoUsers({ name, mmUsers }: Mm, callee: string): KernelCode {
  if (mmUsers.value > 0) yield* preconditionBroken(callee, `while ${name} has users`, "race");
}

function* withoutLock(callee: string, lock: string, held = " held"): KernelCode {
  yield* preconditionBroken(callee, `without ${lock}${held}`, "race");
}
