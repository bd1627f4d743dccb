// kernel/fork.c: new address spaces and new tasks.

import { pageNumber, type PageRange } from "../../base/address.ts";
import { ACCESSED, frameOfEntry, WRITABLE } from "../../machine/page-table.ts";
import { lockAreas, lockForChange, unlockAreas } from "../locking/area-lock.ts";
import type { Area } from "../state/area.ts";
import type { Line } from "../operation/cell.ts";
import { costs } from "../operation/costs.ts";
import type { Cpu } from "../state/cpu.ts";
import { withRecord } from "../state/leaf-entry.ts";
import { updateEntry } from "../operation/entry-operation.ts";
import { flushRange } from "../memory/flush.ts";
import { mmget } from "../memory/mm-count.ts";
import { type Mm, WHOLE_USER_HALF } from "../state/mm.ts";
import {
  call,
  type KernelCode,
  note,
  work,
  workTimes,
  writeEntry,
} from "../operation/operation.ts";
import { underEachLock } from "../locking/page-table-lock.ts";
import { wakeUpNew } from "../cpu/schedule.ts";
import { presentPages } from "../operation/table-operation.ts";
import { type Program, Task } from "../state/task.ts";
import { WaitQueue } from "../state/wait-queue.ts";
import { exit } from "./exit.ts";
import { nameFunctions } from "../operation/origin.ts";
import { mightSleep } from "../operation/precondition.ts";

export interface NewTask {
  readonly name: string;
  readonly program: Program;
  /** The CPU on which the task runs. */
  readonly cpu: Cpu;
}

/** copy_process, as far as all tasks have it: a task without an address space, not yet woken. */
export function createTask(request: NewTask, parent: Task | null, isKernelThread: boolean): Task {
  const { cpu, name } = request;
  const { kernel } = cpu;
  const program = function* (task: Task) {
    yield* call(request.program(task));
    yield* exit(task);
  };
  const line = (): Line => kernel.allocateLine(cpu.id);
  const exits = new WaitQueue(`${name}.wait_chldexit`, line());
  const task = kernel.addTask(
    (pid) => new Task(pid, name, cpu, program, parent, exits, isKernelThread, line()),
  );
  parent?.children.push(task);
  return task;
}

/** clone(CLONE_VM | CLONE_THREAD): one more task in the parent's address space. */
export function* cloneThread(parent: Task, request: NewTask): KernelCode<Task> {
  yield* mightSleep("kernel_clone");
  const mm = parent.mm!;
  yield* work(costs.forkTask);
  yield* mmget(mm);
  const thread = createUserTask(parent, request, mm);
  yield* wakeUpNew(parent.cpu, thread);
  return thread;
}

/** fork: a task in a copy of the parent's address space. */
export function* fork(parent: Task, request: NewTask): KernelCode<Task> {
  yield* mightSleep("kernel_clone");
  yield* work(costs.forkTask);
  const mm = yield* copyMm(parent.cpu, parent.mm!, request.name);
  const child = createUserTask(parent, request, mm);
  yield* wakeUpNew(parent.cpu, child);
  return child;
}

/** A task with `mm` as its address space, of which it takes over one user; not yet woken. */
export function createUserTask(parent: Task | null, request: NewTask, mm: Mm): Task {
  const task = createTask(request, parent, false);
  task.mm = mm;
  task.activeMm = mm;
  return task;
}

/** kthread_create and wake_up_process: a task without an address space. */
export function* createKernelThread(parent: Task, request: NewTask): KernelCode<Task> {
  yield* mightSleep("kthread_create");
  yield* work(costs.forkTask);
  const thread = createTask(request, parent, true);
  yield* wakeUpNew(parent.cpu, thread);
  return thread;
}

/** mm_alloc: an empty address space with one user. */
export function* createMm(cpu: Cpu, name: string): KernelCode<Mm> {
  yield* mightSleep("mm_alloc");
  yield* work(costs.createMm);
  const mm = cpu.kernel.createMm(name, cpu.id);
  yield* note({ kind: "mmCreated", mm });
  return mm;
}

/**
 * dup_mmap: areas are copied, writable pages become read-only in both, then the parent is flushed.
 */
export function* copyMm(cpu: Cpu, parent: Mm, name: string): KernelCode<Mm> {
  const child = yield* createMm(cpu, name);
  yield* lockAreas(parent);
  yield* lockForChange(parent, parent.areas.all);
  child.areas.copyFrom(parent.areas);
  for (const area of parent.areas.all) yield* copyEntries(cpu, parent, child, area);
  // flush_tlb_mm: its freed_tables is true
  const request = { mm: parent, range: WHOLE_USER_HALF, freedTables: true };
  yield* flushRange(cpu, request);
  yield* note({ kind: "revoked", mm: parent, range: WHOLE_USER_HALF });
  yield* unlockAreas(parent);
  return child;
}

/** copy_pte_range, copy_hugetlb_page_range */
function* copyEntries(cpu: Cpu, parent: Mm, child: Mm, area: Area): KernelCode {
  const { pageSize = "4K" } = area;
  yield* underEachLock(parent, area, pageSize, function* (part) {
    const pages = yield* presentPages(parent, part);
    for (const page of pages) {
      const writeProtected = (entry: bigint): bigint => entry & ~WRITABLE; // LOCK BTR
      const entry = writeProtected(yield* updateEntry(parent, page, writeProtected, pageSize));
      // pte_mkold; by the child's tables nobody has cached it.
      yield* writeEntry(child, page, withRecord(entry & ~ACCESSED, 0), pageSize);
      cpu.kernel.frames.share(frameOfEntry(entry));
    }
    yield* workTimes(costs.copyEntry, pages.length);
  });
}

/** Where a fresh program image has its text, and its stack. */
export const TEXT = { start: pageNumber(0x400), end: pageNumber(0x404) } as PageRange;
export const STACK = {
  start: pageNumber(0x7ffff_ff00),
  end: pageNumber(0x7ffff_ff10),
} as PageRange;

/** load_elf_binary: the areas of a fresh image. */
export function mapImage(mm: Mm): void {
  mm.areas.add({ ...TEXT, writable: false, executable: true });
  mm.areas.add({ ...STACK, writable: true, executable: false });
}

nameFunctions({
  copy_process: cloneThread,
  kernel_clone: fork,
  kthread_create: createKernelThread,
  mm_alloc: createMm,
  dup_mmap: copyMm,
  copy_pte_range: copyEntries,
});
