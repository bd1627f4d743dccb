// The preparation of a scenario: address spaces, tasks and who runs where, by the kernel's own
// code, run to its end before the exploration begins.

import {
  pageAfter,
  type PageNumber,
  pageNumber,
  type PageRange,
  pageRange,
} from "../../base/address.ts";
import { assert } from "../../base/assert.ts";
import { Activation } from "../../kernel/operation/activation.ts";
import { Cell } from "../../kernel/operation/cell.ts";
import type { Cpu } from "../../kernel/state/cpu.ts";
import { leafEntry } from "../../kernel/state/leaf-entry.ts";
import { flushRange } from "../../kernel/memory/flush.ts";
import { enterKernel, leaveKernel } from "../../kernel/cpu/pti.ts";
import { exit } from "../../kernel/process/exit.ts";
import { createTask } from "../../kernel/process/fork.ts";
import type { Kernel } from "../../kernel/state/kernel.ts";
import type { Mm } from "../../kernel/state/mm.ts";
import { updateEntry } from "../../kernel/operation/entry-operation.ts";
import { call, type KernelCode, note, parkUntil } from "../../kernel/operation/operation.ts";
import { tryUser } from "../../kernel/operation/user-operation.ts";
import { schedule } from "../../kernel/cpu/schedule.ts";
import { NEED_RESCHED, type Task } from "../../kernel/state/task.ts";
import { ACCESSED, DIRTY, WRITABLE } from "../../machine/page-table.ts";
import { userStream } from "../../machine/stream.ts";
import type { Executor } from "../execution/executor.ts";
import { Choices } from "../search/system.ts";

/** Pages of scenarios whose translations are followed. */
export const PAGE_COUNT = 2;

/** Where the pages of scenarios begin: the last page of a leaf table, the second in the next. */
const FIRST_PAGE = pageNumber(0xffff);

/** Page `index` of a scenario's memory. */
export const onePage = (index = 0): PageRange => pageRange(pageAfter(FIRST_PAGE, index), 1);

const QUIET_STEPS = 10_000;

export class Stage {
  /** False once the exploration has begun. */
  isPreparing = true;
  private readonly never: Cell<number>;

  constructor(
    readonly kernel: Kernel,
    private readonly executor: Executor,
  ) {
    this.never = new Cell("never", { index: -1 }, 0);
  }

  /** As many as the scenario asked for; typed so that `const [cpu0, cpu1] = stage.cpus` holds. */
  get cpus(): readonly [Cpu, Cpu, Cpu, ...Cpu[]] {
    return this.kernel.cpus as readonly Cpu[] as readonly [Cpu, Cpu, Cpu, ...Cpu[]];
  }

  /** An address space with one user and up to two writable pages, all of them mapped. */
  mm(name: string, pageCount = 1): Mm {
    assert(pageCount <= PAGE_COUNT, `an mm of a scenario has at most ${PAGE_COUNT} pages`);
    const mm = this.kernel.createMm(name, 0);
    if (pageCount === 0) return mm;
    const end = pageNumber(FIRST_PAGE + pageCount);
    mm.areas.add({ start: FIRST_PAGE, end, writable: true, executable: false });
    for (let page: number = FIRST_PAGE; page < end; page++) {
      const entry = leafEntry(this.kernel.frames.allocate(), { writable: true, executable: false });
      mm.tables.setEntry(page as PageNumber, entry | ACCESSED | DIRTY);
    }
    return mm;
  }

  /**
   * A task of `mm` on a CPU, asleep. It takes over the mm's first user, or is one more. `body` is
   * what it does when it is switched to for the first time, after the start.
   */
  task(
    cpu: Cpu,
    name: string,
    mm: Mm | null,
    body: (task: Task) => KernelCode<unknown> = () => this.rest(),
  ): Task {
    const { kernel } = this;
    const program = (task: Task): KernelCode => this.once(task, body);
    const task = createTask({ name, program, cpu }, null, mm === null);
    task.state = "sleeping";
    if (mm === null) return task;
    const isFirst = !kernel.tasks.some((other) => other !== task && other.mm === mm);
    if (!isFirst) mm.mmUsers.value++;
    task.mm = mm;
    task.activeMm = mm;
    return task;
  }

