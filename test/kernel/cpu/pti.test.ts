// Page-table isolation: which root and which PCID a CPU has in user mode and in the kernel, on
// every way between the two, and what the two roots of an address space share.

import { describe, expect, test } from "vitest";
import { pageNumber, pageRange } from "../../../src/base/address.ts";
import { waitForChildren } from "../../../src/kernel/process/exit.ts";
import type { Kernel } from "../../../src/kernel/state/kernel.ts";
import { type KernelCode, type Operation, work } from "../../../src/kernel/operation/operation.ts";
import { cloneThread, fork, STACK } from "../../../src/kernel/process/fork.ts";
import { syscall } from "../../../src/kernel/cpu/syscall.ts";
import type { Task } from "../../../src/kernel/state/task.ts";
import { vmalloc, VMALLOC_START } from "../../../src/kernel/memory/vmalloc.ts";
import { mapPages, touchPages, unmapPages, usePages } from "../../../src/workloads/memory.ts";
import { flush, inUserMode, memory, play as playLab, runOn, type Script, touch } from "../lab.ts";
import { eventsOf, play } from "../scene.ts";

const PTI = { pti: true, invpcid: true };

/** What `body` writes to CR3 on CPU 0, in a process whose stack is mapped. */
function writesOf(
  body: (task: Task) => KernelCode,
  options: { readonly pcid?: boolean; readonly pti?: boolean } = {},
): string[] {
  const { pcid = true, pti = true } = options;
  const cycles: number[] = [];
  let userRoot: number | null = null;
  const outcome = play(
    { pcid, kernel: { ...PTI, pti } },
    ({ machine }) =>
      function* (task) {
        yield* touchPages(STACK, "write");
        userRoot = task.mm!.userRoot;
        cycles.push(machine.now(0));
        yield* body(task);
        cycles.push(machine.now(0));
      },
  );
  expect(outcome.violations).toEqual([]);
  const [from, to] = cycles as [number, number];
  return eventsOf(outcome, "cr3Written")
    .filter(({ at }) => at.cpu === 0 && at.cycle > from && at.cycle <= to)
    .map(({ root, pcid: number, keep }) => {
      return `${root === userRoot ? "user" : "kernel"} ${number} ${keep ? "keep" : "flush"}`;
    });
}

const INTO_KERNEL_AND_BACK = [/^kernel [1-6] keep$/, /^user 20(49|5[0-4]) keep$/].map((pattern) =>
  expect.stringMatching(pattern),
);

describe("CR3 is written on the way in and on the way out", () => {
  test("of a system call", () => {
    const call = (task: Task): KernelCode => syscall(task, work({ name: "getpid", cycles: 10 }));
    expect(writesOf(call)).toEqual(INTO_KERNEL_AND_BACK);
  });

  test("of a page fault", () => {
    const fault = (): KernelCode => touchPages(pageRange(STACK.start, 1), "read");
    expect(writesOf(fault)).toEqual([]); // present already
    const mapAndTouch = function* (task: Task): KernelCode {
      const range = yield* mapPages(task, { pageCount: 1 });
      yield* touchPages(range, "write");
    };
    expect(writesOf(mapAndTouch)).toEqual([...INTO_KERNEL_AND_BACK, ...INTO_KERNEL_AND_BACK]);
  });

  test("flushing each time where PCID is off", () => {
    const call = (task: Task): KernelCode => syscall(task, work({ name: "getpid", cycles: 10 }));
    expect(writesOf(call, { pcid: false })).toEqual(["kernel 0 flush", "user 0 flush"]);
  });

  test("never without page-table isolation", () => {
    const call = (task: Task): KernelCode => syscall(task, work({ name: "getpid", cycles: 10 }));
    expect(writesOf(call, { pti: false })).toEqual([]);
  });
});

test("an interrupt of user mode goes to the kernel's root and back, of the kernel stays", () => {
  let kernelWrites = -1;
  const script: Script = function* (cpu, lab) {
    const mm = lab.mm("mm");
    yield* runOn(cpu, mm);
    yield* lab.done(1);
    yield* lab.after(2);
    kernelWrites = cr3Count(lab.kernel, 0);
    yield* lab.after(3); // CPU 1 has flushed: an interrupt came here, in the kernel
    expect(cr3Count(lab.kernel, 0)).toBe(kernelWrites);
    yield* inUserMode(cpu, lab.after(5));
    // Out, the interrupt's way in and out, and in again.
    expect(cr3Count(lab.kernel, 0) - kernelWrites).toBe(4);
  };
  const other: Script = function* (cpu, lab) {
    yield* lab.after(1);
    const [mm] = lab.kernel.liveMms;
    yield* runOn(cpu, mm!);
    yield* lab.done(2);
    yield* flush(cpu, mm!, memory(1));
    yield* lab.done(3);
    yield* work({ name: "until CPU 0 is in user mode", cycles: 10_000 });
    yield* flush(cpu, mm!, memory(1));
    yield* lab.done(5);
  };
  const outcome = playLab({ kernel: PTI }, script, other);
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  expect(eventsOf(outcome, "interruptTaken").filter(({ at }) => at.cpu === 0)).toHaveLength(2);
});

const cr3Count = (kernel: Kernel, cpu: number): number => kernel.machine.counters(cpu).cr3Writes;

