// What kernel code may yield. Kernel code never touches the machine or a shared variable itself: it
// yields operations, and an executor (the clock, or the explorer) carries them out.

import type { FrameNumber, PageNumber } from "../../base/address.ts";
import type { Broadcast } from "../../machine/broadcast.ts";
import type { PageSize } from "../../machine/description.ts";
import type { Stream } from "../../machine/stream.ts";
import type { AreaOperation } from "./area-operation.ts";
import type { Cell, Line } from "./cell.ts";
import type { Cost } from "./costs.ts";
import type { Cpu } from "../state/cpu.ts";
import type { EntryOperation } from "./entry-operation.ts";
import type { KernelNotice } from "./event.ts";
import type { Mm } from "../state/mm.ts";
import { assert } from "../../base/assert.ts";
import type { RemoteOperation } from "./remote-operation.ts";
import type { TableOperation } from "./table-operation.ts";
import type { SegmentationFault, Task } from "../state/task.ts";

export type Operation =
  | { readonly kind: "work"; readonly cycles: number; readonly what: string }
  | { readonly kind: "workUntil"; readonly cycle: number }
  | { readonly kind: "load"; readonly cell: Cell }
  | { readonly kind: "store"; readonly cell: Cell; readonly value: unknown }
  | { readonly kind: "storeOwn"; readonly line: Line; readonly what: string }
  | {
      readonly kind: "locked";
      readonly cell: Cell;
      readonly update: (old: never) => unknown;
      /** See count. */
      readonly commutes: boolean;
    }
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
  | { readonly kind: "writeCr4"; readonly globalPages: boolean }
  | { readonly kind: "invlpg"; readonly page: PageNumber }
  | {
      readonly kind: "invpcid";
      readonly type: InvpcidType;
      readonly pcid: number;
      readonly page: PageNumber;
    }
  | { readonly kind: "invlpgb"; readonly what: Broadcast }
  | { readonly kind: "tlbsync" }
  | RemoteOperation
  | { readonly kind: "sendIpi"; readonly targets: readonly number[]; readonly vector: number }
  | { readonly kind: "endOfInterrupt" }
  | { readonly kind: "interruptFlag"; readonly enabled: boolean }
  | EntryOperation
  | TableOperation
  | AreaOperation
  | { readonly kind: "runUser"; readonly stream: Stream }
  | { readonly kind: "kernelAccess"; readonly page: PageNumber; readonly write: boolean }
  | { readonly kind: "call"; readonly code: KernelCode<unknown> }
  | { readonly kind: "switchTo"; readonly next: Task }
  | { readonly kind: "preemptVcpu"; readonly cpu: Cpu; readonly cycles: number }
  | { readonly kind: "resumeVcpu"; readonly cpu: Cpu }
  | { readonly kind: "note"; readonly notice: KernelNotice };

/** 0: a page in one PCID; 1: one PCID; 2: all, global pages included; 3: all but those. */
export type InvpcidType = 0 | 1 | 2 | 3;

/** Kernel code: a coroutine of operations that ends in a T. */
export type KernelCode<T = void> = Generator<Operation, T, unknown>;

/** Ends the switches of executors: what one forgets does not compile, and what is none is said. */
export function notAnOperation(yielded: never): never {
  const { kind } = Object(yielded) as { readonly kind?: unknown };
  const isNamed = typeof kind === "string";
  const what = isNamed ? `the operation "${kind}"` : Object.prototype.toString.call(yielded);
  const remedy = isNamed ? "there is none of that name" : "write yield* where it calls kernel code";
  throw new Error(`kernel code has yielded ${what}: ${remedy}`);
}

/** Private computation of the kernel; `what` names the entry of `costs` it stands for. */
export function* work(cost: Omit<Cost, "source">): KernelCode {
  yield { kind: "work", cycles: cost.cycles, what: cost.name };
}