  /** The CPU's current task uses a page once, in user mode. Returns what came of it. */
  *touch(
    kind: "read" | "write",
    { cpu, index = 0 }: { cpu?: Cpu; index?: number } = {},
  ): KernelCode<"done" | "SIGSEGV"> {
    if (cpu !== undefined) yield* leaveKernel(cpu);
    const fault = yield* tryUser(userStream({ base: onePage(index).start, kind }));
    if (cpu !== undefined) yield* enterKernel(cpu);
    return fault === null ? "done" : "SIGSEGV";
  }

  /** A page becomes read-only, and is flushed: mprotect without its locks. */
  *protectPage(cpu: Cpu, mm: Mm, index = 0): KernelCode {
    const range = onePage(index);
    yield* updateEntry(mm, range.start, (entry) => entry & ~WRITABLE, "4K");
    yield* flushRange(cpu, { mm, range, freedTables: false });
    yield* note({ kind: "revoked", mm, range });
  }

  /** __schedule, by the CPU's current task. */
  *schedule(cpu: Cpu): KernelCode {
    yield* schedule(cpu);
  }

  /** The current task of its CPU sleeps until it is woken. */
  *goToSleep(task: Task): KernelCode {
    task.state = "sleeping";
    yield* call(schedule(task.cpu));
  }

  /** Nothing more, for ever. */
  *rest(): KernelCode {
    yield* parkUntil(this.never, (value) => value !== 0);
  }

  private *once(task: Task, body: (task: Task) => KernelCode<unknown>): KernelCode {
    if (!this.isPreparing) yield* body(task);
    yield* this.rest();
  }

  /** A thread of `mm` has run on the CPU and exited: the CPU idles on, lazily. */
  leaveLazy(cpu: Cpu, mm: Mm): void {
    this.switchTo(this.task(cpu, "thread", mm));
    this.exit(cpu);
  }

  /** A thread of `mm` that has run on the CPU and sleeps; woken, it reads a page. */
  reader(cpu: Cpu, mm: Mm): Task {
    const reader = this.task(cpu, "reader", mm, () => this.touch("read"));
    this.switchTo(reader);
    this.sleep(cpu);
    return reader;
  }

  /** Such a reader, woken after the CPU has been at another address space meanwhile. */
  returningReader(cpu: Cpu, mm: Mm): void {
    const reader = this.reader(cpu, mm);
    this.switchTo(this.task(cpu, "other", this.mm("b")));
    this.sleep(cpu);
    this.makeReady(reader);
  }

  /** A context switch to `task`, on its CPU, now. */
  switchTo(task: Task): void {
    const { cpu } = task;
    this.makeReady(task);
    if (cpu.current === cpu.idle) this.settle();
    else this.run(cpu, schedule(cpu));
  }

  /** The task has been woken: its CPU, if it is idle, goes to it as soon as it looks. */
  makeReady(task: Task): void {
    task.state = "running";
    if (task.onQueue) return;
    task.onQueue = true;
    task.cpu.runQueue.tasks.push(task);
    task.cpu.current.flags.value |= NEED_RESCHED;
  }

  /** The current task of the CPU sleeps, and the CPU goes idle. */
  sleep(cpu: Cpu): void {
    cpu.current.state = "sleeping";
    this.run(cpu, schedule(cpu));
  }

  /** The current task of the CPU exits. */
  exit(cpu: Cpu): void {
    this.run(cpu, exit(cpu.current));
  }

  /** Runs kernel code as the CPU's current task until nobody has anything left to do. */
  run(cpu: Cpu, code: KernelCode<unknown>): void {
    const { executor } = this;
    const state = executor.states[cpu.id]!;
    state.cpu.current.stack.push(new Activation(inKernel(cpu, code), "call"));
    executor.advance(state);
    this.settle();
  }

  /** Lets everybody go on until nobody has anything left to do. */
  private settle(): void {
    const { executor } = this;
    for (let steps = 0; steps < QUIET_STEPS; steps++) {
      const enabled = executor.enabled();
      if (enabled === 0) return;
      executor.step(31 - Math.clz32(enabled & -enabled), new Choices());
    }
    throw new Error("the preparation of a scenario does not come to rest");
  }
}

/** Kernel code of a task that may be in user mode. */
function* inKernel(cpu: Cpu, code: KernelCode<unknown>): KernelCode {
  yield* enterKernel(cpu);
  yield* call(code);
}
