// Mutations around active_mm: the right kernel passes each scene, the wrong one does not.

import { describe, expect, test } from "vitest";
import { exec } from "../../../src/kernel/process/exec.ts";
import { waitForChild, waitForChildren } from "../../../src/kernel/process/exit.ts";
import { kthreadUnuseMm, kthreadUseMm } from "../../../src/kernel/process/kthread.ts";
import type { Kernel } from "../../../src/kernel/state/kernel.ts";
import { lazyPolicies } from "../../../src/kernel/lazy/policies.ts";
import type { LazyPolicy } from "../../../src/kernel/state/lazy-policy.ts";
import { mmput } from "../../../src/kernel/memory/mm-count.ts";
import type { MutationName } from "../../../src/kernel/operation/mutation.ts";
import { type KernelCode, work } from "../../../src/kernel/operation/operation.ts";
import { Pipe, readPipe, writePipe } from "../../../src/kernel/process/pipe.ts";
import { createKernelThread, fork, STACK } from "../../../src/kernel/process/fork.ts";
import type { ShootdownProtocol } from "../../../src/kernel/state/shootdown-protocol.ts";
import { protocols } from "../../../src/kernel/shootdown/protocols.ts";
import { syscall } from "../../../src/kernel/cpu/syscall.ts";
import type { Program, Task } from "../../../src/kernel/state/task.ts";
import { touchPages } from "../../../src/workloads/memory.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { goLazy, play as playScripts, runOn, type Script } from "../lab.ts";
import { eventsOf, type Outcome, play, type SceneOptions } from "../scene.ts";

const invariants = ({ violations }: Outcome): string[] => [
  ...new Set(violations.map(({ invariant }) => invariant)),
];

const pause = (cycles: number): KernelCode => work({ name: "the test waits", cycles });

const mistaken = (mutation: MutationName | undefined): SceneOptions =>
  mutation === undefined ? {} : { mutation };

/** What each policy runs on: the protocol of its time. */
const ERAS: readonly (readonly [string, LazyPolicy, ShootdownProtocol, boolean])[] = [
  ["refcounted on linux-5.13", lazyPolicies.refcounted, protocols["linux-5.13"], true],
  ["pre-4.15 on linux-4.8", lazyPolicies["pre-4.15"], protocols["linux-4.8"], false],
];

/**
 * A kernel thread on CPU 1 borrows the mm of a process that is asleep, and executes a program.
 * Meanwhile a second process is woken on CPU 1.
 */
const kernelThreadExecs = (kernel: Kernel): Program =>
  function* (main) {
    const cpu = kernel.cpus[1]!;
    yield* touchPages(STACK, "write");
    const [first, second] = ["first", "second"].map((name) => new Pipe(kernel, name, 1));
    const sleeper = (pipe: Pipe): Program =>
      function* (task) {
        yield* touchPages(STACK, "write");
        yield* syscall(task, readPipe(task, pipe));
      };
    yield* syscall(main, fork(main, { name: "second", program: sleeper(second!), cpu }));
    yield* pause(200_000);
    yield* syscall(main, fork(main, { name: "first", program: sleeper(first!), cpu }));
    yield* pause(200_000);
    const program = function* (task: Task): KernelCode {
      yield* exec(task, "image");
      yield* touchPages(STACK, "write");
    };
    yield* createKernelThread(main, { name: "usermodehelper", program, cpu });
    yield* pause(20_000); // it is in the midst of execve now
    yield* syscall(main, writePipe(main, second!));
    yield* pause(400_000);
    yield* syscall(main, writePipe(main, first!));
    yield* syscall(main, waitForChildren(main));
  };

describe.each(ERAS)(
  "a kernel thread that becomes a program, %s",
  (_name, policy, protocol, pcid) => {
    const run = (mutation?: MutationName): Outcome =>
      play({ policy, protocol, pcid, ...mistaken(mutation) }, kernelThreadExecs);

    test("drops the mm that it borrowed, once", () => {
      const outcome = run();
      expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
      expect(outcome.kernel.tasks.find(({ name }) => name === "usermodehelper")).toMatchObject({
        isKernelThread: false,
        mm: null,
      });
    });

    test("drops it twice if it is preempted after it has read active_mm", () => {
      const { violations } = run("exec-active-mm-unprotected");
      expect(violations[0]).toMatchObject({ invariant: "I5", mm: "first", cpus: [1] });
      expect(violations[0]!.message).toMatch(/^CPU 1 passes first to switch_mm_irqs_off, freed/);
    });
  },
);

test.each(["exit-unlazy", "shoot-lazies", "hazard-pointer", "null-prev", "eager"] as const)(
  "a kernel thread becomes a program under %s",
  (name) => {
    const outcome = play({ policy: lazyPolicies[name] }, kernelThreadExecs);
    expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  },
);

/**
 * CPU 1 borrows `old` and calls kthread_use_mm; CPU 0 drops the last user of `old` at about the
 * same time, so that the interrupt that ends lazy use comes in the midst of it.
 */
