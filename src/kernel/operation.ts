// What kernel code may yield. Kernel code never touches the machine or a shared variable itself: it
// yields operations, and an executor (the clock, or the explorer) carries them out.

import type { FrameNumber, PageNumber, PageRange } from "../base/address.ts";
import type { Broadcast } from "../machine/broadcast.ts";
import type { Stream } from "../machine/stream.ts";
import type { Cell } from "./cell.ts";
import type { Cpu } from "./cpu.ts";
import type { KernelNotice } from "./event.ts";
import type { Mm } from "./mm.ts";
import type { Task } from "./task.ts";

export type Operation =
  | { readonly kind: "work"; readonly cycles: number; readonly what: string }
  | { readonly kind: "workUntil"; readonly cycle: number }
  | { readonly kind: "load"; readonly cell: Cell }
  | { readonly kind: "store"; readonly cell: Cell; readonly value: unknown }
  | { readonly kind: "locked"; readonly cell: Cell; readonly update: (old: never) => unknown }
  | { readonly kind: "fence" }
  | { readonly kind: "jiffies" }
  | { readonly kind: "wait"; readonly cell: Cell; readonly until: (value: never) => boolean }
  | { readonly kind: "queue"; readonly cell: Cell; readonly until: (value: never) => boolean }
  | { readonly kind: "park"; readonly cell: Cell; readonly until: (value: never) => boolean }
  | { readonly kind: "idle"; readonly cell: Cell; readonly until: (value: never) => boolean }
  | {
      readonly kind: "writeCr3";
      readonly root: FrameNumber;
      readonly pcid: number;
      readonly keep: boolean;
    }
  | { readonly kind: "invlpg"; readonly page: PageNumber }
  | { readonly kind: "invlpgb"; readonly what: Broadcast }
  | { readonly kind: "tlbsync" }
  | { readonly kind: "sendIpi"; readonly targets: readonly number[]; readonly vector: number }
  | { readonly kind: "endOfInterrupt" }
  | { readonly kind: "interruptFlag"; readonly enabled: boolean }
  | { readonly kind: "readEntry"; readonly mm: Mm; readonly page: PageNumber }
  | {
      readonly kind: "writeEntry" | "exchangeEntry";
      readonly mm: Mm;
      readonly page: PageNumber;
      readonly entry: bigint;
    }
  | { readonly kind: "presentPages"; readonly mm: Mm; readonly range: PageRange }
  | { readonly kind: "detachTables"; readonly mm: Mm; readonly range: PageRange }
  | { readonly kind: "runUser"; readonly stream: Stream }
  | { readonly kind: "call"; readonly code: Kernel<unknown> }
  | { readonly kind: "switchTo"; readonly next: Task }
  | { readonly kind: "note"; readonly notice: KernelNotice };

/** Kernel code: a coroutine of operations that ends in a T. */
export type Kernel<T = void> = Generator<Operation, T, unknown>;

/** Private computation of the kernel; `what` names the entry of `costs` it stands for. */
export function* work(cost: { readonly name: string; readonly cycles: number }): Kernel {
  yield { kind: "work", cycles: cost.cycles, what: cost.name };
}

/** `count` repetitions of the same work. */
export function* workTimes(
  cost: { readonly name: string; readonly cycles: number },
  count: number,
): Kernel {
  if (count > 0) yield { kind: "work", cycles: cost.cycles * count, what: cost.name };
}

/** Computation until `cycle`, none if that is past: for replays at a recorded pace. */
export function* workUntil(cycle: number): Kernel {
  yield { kind: "workUntil", cycle };
}

/** A plain load: READ_ONCE. Acquire needs nothing more on x86. */
export function* load<T>(cell: Cell<T>): Kernel<T> {
  return (yield { kind: "load", cell: cell as Cell }) as T;
}

/** A plain store: WRITE_ONCE, or smp_store_release. It may wait in the store buffer. */
export function* store<T>(cell: Cell<T>, value: T): Kernel {
  yield { kind: "store", cell: cell as Cell, value };
}

/** A LOCK-prefixed read-modify-write: full barrier. Returns the old value. */
export function* locked<T>(cell: Cell<T>, update: (old: T) => T): Kernel<T> {
  return (yield {
    kind: "locked",
    cell: cell as Cell,
    update: update as (old: never) => unknown,
  }) as T;
}

/** smp_mb(): LOCK ADDL on the stack. */
export function* fence(): Kernel {
  yield { kind: "fence" };
}

/** Timer ticks in a second: CONFIG_HZ_1000. */
export const HZ = 1000;

/** jiffies: the ticks since boot. An executor without a clock may let time stand still. */
export function* readJiffies(): Kernel<number> {
  return (yield { kind: "jiffies" }) as number;
}

