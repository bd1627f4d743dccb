// mm_users and mm_count, value by value, through the life of a process, and what dies at which
// zero.

import { describe, expect, test } from "vitest";
import { exec } from "../../../src/kernel/process/exec.ts";
import { waitForChildren } from "../../../src/kernel/process/exit.ts";
import { kthreadUnuseMm, kthreadUseMm } from "../../../src/kernel/process/kthread.ts";
import { mmdrop, mmget, mmgrab, mmput } from "../../../src/kernel/memory/mm-count.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { mmap } from "../../../src/kernel/memory/mmap.ts";
import { type KernelCode, work } from "../../../src/kernel/operation/operation.ts";
import { cloneThread, createKernelThread, fork, STACK } from "../../../src/kernel/process/fork.ts";
import { syscall } from "../../../src/kernel/cpu/syscall.ts";
import type { Program, Task } from "../../../src/kernel/state/task.ts";
import { touchPages } from "../../../src/workloads/memory.ts";
import { goLazy, memory, play as playScripts, runOn, type Script, touch } from "../lab.ts";
import { eventsOf, type Outcome, play } from "../scene.ts";

const counts = ({ mmUsers, mmCount }: Mm): string =>
  `${mmUsers.value} users ${mmCount.value} count`;

/** Runs `program` on CPU 0; the counts it notes by name are the result. */
function note(program: (task: Task, seen: Record<string, string>) => KernelCode): {
  readonly seen: Record<string, string>;
  readonly outcome: Outcome;
} {
  const seen: Record<string, string> = {};
  const outcome = play({}, () => (task) => program(task, seen));
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  return { seen, outcome };
}

describe("the counters of a process", () => {
  test("start at one and one, and fork leaves the parent's alone", () => {
    const { seen } = note(function* (task, seen) {
      seen["start"] = counts(task.mm!);
      const program: Program = function* (child) {
        seen["child"] = counts(child.mm!);
        yield* touchPages(STACK, "read");
      };
      const cpu = task.cpu.kernel.cpus[1]!;
      yield* syscall(task, fork(task, { name: "child", program, cpu }));
      seen["parent"] = counts(task.mm!);
      yield* syscall(task, waitForChildren(task));
    });
    expect(seen).toEqual({
      start: "1 users 1 count",
      child: "1 users 1 count",
      parent: "1 users 1 count",
    });
  });

  test("clone adds a user, which its exit takes away; a CPU that borrows adds to the count", () => {
    const { seen } = note(function* (task, seen) {
      const mm = task.mm!;
      const program: Program = function* () {
        yield* touchPages(STACK, "read");
      };
      const cpu = task.cpu.kernel.cpus[1]!;
      yield* syscall(task, cloneThread(task, { name: "thread", program, cpu }));
      seen["cloned"] = counts(mm);
      yield* syscall(task, waitForChildren(task));
      yield* work({ name: "until the other CPU idles", cycles: 100_000 });
      seen["idle"] = counts(mm);
    });
    expect(seen).toEqual({ cloned: "2 users 1 count", idle: "1 users 2 count" });
  });

  test("exec gives up the old mm for a new one with one user", () => {
    let old: Mm | undefined;
    const { seen } = note(function* (task, seen) {
      old = task.mm!;
      yield* mmget(old);
      yield* mmgrab(old);
      yield* syscall(task, exec(task, "image"));
      seen["old"] = counts(old);
      seen["new"] = counts(task.mm!);
      yield* mmput(task.cpu, old);
      seen["put"] = counts(old);
      yield* mmdrop(task.cpu, old);
    });
    expect(seen).toEqual({
      old: "1 users 2 count",
      new: "1 users 1 count",
      put: "0 users 1 count",
    });
    expect(old!.freed).toBe(true);
  });

  test("exit makes the dying task a lazy user of its own mm before it is torn down", () => {
    let dying: Mm | undefined;
    const { outcome } = note(function* (task) {
      dying = task.mm!;
      yield* touchPages(STACK, "write");
    });
    const returned = eventsOf(outcome, "flushReturn").find(({ mm }) => mm === dying)!;
    const freed = eventsOf(outcome, "mmFreed").find(({ mm }) => mm === dying)!;
    const away = eventsOf(outcome, "switched").find(
      ({ from }) => from.name === "test" && from.mm === null,
    );
    expect(returned.at.cycle).toBeLessThan(away!.at.cycle);
    expect(away!.at.cycle).toBeLessThan(freed.at.cycle); // finish_task_switch drops the last one
  });
});

