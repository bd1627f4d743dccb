// Taking a CPU offline while it is a lazy user of an address space.

import { describe, expect, test } from "vitest";
import { pageNumber, type PageRange } from "../../../src/base/address.ts";
import { cpuDown } from "../../../src/kernel/process/hotplug.ts";
import type { Kernel } from "../../../src/kernel/state/kernel.ts";
import { LAZY_POLICY_NAMES, lazyPolicies } from "../../../src/kernel/lazy/policies.ts";
import type { LazyPolicy } from "../../../src/kernel/state/lazy-policy.ts";
import { type KernelCode, work } from "../../../src/kernel/operation/operation.ts";
import { cloneThread, fork, STACK } from "../../../src/kernel/process/fork.ts";
import { syscall } from "../../../src/kernel/cpu/syscall.ts";
import type { Program, Task } from "../../../src/kernel/state/task.ts";
import { exec } from "../../../src/kernel/process/exec.ts";
import { waitForChild, waitForChildren } from "../../../src/kernel/process/exit.ts";
import { Barrier } from "../../../src/workloads/barrier.ts";
import { mapPages, touchPages, unmapPages, usePages } from "../../../src/workloads/memory.ts";
import { eventsOf, type Outcome, play, type SceneOptions } from "../scene.ts";

/** Far from everything else: unmapping it frees its page tables. */
const FAR = pageNumber(0x10_0000_000);

/** A child has lived and died on CPU 1, which is idle since then when it is taken offline. */
const downAfterExit =
  (life: (task: Task) => KernelCode) =>
  (kernel: Kernel): Program =>
  (main) =>
    unplug(main, kernel, function* () {
      const cpu = kernel.cpus[1]!;
      const program = life;
      const child = yield* syscall(main, fork(main, { name: "child", program, cpu }));
      yield* syscall(main, waitForChild(main, child));
      yield* settle();
    });

/** What the child does: exit_mmap has something to flush, so that CPU 1 leaves its mm... */
const touchesStack = (_task: Task): KernelCode => touchPages(STACK, "write");
/** ... or nothing, and the dead mm's root stays in CR3. */
const touchesNothing = (task: Task): KernelCode => syscall(task, exec(task, "untouched"));

/** CPU 1 is lazy on the mm of a process on CPU 2, which unmaps the moment that CPU 1 is offline. */
const downUnderUnmap =
  (kernel: Kernel): Program =>
  (main) =>
    unplug(main, kernel, () => startUnmapper(main, kernel));

function* startUnmapper(main: Task, kernel: Kernel): KernelCode {
  const [, one, two] = kernel.cpus;
  const ready = new Barrier(kernel, 1);
  const isDown = (): boolean => one!.isDead.value;
  const unmapper = function* (task: Task): KernelCode {
    const range = yield* mapPages(task, { pageCount: 4, at: FAR });
    yield* touchPages(range, "write");
    // A thread on CPU 1 walks the tables, and leaves them to idle.
    const reader = (_thread: Task): KernelCode => touchPages(range, "read");
    const thread = yield* syscall(
      task,
      cloneThread(task, { name: "t", program: reader, cpu: one! }),
    );
    yield* syscall(task, waitForChild(task, thread));
    yield* settle();
    yield* ready.arrive(task);
    yield* unmapWhenOffline(task, range, () => one!.isOffline, isDown);
  };
  yield* syscall(main, fork(main, { name: "unmapper", program: unmapper, cpu: two! }));
  yield* ready.wait(main);
}

/** Works on until CPU 1 is offline, then unmaps at once. */
function* unmapWhenOffline(
  task: Task,
  range: PageRange,
  isOffline: () => boolean,
  isDown: () => boolean,
): KernelCode {
  while (!isOffline()) yield* usePages(STACK, { accesses: 4, thinkCycles: 20, seed: 1 });
  if (!isDown()) yield* unmapPages(task, range);
}

