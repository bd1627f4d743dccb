// The frame around the four cases: what is held while the policy decides, what is not when
// finish_task_switch drops; wake-ups that race with going to sleep; exec.

import { describe, expect, test } from "vitest";
import { exec } from "../../../src/kernel/process/exec.ts";
import { waitForChildren } from "../../../src/kernel/process/exit.ts";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import { hazardPointer } from "../../../src/kernel/lazy/hazard-pointer.ts";
import { refcounted } from "../../../src/kernel/lazy/refcounted.ts";
import type { LazyPolicy } from "../../../src/kernel/state/lazy-policy.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { type KernelCode, work } from "../../../src/kernel/operation/operation.ts";
import { Pipe, readPipe, writePipe } from "../../../src/kernel/process/pipe.ts";
import { cloneThread, STACK, TEXT } from "../../../src/kernel/process/fork.ts";
import { syscall } from "../../../src/kernel/cpu/syscall.ts";
import type { Program, Task } from "../../../src/kernel/state/task.ts";
import { mapPages, touchPages } from "../../../src/workloads/memory.ts";
import { eventsOf, type Outcome, play, type Seen } from "../scene.ts";

/** Two threads, on CPUs 0 and `cpu`, pass a byte back and forth `rounds` times. */
function playPingPong(cpu: number, policy: LazyPolicy = refcounted, rounds = 5): Outcome {
  return play({ policy }, (kernel) => {
    const pipes = [new Pipe(kernel, "ping", 0), new Pipe(kernel, "pong", 0)] as const;
    const player = (from: Pipe, to: Pipe): Program =>
      function* (task) {
        for (let round = 0; round < rounds; round++) {
          yield* syscall(task, writePipe(task, to));
          yield* syscall(task, readPipe(task, from));
        }
      };
    return function* (task) {
      const program = player(pipes[0], pipes[1]);
      const request = { name: "player", program, cpu: kernel.cpus[cpu]! };
      yield* syscall(task, cloneThread(task, request));
      yield* player(pipes[1], pipes[0])(task);
      yield* syscall(task, waitForChildren(task));
    };
  });
}

const refcounts = (outcome: Outcome): number => eventsOf(outcome, "refcountOperation").length;

describe("a context switch", () => {
  test("decides under the run-queue lock with interrupts off, and drops with neither", () => {
    const seen: Record<string, Set<string>> = {};
    const look = (what: string, cpu: Cpu): void => {
      const lock = cpu.runQueue.lock.value === 1 ? "locked" : "unlocked";
      const interrupts = cpu.kernel.machine.interruptFlag(cpu.id) ? "on" : "off";
      (seen[what] ??= new Set()).add(`${lock}, interrupts ${interrupts}`);
    };
    const watched: LazyPolicy = {
      ...refcounted,
      *userToKernel(cpu: Cpu, prev: Task, next: Task): KernelCode {
        look("user to kernel", cpu);
        yield* refcounted.userToKernel(cpu, prev, next);
      },
      *kernelToUser(cpu: Cpu, prev: Task, next: Task): KernelCode {
        look("kernel to user", cpu);
        yield* refcounted.kernelToUser(cpu, prev, next);
      },
      *finishSwitch(cpu: Cpu, mm: Mm | null): KernelCode {
        look("finish", cpu);
        expect(cpu.runQueue.prevMm).toBe(null);
        yield* refcounted.finishSwitch(cpu, mm);
      },
    };
    expect(playPingPong(1, watched).violations).toEqual([]);
    expect(seen).toEqual({
      "user to kernel": new Set(["locked, interrupts off"]),
      "kernel to user": new Set(["locked, interrupts off"]),
      finish: new Set(["unlocked, interrupts on"]),
    });
  });

  /** How often a CPU went from one of `from` to one of `to`. */
  const switches = (outcome: Outcome, from: readonly string[], to: readonly string[]): number =>
    eventsOf(outcome, "switched").filter(
      (event) => from.includes(event.from.name) && to.includes(event.to.name),
    ).length;
  const THREADS = ["test", "player"];

  test("between threads of one process on one CPU writes no CR3 and counts nothing", () => {
    const [few, many] = [playPingPong(0), playPingPong(0, refcounted, 25)];
    const more = switches(many, THREADS, THREADS) - switches(few, THREADS, THREADS);
    expect(more).toBeGreaterThan(10);
    expect(eventsOf(many, "cr3Written")).toHaveLength(eventsOf(few, "cr3Written").length);
    expect(refcounts(many)).toBe(refcounts(few));
  });

  test.each([
    ["refcounted", refcounted, 2],
    ["hazard-pointer", hazardPointer, 0],
  ] as const)("to idle and back under %s takes its share of locked counts", (_, policy, times) => {
    const [few, many] = [playPingPong(1, policy), playPingPong(1, policy, 25)];
    const idle = ["swapper/0", "swapper/1"];
    const more = switches(many, THREADS, idle) - switches(few, THREADS, idle);
    expect(more).toBeGreaterThan(10);
    expect(refcounts(many) - refcounts(few)).toBe(times * more);
  });
});