/** `count` repetitions of the same work. */
export function* workTimes(cost: Omit<Cost, "source">, count: number): KernelCode {
  if (count > 0) yield { kind: "work", cycles: cost.cycles * count, what: cost.name };
}

/** Computation until `cycle`, none if that is past: for replays at a recorded pace. */
export function* workUntil(cycle: number): KernelCode {
  yield { kind: "workUntil", cycle };
}

/** A plain load: READ_ONCE. Acquire needs nothing more on x86. */
export function* load<T>(cell: Cell<T>): KernelCode<T> {
  return (yield { kind: "load", cell: cell as Cell }) as T;
}

/** A plain store: WRITE_ONCE, or smp_store_release. It may wait in the store buffer. */
export function* store<T>(cell: Cell<T>, value: T): KernelCode {
  yield { kind: "store", cell: cell as Cell, value };
}

/** this_cpu_write of what no other CPU reads: it costs its line, which others may look at. */
export function* storeOwn(line: Line, what: string): KernelCode {
  yield { kind: "storeOwn", line, what };
}

/** A LOCK-prefixed read-modify-write: full barrier. Returns the old value. */
export function* locked<T>(cell: Cell<T>, update: (old: T) => T): KernelCode<T> {
  return (yield lockedUpdate(cell, update, false)) as T;
}

/**
 * As locked, where the order of such updates of the cell does not matter: neither for what is in it
 * after them, nor for what their callers make of the old value. The readers of a lock are counted
 * so. It spares an exploration the orders that differ in nothing.
 */
export function* count(cell: Cell<number>, update: (old: number) => number): KernelCode<number> {
  return (yield lockedUpdate(cell, update, true)) as number;
}

const lockedUpdate = <T>(cell: Cell<T>, update: (old: T) => T, commutes: boolean): Operation => ({
  kind: "locked",
  cell: cell as Cell,
  update: update as (old: never) => unknown,
  commutes,
});

/** smp_mb(): LOCK ADDL on the stack. */
export function* fence(): KernelCode {
  yield { kind: "fence" };
}

/** Timer ticks in a second: CONFIG_HZ_1000. */
export const HZ = 1000;

/** jiffies: the ticks since boot. An executor without a clock may let time stand still. */
export function* readJiffies(): KernelCode<number> {
  return (yield { kind: "jiffies" }) as number;
}

/** smp_cond_load_acquire: until `until` holds of the cell; interrupts are taken meanwhile. For what
 *  another CPU does next: a wait that takes too long is reported as a deadlock. */
export function* waitUntil<T>(cell: Cell<T>, until: (value: T) => boolean): KernelCode<T> {
  return (yield {
    kind: "wait",
    cell: cell as Cell,
    until: until as (value: never) => boolean,
  }) as T;
}

/** As waitUntil, in a queue of those who wait so for the cell: a change wakes the first whose
 *  condition holds. The caller tries again, for another may have come in between. */
export function* queueUntil<T>(cell: Cell<T>, until: (value: T) => boolean): KernelCode {
  yield { kind: "queue", cell: cell as Cell, until: until as (value: never) => boolean };
}

/** As waitUntil, for as long as it takes. */
export function* parkUntil<T>(cell: Cell<T>, until: (value: T) => boolean): KernelCode<T> {
  return (yield {
    kind: "park",
    cell: cell as Cell,
    until: until as (value: never) => boolean,
  }) as T;
}

/** The idle state: until `until` holds of the monitored cell, or an interrupt came. */
export function* idleUntil<T>(cell: Cell<T>, until: (value: T) => boolean): KernelCode {
  yield { kind: "idle", cell: cell as Cell, until: until as (value: never) => boolean };
}

/** MOV CR3; `keep` is bit 63. Serialising. */
export function* writeCr3(root: FrameNumber, pcid: number, keep: boolean): KernelCode {
  yield { kind: "writeCr3", root, pcid, keep };
}

