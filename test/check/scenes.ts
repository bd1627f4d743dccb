// Small scenes on two or three CPUs in which one mistake shows.

import { pageNumber, type PageRange } from "../../src/base/address.ts";
import { exec } from "../../src/kernel/process/exec.ts";
import { waitForChild, waitForChildren } from "../../src/kernel/process/exit.ts";
import type { Kernel } from "../../src/kernel/state/kernel.ts";
import type { KernelCode } from "../../src/kernel/operation/operation.ts";
import { Pipe, readPipe, writePipe } from "../../src/kernel/process/pipe.ts";
import { cloneThread, fork, STACK, TEXT } from "../../src/kernel/process/fork.ts";
import { syscall } from "../../src/kernel/cpu/syscall.ts";
import type { Program, Task } from "../../src/kernel/state/task.ts";
import { Barrier } from "../../src/workloads/barrier.ts";
import {
  discardPages,
  mapPages,
  protectPages,
  touchPages,
  unmapPages,
  usePages,
} from "../../src/workloads/memory.ts";

export type SceneProgram = (kernel: Kernel) => Program;

/** Far from everything else: unmapping it frees its page tables. */
const FAR = pageNumber(0x10_0000_000);

/** CPU 1 reads `range` all the time while CPU 0 changes it. */
const changeUnderReader =
  (change: (task: Task, range: PageRange) => KernelCode): SceneProgram =>
  (kernel) =>
    function* (main) {
      const range = yield* mapPages(main, { pageCount: 4 });
      yield* touchPages(range, "write");
      const ready = new Barrier(kernel, 1);
      let isOver = false;
      const reader = function* (task: Task): KernelCode {
        yield* touchPages(range, "read");
        yield* ready.arrive(task);
        while (!isOver) yield* usePages(range, { accesses: 16, thinkCycles: 20, seed: 1 });
      };
      const cpu = kernel.cpus[1]!;
      yield* syscall(main, cloneThread(main, { name: "reader", program: reader, cpu }));
      yield* ready.wait(main);
      yield* change(main, range);
      yield* usePages(STACK, { accesses: 20, thinkCycles: 500, seed: 1 });
      isOver = true;
      yield* syscall(main, waitForChildren(main));
    };

export const protectUnderReader = changeUnderReader((task, range) =>
  protectPages(task, range, false),
);
export const discardUnderReader = changeUnderReader(discardPages);

/** A thread on CPU 1 touches pages, sleeps, and touches them again after CPU 0 has changed them. */
const changeUnderSleeper =
  (
    change: (task: Task, range: PageRange) => KernelCode,
    options: { readonly other: boolean; readonly readsAgain: boolean },
  ): SceneProgram =>
  (kernel) =>
    function* (main) {
      const range = yield* mapPages(main, { pageCount: 4, at: FAR });
      yield* touchPages(range, "write");
      const ready = new Barrier(kernel, 1);
      const pipe = new Pipe(kernel, "wake", 1);
      const cpu = kernel.cpus[1]!;
      const sleeper = function* (task: Task): KernelCode {
        yield* touchPages(range, "read");
        yield* ready.arrive(task);
        yield* syscall(task, readPipe(task, pipe));
        if (options.readsAgain) yield* touchPages(range, "read");
      };
      yield* syscall(main, cloneThread(main, { name: "sleeper", program: sleeper, cpu }));
      yield* ready.wait(main);
      if (options.other) {
        const program = (_task: Task): KernelCode => touchPages(STACK, "write");
        const child = yield* syscall(main, fork(main, { name: "other", program, cpu }));
        yield* syscall(main, waitForChild(main, child));
      }
      yield* usePages(STACK, { accesses: 20, thinkCycles: 500, seed: 1 });
      yield* change(main, range);
      yield* syscall(main, writePipe(main, pipe));
      yield* syscall(main, waitForChildren(main));
    };

const protect = (task: Task, range: PageRange): KernelCode => protectPages(task, range, false);

/** CPU 1 is idle on the mm meanwhile. */
export const protectUnderLazy = changeUnderSleeper(protect, { other: false, readsAgain: true });
/** CPU 1 has gone on to another process meanwhile, in another ASID slot. */
export const protectUnderOther = changeUnderSleeper(protect, { other: true, readsAgain: true });
/** The pages' tables go while CPU 1 is idle on the mm. */
export const unmapUnderLazy = changeUnderSleeper(unmapPages, { other: false, readsAgain: false });

/** More processes take turns on CPU 1 than it has ASID slots. */
export const manyProcesses: SceneProgram = (kernel) =>
  function* (main) {
    const cpu = kernel.cpus[1]!;
    yield* touchPages(STACK, "write");
    for (let count = 0; count < 8; count++) {
      const program = (_task: Task): KernelCode => touchPages(STACK, "write");
      const child = yield* syscall(main, fork(main, { name: `process${count}`, program, cpu }));
      yield* syscall(main, waitForChild(main, child));
    }
  };

/** A child on CPU 1 executes an image of which it touches nothing, and exits. */
export const exitUntouched: SceneProgram = (kernel) =>
  function* (main) {
    const program = (task: Task): KernelCode => syscall(task, exec(task, "untouched"));
    const cpu = kernel.cpus[1]!;
    yield* syscall(main, fork(main, { name: "child", program, cpu }));
    yield* syscall(main, waitForChildren(main));
  };

/** A child on CPU 1 unmaps all that it has, and exits. */
export const exitUnmapped: SceneProgram = (kernel) =>
  function* (main) {
    yield* touchPages(STACK, "write");
    const program = function* (task: Task): KernelCode {
      yield* unmapPages(task, { start: TEXT.start, end: STACK.end });
    };
    const cpu = kernel.cpus[1]!;
    yield* syscall(main, fork(main, { name: "child", program, cpu }));
    yield* syscall(main, waitForChildren(main));
  };

/** A child on CPU 1 lives and exits; its CPU idles on and then runs another one. */
export const childAfterChild: SceneProgram = (kernel) =>
  function* (main) {
    const cpu = kernel.cpus[1]!;
    yield* touchPages(STACK, "write");
    for (const name of ["first", "second"]) {
      const program = (_task: Task): KernelCode => touchPages(STACK, "write");
      const child = yield* syscall(main, fork(main, { name, program, cpu }));
      yield* syscall(main, waitForChild(main, child));
    }
  };