test("user code runs on the user root, kernel code on the kernel's", () => {
  const wrong: string[] = [];
  let userOperations = 0;
  const outcome = play(
    { cores: 2, kernel: PTI },
    (kernel) =>
      function* (main) {
        const range = yield* mapPages(main, { pageCount: 4 });
        const program = (task: Task): KernelCode => watched(task);
        const cpu = kernel.cpus[1]!;
        yield* syscall(main, cloneThread(main, { name: "thread", program, cpu }));
        yield* watched(main, usePages(range, { accesses: 64, thinkCycles: 20, seed: 1 }));
        yield* watched(main, unmapPages(main, range));
        yield* syscall(main, fork(main, { name: "child", program: (task) => watched(task), cpu }));
        yield* syscall(main, waitForChildren(main));
      },
  );
  /** Looks at CR3 before each operation of `body`, and at an own piece of user mode before it. */
  function* watched(task: Task, body: KernelCode = touchPages(STACK, "write")): KernelCode {
    for (let step = body.next(); step.done !== true;) {
      look(task, step.value);
      step = body.next(yield step.value);
    }
  }
  function look(task: Task, operation: Operation): void {
    if (operation.kind !== "runUser") return;
    userOperations++;
    const { id, kernel } = task.cpu;
    const has = [kernel.machine.root(id), kernel.machine.pcid(id) & 2048];
    if (has[0] !== task.mm!.userRoot || has[1] !== 2048) wrong.push(`${task.name}: ${has.join()}`);
  }
  expect([outcome.ended, outcome.violations, wrong]).toEqual(["stopped", [], []]);
  expect(userOperations).toBe(3);
});

describe("the two roots", () => {
  test("share the user half, tables that come and go included", () => {
    const script: Script = function* (cpu, lab) {
      const mm = lab.mm("mm");
      yield* runOn(cpu, mm);
      const { machine } = lab.kernel;
      const { start } = memory(1);
      expect(machine.translate(mm.userRoot!, start)).toBe(0n);
      yield* inUserMode(cpu, touch(memory(1), "write"));
      expect(machine.translate(mm.userRoot!, start)).toBe(machine.translate(mm.root, start));
      expect(machine.translate(mm.root, start)).not.toBe(0n);
      mm.areas.clear();
      mm.tables.detach(memory(1), () => true);
      expect(machine.translate(mm.userRoot!, start)).toBe(0n);
    };
    // An unmapping that frees nothing is no flush, and so nothing is reported.
    expect(playLab({ kernel: PTI }, script).violations).toEqual([]);
  });

  test("are one without page-table isolation", () => {
    const script: Script = function* (_cpu, lab) {
      expect(lab.mm("mm").roots).toHaveLength(1);
    };
    expect(playLab({}, script).ended).toBe("stopped");
  });

  test("differ in the kernel half: the user's has none", () => {
    const script: Script = function* (cpu, lab) {
      const before = lab.mm("before");
      const range = yield* vmalloc(cpu, 1);
      const after = lab.mm("after");
      expect(range.start).toBe(VMALLOC_START);
      const { machine, initMm } = lab.kernel;
      const entry = machine.translate(initMm.root, range.start);
      expect(entry).not.toBe(0n);
      for (const mm of [before, after]) {
        expect(machine.translate(mm.root, range.start)).toBe(entry);
        expect(machine.translate(mm.userRoot!, range.start)).toBe(0n);
      }
    };
    expect(playLab({ kernel: PTI }, script).ended).toBe("stopped");
  });

  test("are both given back when the address space dies", () => {
    const frames: number[] = [];
    const outcome = play(
      { kernel: PTI },
      (kernel) =>
        function* (main) {
          yield* touchPages(STACK, "write");
          for (let round = 0; round < 3; round++) {
            const program = (): KernelCode => touchPages(STACK, "write");
            yield* syscall(main, fork(main, { name: "child", program, cpu: kernel.cpus[0]! }));
            yield* syscall(main, waitForChildren(main));
            frames.push(kernel.frames.inUse);
          }
        },
    );
    expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
    expect(frames[2]).toBe(frames[1]);
  });
});

test.each([
  ["accesses memory", usePages(STACK, { accesses: 400, thinkCycles: 200, seed: 1 })],
  ["computes", work({ name: "user computation", cycles: 100_000 })],
])("a woken task takes the CPU from one that %s in user mode", (_what, inUserCode) => {
  const order: string[] = [];
  const scene = (kernel: Kernel) =>
    function* (main: Task): KernelCode {
      const cpu = kernel.cpus[1]!;
      const spinner = function* (): KernelCode {
        yield* inUserCode;
        order.push("spinner");
      };
      const late = function* (): KernelCode {
        yield* touchPages(STACK, "read");
        order.push("late comer");
      };
      yield* touchPages(STACK, "write");
      yield* syscall(main, cloneThread(main, { name: "spinner", program: spinner, cpu }));
      yield* usePages(STACK, { accesses: 40, thinkCycles: 200, seed: 1 });
      yield* syscall(main, cloneThread(main, { name: "late", program: late, cpu }));
      yield* syscall(main, waitForChildren(main));
    };
  const outcome = play({ cores: 2, kernel: PTI }, scene);
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  expect(order).toEqual(["late comer", "spinner"]);
});

test("pages of the kernel half are global without isolation only", () => {
  const entryWith = (pti: boolean): bigint => {
    let entry = 0n;
    const script: Script = function* (cpu, lab) {
      yield* vmalloc(cpu, 1);
      entry = lab.kernel.machine.translate(lab.kernel.initMm.root, pageNumber(VMALLOC_START));
    };
    playLab({ kernel: { pti } }, script);
    return entry;
  };
  const GLOBAL = 1n << 8n;
  const USER = 1n << 2n;
  expect([entryWith(false) & GLOBAL, entryWith(true) & GLOBAL]).toEqual([GLOBAL, 0n]);
  expect(entryWith(false) & USER).toBe(0n);
});