/**
 * smp_cond_load_acquire: waits until `until` holds of the cell; interrupts are taken meanwhile. For
 * what another CPU does next: a wait that takes too long is reported as a deadlock.
 */
export function* waitUntil<T>(cell: Cell<T>, until: (value: T) => boolean): Kernel<T> {
  return (yield {
    kind: "wait",
    cell: cell as Cell,
    until: until as (value: never) => boolean,
  }) as T;
}

/**
 * As waitUntil, in a queue of those who wait so for the cell: a change wakes the first whose
 * condition holds. The caller tries again, for another may have come in between.
 */
export function* queueUntil<T>(cell: Cell<T>, until: (value: T) => boolean): Kernel {
  yield { kind: "queue", cell: cell as Cell, until: until as (value: never) => boolean };
}

/** As waitUntil, for as long as it takes. */
export function* parkUntil<T>(cell: Cell<T>, until: (value: T) => boolean): Kernel<T> {
  return (yield {
    kind: "park",
    cell: cell as Cell,
    until: until as (value: never) => boolean,
  }) as T;
}

/** The idle state: until `until` holds of the monitored cell, or an interrupt came. */
export function* idleUntil<T>(cell: Cell<T>, until: (value: T) => boolean): Kernel {
  yield { kind: "idle", cell: cell as Cell, until: until as (value: never) => boolean };
}

/** MOV CR3; `keep` is bit 63. Serialising. */
export function* writeCr3(root: FrameNumber, pcid: number, keep: boolean): Kernel {
  yield { kind: "writeCr3", root, pcid, keep };
}

export function* invlpg(page: PageNumber): Kernel {
  yield { kind: "invlpg", page };
}

/** INVLPGB: begins an invalidation on every CPU. Not serialising. */
export function* invlpgb(what: Broadcast): Kernel {
  yield { kind: "invlpgb", what };
}

/** TLBSYNC: on return this CPU's INVLPGBs are done on every CPU. */
export function* tlbsync(): Kernel {
  yield { kind: "tlbsync" };
}

/** ICR writes: one per x2APIC cluster of 16 among the targets. */
export function* sendIpi(targets: readonly number[], vector: number): Kernel {
  yield { kind: "sendIpi", targets, vector };
}

export function* endOfInterrupt(): Kernel {
  yield { kind: "endOfInterrupt" };
}

export function* disableInterrupts(): Kernel {
  yield { kind: "interruptFlag", enabled: false };
}

export function* enableInterrupts(): Kernel {
  yield { kind: "interruptFlag", enabled: true };
}

/** The 4 KiB leaf entry of `page`, 0n where there is none. */
export function* readEntry(mm: Mm, page: PageNumber): Kernel<bigint> {
  return (yield { kind: "readEntry", mm, page }) as bigint;
}

/**
 * set_pte: a plain store to the leaf entry of `page`; the tables above it are made where they are
 * missing. It may wait in the store buffer.
 */
export function* writeEntry(mm: Mm, page: PageNumber, entry: bigint): Kernel {
  yield { kind: "writeEntry", mm, page, entry };
}

/**
 * ptep_get_and_clear and its like: XCHG on the leaf entry, a full barrier. Returns the old entry,
 * with what the hardware had noted in it until then.
 */
export function* exchangeEntry(mm: Mm, page: PageNumber, entry: bigint): Kernel<bigint> {
  return (yield { kind: "exchangeEntry", mm, page, entry }) as bigint;
}

/**
 * The pages of the range that have a present leaf entry, ascending; absent subtrees are skipped.
 */
export function* presentPages(mm: Mm, range: PageRange): Kernel<PageNumber[]> {
  return (yield { kind: "presentPages", mm, range }) as PageNumber[];
}

/**
 * free_pgtables: unlinks every table below the root that overlaps the range and serves no area of
 * the mm any more. Returns their frames, which are still allocated.
 */
export function* detachTables(mm: Mm, range: PageRange): Kernel<FrameNumber[]> {
  return (yield { kind: "detachTables", mm, range }) as FrameNumber[];
}

/**
 * User mode: the stream's accesses until they are done; faults and interrupts are served inside.
 */
export function* runUser(stream: Stream): Kernel {
  yield { kind: "runUser", stream };
}

/**
 * Runs `code` as an entry of its own on the task's kernel stack and returns its result. The same as
 * `yield*`, but every operation below costs one resumption, however deep the calls above are.
 */
export function* call<T>(code: Kernel<T>): Kernel<T> {
  return (yield { kind: "call", code }) as T;
}

/**
 * switch_to: goes on as `next`. Returns, when this task runs again, on the CPU that it is then on.
 */
export function* switchTo(next: Task): Kernel<Cpu> {
  return (yield { kind: "switchTo", next }) as Cpu;
}

/** Tells observers what happened; takes no time and changes nothing. */
export function* note(notice: KernelNotice): Kernel {
  yield { kind: "note", notice };
}