function useWhileShot(
  delay: number,
  mutation?: MutationName,
  name: "shoot-lazies" | "exit-unlazy" | "hazard-pointer" = "shoot-lazies",
): Outcome {
  let old: Mm | undefined;
  const ender: Script = function* (cpu, lab) {
    old = lab.mm("old");
    yield* lab.done(1);
    yield* lab.after(2);
    yield* pause(500);
    yield* mmput(cpu, old);
    yield* lab.after(3);
  };
  const thread: Script = function* (cpu, lab) {
    yield* lab.after(1);
    yield* runOn(cpu, old!);
    if (name === "hazard-pointer") cpu.runQueue.lazyMm.value = old!;
    yield* goLazy(cpu);
    const mm = lab.mm("new");
    yield* lab.done(2);
    yield* pause(delay);
    yield* kthreadUseMm(cpu.current, mm);
    yield* pause(10_000);
    yield* kthreadUnuseMm(cpu.current);
    yield* lab.done(3);
  };
  return playScripts({ policy: lazyPolicies[name], ...mistaken(mutation) }, ender, thread);
}

/** Moments of CPU 0's last mmput against CPU 1's kthread_use_mm, in cycles. */
const DELAYS = Array.from({ length: 80 }, (_, step) => step * 50);

describe("kthread_use_mm", () => {
  /** What is found in the runs in which CPU 1 was interrupted, over many moments of that. */
  const foundWhenInterrupted = (mutation?: MutationName): string[] => {
    const outcomes = DELAYS.map((delay) => useWhileShot(delay, mutation));
    const interrupted = outcomes.filter((outcome) => eventsOf(outcome, "ipiSent").length > 0);
    return [...new Set(interrupted.flatMap(invariants))];
  };

  test("holds the interrupt that ends lazy use off until CR3, mm and active_mm agree", () => {
    expect(foundWhenInterrupted()).toEqual([]);
  });

  test("with interrupts on, leaves CR3 on a freed root when the interrupt comes in between", () => {
    expect(foundWhenInterrupted("kthread-use-mm-interrupts-on")).toEqual(["I4"]);
  });
});

describe("a CPU that has left mm_cpumask in switch_mm, and not yet CR3,", () => {
  test.each(["shoot-lazies", "exit-unlazy", "hazard-pointer"] as const)(
    "is missed by %s, which looks for it there, and its root is freed",
    (name) => {
      const outcomes = DELAYS.map((delay) => useWhileShot(delay, undefined, name));
      const broken = outcomes.filter(({ violations }) => violations.length > 0);
      expect(broken.length).toBeGreaterThan(0);
      for (const outcome of broken) {
        expect([invariants(outcome), eventsOf(outcome, "ipiSent")]).toEqual([["I4"], []]);
      }
    },
  );
});

describe.each(ERAS)("the lazy reference, %s", (_name, policy, protocol, pcid) => {
  /** A process on CPU 1 dies with nothing mapped; the next one switches away from its mm. */
  const dies = (kernel: Kernel): Program =>
    function* (main) {
      const cpu = kernel.cpus[1]!;
      for (const name of ["first", "second"]) {
        const program = (task: Task): KernelCode => syscall(task, exec(task, `${name}.image`));
        const child = yield* syscall(main, fork(main, { name, program, cpu }));
        yield* syscall(main, waitForChild(main, child));
        yield* pause(100_000);
      }
    };

  test("keeps the root until CR3 has left it", () => {
    expect(play({ policy, protocol, pcid }, dies).violations).toEqual([]);
  });

  test("does not, if it is dropped before switch_mm", () => {
    const mutation = "refcount-dropped-before-switch";
    const { violations } = play({ policy, protocol, pcid, mutation }, dies);
    expect(violations[0]).toMatchObject({ invariant: "I6" });
    expect(violations[0]!.message).toMatch(/ends lazy use by .* and leaves nothing in rq->prev_mm/);
    const freed = violations.find(({ invariant }) => invariant === "I4");
    expect(freed).toMatchObject({ mm: "first.image", cpus: [1] });
    expect(violations.map(({ message }) => message).join()).toMatch(/passes first.image to switch/);
  });
});

test("use_mm of a borrowed mm takes no reference under pre-4.15, and unuse_mm drops none", () => {
  const counts: number[] = [];
  const script: Script = function* (cpu, lab) {
    const mm = lab.mm("mm");
    yield* runOn(cpu, mm);
    yield* goLazy(cpu);
    mm.mmCount.value++; // the lazy reference
    const before = lab.count("refcountOperation");
    yield* kthreadUseMm(cpu.current, mm);
    counts.push(mm.mmCount.value);
    yield* kthreadUnuseMm(cpu.current);
    counts.push(mm.mmCount.value, lab.count("refcountOperation") - before);
  };
  const policy = lazyPolicies["pre-4.15"];
  playScripts({ policy, protocol: protocols["linux-4.8"], pcid: false }, script);
  expect(counts).toEqual([2, 2, 0]);
});
