// The needs that there are: how a caller meets one, and each way not to, with what is reported.

import { lockAreas, unlockAreas } from "../../../src/kernel/locking/area-lock.ts";
import {
  lockForReading,
  lockForWriting,
  spinLock,
  spinUnlock,
  unlockForReading,
} from "../../../src/kernel/locking/lock.ts";
import type { Cell } from "../../../src/kernel/operation/cell.ts";
import {
  disableInterrupts,
  enableInterrupts,
  type KernelCode,
} from "../../../src/kernel/operation/operation.ts";
import type { Given } from "./contract.ts";

/** A call in a state of the CPU and its task that is made for it, and undone. */
type Within = (call: KernelCode<unknown>, given: Given) => KernelCode<unknown>;

export interface Breach {
  /** What is reported, up to the function and after it. */
  readonly invariant: "I10" | "I11";
  readonly how: (given: Given) => string;
  readonly within: Within;
}

export interface Need {
  /** As docs/contracts.md has it. */
  readonly name: string;
  readonly kept: Within;
  readonly breaches: readonly Breach[];
}

const plainly: Within = (call) => call;

const masked: Within = function* (call) {
  yield* disableInterrupts();
  yield* call;
  yield* enableInterrupts();
};

const underSpinLock = (lockOf: (given: Given) => Cell<number>): Within =>
  function* (call, given) {
    yield* spinLock(lockOf(given));
    yield* call;
    yield* spinUnlock(lockOf(given));
  };

const reading: Within = function* (call, { mm }) {
  yield* lockForReading(mm.mmapLock);
  yield* call;
  yield* unlockForReading(mm.mmapLock);
};

const writing: Within = function* (call, { mm }) {
  yield* lockAreas(mm);
  yield* call;
  yield* unlockAreas(mm);
};

const heldBreach = (how: Breach["how"], within: Within): Breach => ({
  invariant: "I10",
  how,
  within,
});

const missing = (how: Breach["how"], within = plainly): Breach => ({
  invariant: "I11",
  how,
  within,
});

const MASKED = heldBreach(() => "with interrupts off", masked);
const SPINNING = heldBreach(
  ({ tableLock }) => `with ${tableLock.name} held`,
  underSpinLock(({ tableLock }) => tableLock),
);

export const INTERRUPTS_ON: Need = { name: "interrupts on", kept: plainly, breaches: [MASKED] };

export const INTERRUPTS_OFF: Need = {
  name: "interrupts off",
  kept: masked,
  breaches: [missing(() => "with interrupts on")],
};

export const MAY_SLEEP: Need = {
  name: "may sleep",
  kept: plainly,
  breaches: [MASKED, SPINNING],
};

export const NOTHING_HELD: Need = {
  name: "nothing held",
  kept: plainly,
  breaches: [MASKED, SPINNING, heldBreach(({ mm }) => `with ${mm.name}.mmap_lock held`, reading)],
};

const withoutMmapLock = (way: string, within = plainly): Breach =>
  missing(({ mm }) => `without ${mm.name}.mmap_lock held${way}`, within);

export const MMAP_LOCK: Need = {
  name: "mmap_lock",
  kept: reading,
  breaches: [withoutMmapLock("")],
};

export const MMAP_LOCK_FOR_WRITING: Need = {
  name: "mmap_lock for writing",
  kept: writing,
  breaches: [withoutMmapLock(" for writing"), withoutMmapLock(" for writing", reading)],
};

export const AREA_LOCK: Need = {
  name: "mmap_lock or the area's lock",
  kept: reading,
  breaches: [missing(({ mm }) => `without mmap_lock or the lock of an area of ${mm.name} held`)],
};

const spinLockNeed = (
  name: string,
  lockOf: (given: Given) => Cell<number>,
  nameOf = (given: Given): string => lockOf(given).name,
): Need => ({
  name,
  kept: underSpinLock(lockOf),
  breaches: [missing((given) => `without ${nameOf(given)} held`)],
});

export const PAGE_TABLE_LOCK = spinLockNeed(
  "a page-table lock",
  ({ tableLock }) => tableLock,
  ({ mm }) => `a page-table lock of ${mm.name}`,
);
export const OWN_TABLE_LOCK = spinLockNeed("the table's lock", ({ tableLock }) => tableLock);
export const RUN_QUEUE_LOCK = spinLockNeed("rq->lock", ({ cpu }) => cpu.runQueue.lock);
export const GLOBAL_ASID_LOCK = spinLockNeed(
  "global_asid_lock",
  ({ cpu }) => cpu.kernel.globalAsids.lock,
);

/** Of functions that give a lock up. */
const givesUp = (take: (given: Given) => KernelCode, breaches: readonly Breach[]): Need => ({
  name: "the lock that it gives up",
  *kept(call, given) {
    yield* take(given);
    yield* call;
  },
  breaches,
});

const otherwise = (way: string, take: (given: Given) => KernelCode): Breach =>
  missing(
    ({ mm }) => `with ${mm.name}.mmap_lock held for ${way}`,
    function* (call, given) {
      yield* take(given);
      yield* call;
    },
  );

const read = ({ mm }: Given): KernelCode => lockForReading(mm.mmapLock);
const write = ({ mm }: Given): KernelCode => lockForWriting(mm.mmapLock);

export const SPIN_LOCK_TO_GIVE_UP = givesUp(
  ({ tableLock }) => spinLock(tableLock),
  [missing(({ tableLock }) => `without ${tableLock.name} held`)],
);
export const READ_LOCK_TO_GIVE_UP = givesUp(read, [
  withoutMmapLock(""),
  otherwise("writing", write),
]);
export const WRITE_LOCK_TO_GIVE_UP = givesUp(write, [
  withoutMmapLock(""),
  otherwise("reading", read),
]);
export const AREAS_TO_GIVE_UP = givesUp(
  ({ mm }) => lockAreas(mm),
  [withoutMmapLock(" for writing"), withoutMmapLock(" for writing", reading)],
);

export const NO_USERS: Need = {
  name: "no users",
  *kept(call, { mm }) {
    const { value } = mm.mmUsers;
    mm.mmUsers.value = 0;
    yield* call;
    mm.mmUsers.value = value;
  },
  breaches: [missing(({ mm }) => `while ${mm.name} has users`)],
};