test("kthread_use_mm holds a counted reference and gives the borrowed mm back", () => {
  const { seen } = note(function* (task, seen) {
    const mm = task.mm!;
    const { initMm } = task.cpu.kernel;
    const before = initMm.mmCount.value;
    yield* mmget(mm); // the thread's, which it puts
    const program: Program = function* (thread) {
      seen["before"] = counts(mm);
      yield* kthreadUseMm(thread, mm);
      seen["used"] = `${counts(mm)}, init_mm ${initMm.mmCount.value - before}`;
      yield* touchPages(STACK, "read");
      yield* kthreadUnuseMm(thread);
      seen["unused"] = counts(mm);
      expect([thread.mm, thread.activeMm]).toEqual([null, mm]);
      yield* mmput(thread.cpu, mm);
      seen["put"] = counts(mm);
    };
    const cpu = task.cpu.kernel.cpus[1]!;
    yield* syscall(task, createKernelThread(task, { name: "kthread", program, cpu }));
    yield* syscall(task, waitForChildren(task));
    yield* work({ name: "until the other CPU idles", cycles: 100_000 });
  });
  expect(seen).toEqual({
    before: "2 users 1 count",
    used: "2 users 2 count, init_mm -1", // CPU 1 borrows it no longer
    unused: "2 users 2 count", // the counted reference went, a lazy one came
    put: "1 users 2 count",
  });
});

describe("what dies at which zero", () => {
  test("leaves and middle tables go at mm_users 0, root and struct at mm_count 0", () => {
    const script: Script = function* (cpu, lab) {
      const mm = lab.mm("dying");
      const inUse = lab.kernel.frames.inUse;
      yield* runOn(cpu, mm);
      yield* touch(memory(5), "write");
      yield* goLazy(cpu);
      expect(lab.kernel.frames.inUse).toBe(inUse + 5 + 3); // pages; PDPT, PD and PT
      yield* mmgrab(mm);
      yield* mmput(cpu, mm);
      expect([lab.count("tableFreed"), lab.count("rootFreed"), mm.freed]).toEqual([3, 0, false]);
      expect(lab.kernel.frames.inUse).toBe(inUse);
      yield* mmdrop(cpu, mm);
      expect([lab.count("tableFreed"), lab.count("rootFreed"), mm.freed]).toEqual([3, 1, true]);
      expect(lab.kernel.frames.inUse).toBe(inUse - 1);
    };
    expect(playScripts({}, script).ended).toBe("stopped");
  });

  test("every frame comes back when the process is gone", () => {
    let before = 0;
    const { outcome } = note(function* (task) {
      before = task.cpu.kernel.frames.inUse;
      const program: Program = function* (child) {
        const range = yield* syscall(child, mmap(child.cpu, child.mm!, { pageCount: 20 }));
        yield* touchPages(range, "write");
      };
      yield* syscall(task, fork(task, { name: "child", program, cpu: task.cpu }));
      yield* syscall(task, waitForChildren(task));
      expect(task.cpu.kernel.frames.inUse).toBe(before);
    });
    expect([...outcome.kernel.liveMms].map(({ name }) => name)).toEqual(["init"]);
  });

  test("a count that is dropped once too often is reported", () => {
    const script: Script = function* (cpu, lab) {
      const mm = lab.mm("dropped");
      yield* mmgrab(mm);
      for (let count = 0; count < 3; count++) yield* mmdrop(cpu, mm);
    };
    const { violations } = playScripts({}, script);
    expect(violations.map(({ invariant }) => invariant)).toEqual(["I5", "I9"]);
  });
});