/** MOV CR4 with this PGE; the other bits stay. A change of PGE drops everything. Serialising. */
export function* writeCr4({ globalPages }: { readonly globalPages: boolean }): KernelCode {
  yield { kind: "writeCr4", globalPages };
}

export function* invlpg(page: PageNumber): KernelCode {
  yield { kind: "invlpg", page };
}

/** INVPCID; type 0 looks at both operands, 1 at the PCID, the others at neither. Serialising. */
export function* invpcid(
  type: InvpcidType,
  { pcid = 0, page = 0 as PageNumber }: { readonly pcid?: number; readonly page?: PageNumber } = {},
): KernelCode {
  yield { kind: "invpcid", type, pcid, page };
}

/** INVLPGB: begins an invalidation on every CPU. Not serialising. */
export function* invlpgb(what: Broadcast): KernelCode {
  yield { kind: "invlpgb", what };
}

/** TLBSYNC: on return this CPU's INVLPGBs are done on every CPU. */
export function* tlbsync(): KernelCode {
  yield { kind: "tlbsync" };
}

/** ICR writes: see apic.ts. The targets are other CPUs, ascending. */
export function* sendIpi(targets: readonly number[], vector: number): KernelCode {
  yield { kind: "sendIpi", targets, vector };
}

export function* endOfInterrupt(): KernelCode {
  yield { kind: "endOfInterrupt" };
}

export function* disableInterrupts(): KernelCode {
  yield { kind: "interruptFlag", enabled: false };
}

export function* enableInterrupts(): KernelCode {
  yield { kind: "interruptFlag", enabled: true };
}

/** The leaf entry that maps `page`, 0n where there is none. */
export function* readEntry(mm: Mm, page: PageNumber): KernelCode<bigint> {
  return (yield { kind: "readEntry", mm, page }) as bigint;
}

/** set_pte, set_pmd: a plain store to the leaf entry of a page of `size`. Tables above it are made
 *  where they are missing. It may wait in the store buffer. */
export function* writeEntry(
  mm: Mm,
  page: PageNumber,
  entry: bigint,
  size: PageSize = "4K",
): KernelCode {
  yield { kind: "writeEntry", mm, page, entry, size };
}

/**
 * ptep_get_and_clear and its like: XCHG on the leaf entry, a full barrier. Returns the old entry,
 * with what the hardware had noted in it until then.
 */
export function* exchangeEntry(
  mm: Mm,
  page: PageNumber,
  entry: bigint,
  size: PageSize = "4K",
): KernelCode<bigint> {
  return (yield { kind: "exchangeEntry", mm, page, entry, size }) as bigint;
}

/** User mode: all accesses of the stream; faults and interrupts are served inside. */
export function* runUser(stream: Stream): KernelCode {
  const fault = (yield { kind: "runUser", stream }) as SegmentationFault | undefined;
  if (fault === undefined) return;
  const { page, mm, isWrite } = fault;
  const where = `page ${page.toString(16)} of ${mm.name}`;
  assert(false, `a program ${isWrite ? "writes" : "touches"} only what it may (${where})`);
}

/** A supervisor access of kernel code to a page of the kernel half, through the TLB. */
export function* kernelAccess(page: PageNumber, kind: "read" | "write"): KernelCode {
  yield { kind: "kernelAccess", page, write: kind === "write" };
}

/**
 * Runs `code` as an entry of its own on the task's kernel stack and returns its result. The same as
 * `yield*`, but every operation below costs one resumption, however deep the calls above are.
 */
export function* call<T>(code: KernelCode<T>): KernelCode<T> {
  return (yield { kind: "call", code }) as T;
}

/** switch_to: goes on as `next`. Returns, when this task runs again, the CPU that it is on. */
export function* switchTo(next: Task): KernelCode<Cpu> {
  return (yield { kind: "switchTo", next }) as Cpu;
}

/** Tells observers what happened; takes no time and changes nothing. */
export function* note(notice: KernelNotice): KernelCode {
  yield { kind: "note", notice };
}