test("no wake-up is lost, whenever it meets the one that goes to sleep", () => {
  for (let delay = 0; delay < 4_000; delay += 170) {
    const outcome = play({}, (kernel) => {
      const pipe = new Pipe(kernel, "pipe", 0);
      const reader: Program = function* (task) {
        yield* syscall(task, readPipe(task, pipe));
      };
      return function* (task) {
        const request = { name: "reader", program: reader, cpu: kernel.cpus[1]! };
        yield* syscall(task, cloneThread(task, request));
        yield* work({ name: "test", cycles: delay });
        yield* syscall(task, writePipe(task, pipe));
        yield* syscall(task, waitForChildren(task));
      };
    });
    expect([delay, outcome.ended]).toEqual([delay, "stopped"]);
  }
});

test("a wake-up that meets a task between two streams of user mode is not overlooked", () => {
  let rounds = 0;
  const outcome = play(
    {},
    (kernel) =>
      function* (main) {
        let isWoken = false;
        const pipe = new Pipe(kernel, "wake", 1);
        const cpu = kernel.cpus[1]!;
        const sleeper = function* (task: Task): KernelCode {
          yield* syscall(task, readPipe(task, pipe));
          isWoken = true;
        };
        // Between two streams there is time enough for the wake-up to come just then.
        const spinner = function* (task: Task): KernelCode {
          const range = yield* mapPages(task, { pageCount: 1 });
          for (; !isWoken && rounds < 100; rounds++) {
            yield* touchPages(range, "read");
            yield* work({ name: "between", cycles: 5_000 });
          }
        };
        yield* syscall(main, cloneThread(main, { name: "sleeper", program: sleeper, cpu }));
        yield* syscall(main, cloneThread(main, { name: "spinner", program: spinner, cpu }));
        yield* work({ name: "until both run", cycles: 100_000 });
        yield* syscall(main, writePipe(main, pipe));
        yield* syscall(main, waitForChildren(main));
      },
  );
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  expect(rounds).toBeLessThan(50);
});

describe("exec", () => {
  test("leaves the old image for a fresh one, in which nothing is present", () => {
    const areas: number[] = [];
    let old: Mm | undefined;
    const outcome = play(
      {},
      () =>
        function* (task) {
          const range = yield* mapPages(task, { pageCount: 8 });
          yield* touchPages(range, "write");
          old = task.mm!;
          yield* syscall(task, exec(task, "image"));
          const { mm } = task;
          expect([mm!.name, task.activeMm]).toEqual(["image", mm]);
          expect(mm!.areas.all.map(({ start }) => start)).toEqual([TEXT.start, STACK.start]);
          expect(mm!.tables.presentPages(STACK)).toEqual([]);
          areas.push(mm!.areas.all.length);
          yield* touchPages(STACK, "write");
        },
    );
    expect([outcome.violations, areas, old!.freed]).toEqual([[], [2], true]);
  });

  test("is on the new CR3 before the old tables go, so that no CPU answers their flush", () => {
    let old: Mm | undefined;
    const outcome = play(
      {},
      () =>
        function* (task) {
          yield* touchPages(STACK, "write");
          old = task.mm!;
          yield* syscall(task, exec(task, "image"));
        },
    );
    const isOf = (kind: string) => (event: Seen) =>
      event.kind === kind && "mm" in event && event.mm === old;
    const begin = outcome.events.findLastIndex(isOf("flushBegin"));
    const end = outcome.events.findLastIndex(isOf("flushReturn"));
    expect(begin).toBeGreaterThan(outcome.events.findIndex(isOf("flushReturn")));
    expect(outcome.events.slice(begin, end).map(({ kind }) => kind)).toEqual(["flushBegin"]);
  });
});