const settle = (): KernelCode => usePages(STACK, { accesses: 20, thinkCycles: 1000, seed: 1 });

function* unplug(main: Task, kernel: Kernel, before: () => KernelCode): KernelCode {
  yield* touchPages(STACK, "write");
  yield* before();
  yield* syscall(main, cpuDown(main, kernel.cpus[1]!));
  yield* syscall(main, waitForChildren(main));
}

/** An offline CPU takes its time until its idle task runs. */
const slow = (policy: LazyPolicy): LazyPolicy => ({
  ...policy,
  *kernelToKernel(cpu, prev, next) {
    if (cpu.isOffline) yield* work({ name: "delay", cycles: 50_000 });
    yield* policy.kernelToKernel(cpu, prev, next);
  },
});

const clean = (outcome: Outcome): void =>
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);

describe.each(LAZY_POLICY_NAMES.filter((name) => lazyPolicies[name].expected === "ok"))(
  "under %s",
  (name) => {
    const policy = lazyPolicies[name];

    test("a CPU that goes offline is on init_mm, and holds nothing", () => {
      const outcome = play({ cores: 3, policy }, downAfterExit(touchesStack));
      clean(outcome);
      const { kernel } = outcome;
      const dead = kernel.cpus[1]!;
      expect(dead.tlb.loadedMm.value).toBe(kernel.initMm);
      expect(kernel.machine.root(1)).toBe(kernel.initMm.root);
      expect([dead.isDead.value, kernel.onlineMask.has(1)]).toEqual([true, false]);
      expect(eventsOf(outcome, "mmFreed").map(({ mm }) => mm.name)).toContain("child");
    });

    test("tables may be freed while the CPU is on its way out", () => {
      const outcome = play({ cores: 3, policy: slow(policy) }, downUnderUnmap);
      clean(outcome);
      const freed = eventsOf(outcome, "tableFreed").filter(({ at }) => at.cpu === 2);
      const last = eventsOf(outcome, "switched").findLast(({ at }) => at.cpu === 1)!;
      expect(last.to.name).toBe("swapper/1");
      expect(freed[0]!.at.cycle).toBeLessThan(last.at.cycle);
    });

    test("nobody interrupts a dead CPU", () => {
      const outcome = play({ cores: 3, policy }, downUnderUnmap);
      const dead = outcome.kernel.cpus[1]!;
      expect(dead.isOffline).toBe(true);
      const offline = outcome.events.findLastIndex(
        (event) => event.kind === "interruptTaken" && event.at.cpu === 1,
      );
      const later = outcome.events.slice(offline + 1);
      expect(later.filter((event) => event.kind === "ipiSent" && event.target === 1)).toEqual([]);
    });
  },
);

const mutated = (mutation: SceneOptions["mutation"] & string): SceneOptions => ({
  cores: 3,
  mutation,
});

test("a CPU that dies with a borrowed mm loaded has a freed root in CR3", () => {
  const { violations } = play(mutated("unplug-keeps-lazy-mm"), downAfterExit(touchesNothing));
  expect(violations[0]).toMatchObject({ invariant: "I4", mm: "untouched", cpus: [0, 1] });
});

test("a CPU that leaves its mm only when it is offline misses the flush of freed tables", () => {
  const options = mutated("unplug-switches-offline");
  const { violations } = play(
    { ...options, policy: slow(lazyPolicies.refcounted) },
    downUnderUnmap,
  );
  expect(violations[0]).toMatchObject({ invariant: "I2", mm: "unmapper", cpus: [2, 1] });
});

test("a CPU that leaves its mm when it is offline balances its references all the same", () => {
  clean(play(mutated("unplug-switches-offline"), downAfterExit(touchesStack)));
  clean(play(mutated("unplug-switches-offline"), downAfterExit(touchesNothing)));
  clean(play({ cores: 3 }, downAfterExit(touchesNothing)));
});
