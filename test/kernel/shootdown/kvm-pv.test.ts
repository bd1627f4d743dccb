// kvm-pv: who is interrupted and who is flushed by the host; and lazy policies that count on the
// interrupt.

import { describe, expect, test } from "vitest";
import { lazyPolicies } from "../../../src/kernel/lazy/policies.ts";
import type { LazyPolicy } from "../../../src/kernel/state/lazy-policy.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import type { MutationName } from "../../../src/kernel/operation/mutation.ts";
import { type KernelCode, work } from "../../../src/kernel/operation/operation.ts";
import { preemptVcpu, resumeVcpu } from "../../../src/kernel/operation/vcpu-operation.ts";
import { mprotect } from "../../../src/kernel/memory/mprotect.ts";
import { munmap } from "../../../src/kernel/memory/mmap.ts";
import { cloneThread, fork, STACK } from "../../../src/kernel/process/fork.ts";
import { waitForChild, waitForChildren } from "../../../src/kernel/process/exit.ts";
import { reclaim } from "../../../src/kernel/memory/reclaim.ts";
import { kvmPv, kvmPv618 } from "../../../src/kernel/shootdown/kvm-pv.ts";
import { linux513 } from "../../../src/kernel/shootdown/linux-5.13.ts";
import type { ShootdownProtocol } from "../../../src/kernel/state/shootdown-protocol.ts";
import { syscall } from "../../../src/kernel/cpu/syscall.ts";
import type { Task } from "../../../src/kernel/state/task.ts";
import { touchPages, usePages } from "../../../src/workloads/memory.ts";
import { goLazy, memory, play, runOn, type Script, touch } from "../lab.ts";
import { eventsOf, type Outcome, play as playScene } from "../scene.ts";

const AWAY = 200_000;
const READ_ONLY = { writable: false, executable: false };

interface Options {
  readonly protocol?: ShootdownProtocol;
  readonly lazy?: boolean;
  readonly change?: (mm: Mm) => (cpu: Parameters<Script>[0]) => KernelCode;
}

/** CPUs 1 and 2 run the mm, the host preempts CPU 1, CPU 0 changes the mm; then CPU 1 reads. */
function changeUnderPreempted({ protocol = kvmPv, lazy = false, change }: Options = {}): Outcome {
  let mm: Mm | undefined;
  const changer: Script = function* (cpu, lab) {
    mm = lab.mm("mm");
    yield* runOn(cpu, mm);
    yield* touch(memory(8), "write");
    yield* lab.done(1);
    yield* lab.after(3);
    yield* preemptVcpu(cpu.kernel.cpus[1]!, AWAY);
    if (change !== undefined) yield* change(mm)(cpu);
    else yield* mprotect(cpu, mm, memory(4), READ_ONLY);
    yield* lab.done(4);
  };
  const user = (readsAgain: boolean): Script =>
    function* (cpu, lab) {
      yield* lab.after(cpu.id);
      yield* runOn(cpu, mm!);
      yield* touch(memory(8), "read");
      if (lazy && cpu.id === 1) yield* goLazy(cpu);
      yield* lab.done(cpu.id + 1);
      yield* lab.after(4);
      if (lazy && cpu.id === 1) yield* runOn(cpu, mm!);
      if (readsAgain) yield* touch(memory(4), "read");
    };
  const reads = change === undefined;
  const outcome = play({ protocol }, changer, user(reads), user(reads));
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  return outcome;
}

const ipisOf = (outcome: Outcome): number[] =>
  eventsOf(outcome, "ipiSent").map(({ target }) => target);
const flushesOnEntry = (outcome: Outcome): boolean[] =>
  eventsOf(outcome, "vcpuEntered").map(({ flushed }) => flushed);

describe("a flush that finds a vCPU preempted", () => {
  test("of linux-6.18 does the same", () => {
    const outcome = changeUnderPreempted({ protocol: kvmPv618 });
    expect([ipisOf(outcome), flushesOnEntry(outcome)]).toEqual([[2], [true]]);
  });

  test("interrupts only the ones that run, and has the host flush the other on entry", () => {
    const outcome = changeUnderPreempted();
    expect([ipisOf(outcome), flushesOnEntry(outcome)]).toEqual([[2], [true]]);
  });

  test("does not wait for it, as linux-5.13 does", () => {
    const cyclesOf = (protocol: ShootdownProtocol): number => {
      const outcome = changeUnderPreempted({ protocol });
      const begin = eventsOf(outcome, "flushBegin")[0]!.at.cycle;
      return eventsOf(outcome, "flushReturn")[0]!.at.cycle - begin;
    };
    expect(cyclesOf(kvmPv)).toBeLessThan(10_000);
    expect(cyclesOf(linux513)).toBeGreaterThan(AWAY / 2);
  });

  test("asks for the flush of a lazy one, too", () => {
    const outcome = changeUnderPreempted({ lazy: true });
    expect([ipisOf(outcome), flushesOnEntry(outcome)]).toEqual([[2], [true]]);
  });

  test("may free tables that its structure caches hold: they go before it runs", () => {
    const change: Options["change"] = (mm) => (cpu) => munmap(cpu, mm, memory(64));
    const outcome = changeUnderPreempted({ change });
    expect(eventsOf(outcome, "tableFreed").length).toBeGreaterThan(0);
    expect([ipisOf(outcome), flushesOnEntry(outcome)]).toEqual([[2], [true]]);
  });

  test("is the same for a batch of reclaim", () => {
    const change: Options["change"] = (mm) =>
      function* (cpu) {
        yield* reclaim(cpu, [{ mm, page: memory(1).start }]);
      };
    const outcome = changeUnderPreempted({ change });
    expect([ipisOf(outcome), flushesOnEntry(outcome)]).toEqual([[2], [true]]);
  });
});

test("without preempted vCPUs kvm-pv sends what linux-5.13 sends", () => {
  let mm: Mm | undefined;
  const flusher: Script = function* (cpu, lab) {
    mm = lab.mm("mm");
    yield* runOn(cpu, mm);
    yield* touch(memory(8), "write");
    yield* lab.done(1);
    yield* lab.after(3);
    yield* mprotect(cpu, mm, memory(4), READ_ONLY);
    yield* lab.done(4);
  };
  const other: Script = function* (cpu, lab) {
    yield* lab.after(cpu.id);
    yield* runOn(cpu, mm!);
    yield* lab.done(cpu.id + 1);
    yield* lab.after(4);
  };
  const ipis = (protocol: ShootdownProtocol): number[] =>
    ipisOf(play({ protocol }, flusher, other, other));
  expect(ipis(kvmPv)).toEqual([1, 2]);
  expect(ipis(linux513)).toEqual([1, 2]);
});

/** CPU 1 is entered `delay` cycles after the flush of CPU 0 began, and reads at once. */
function enteredDuringFlush(delay: number, mutation?: MutationName): Outcome {
  let mm: Mm | undefined;
  const flusher: Script = function* (cpu, lab) {
    mm = lab.mm("mm");
    yield* runOn(cpu, mm);
    yield* touch(memory(1), "write");
    yield* lab.done(1);
    yield* lab.after(2);
    yield* preemptVcpu(cpu.kernel.cpus[1]!);
    yield* lab.done(3);
    yield* mprotect(cpu, mm, memory(1), READ_ONLY);
    yield* lab.done(4);
  };
  const reader: Script = function* (cpu, lab) {
    yield* lab.after(1);
    yield* runOn(cpu, mm!);
    yield* touch(memory(1), "read");
    yield* lab.done(2);
    yield* lab.after(4);
    yield* touch(memory(1), "read");
  };
  const host: Script = function* (cpu, lab) {
    yield* lab.after(3);
    yield* work({ name: "delay", cycles: delay });
    yield* resumeVcpu(cpu.kernel.cpus[1]!);
  };
  const options = { protocol: kvmPv, ...(mutation === undefined ? {} : { mutation }) };
  const outcome = play(options, flusher, reader, host);
  expect(outcome.ended).toBe("stopped");
  return outcome;
}

describe("a vCPU that is entered while it is being asked to flush", () => {
  const delays = Array.from({ length: 100 }, (_, index) => 2_600 + 10 * index);

  test("is interrupted if the host did not see the request", () => {
    const wrong = delays.filter((delay) => enteredDuringFlush(delay).violations.length > 0);
    expect(wrong).toEqual([]);
  });

  test("keeps a stale translation if the outcome of the exchange is not looked at", () => {
    const found = delays.flatMap((delay) =>
      enteredDuringFlush(delay, "pv-flush-ignores-entry").violations.slice(0, 1),
    );
    expect(found[0]).toMatchObject({ invariant: "I1", cpus: [1, 0] });
  });
});

/** A process of CPU 0 had a thread on CPU 1, which is lazy on its mm and preempted when it dies. */
function exitUnderPreempted(policy: LazyPolicy, protocol = kvmPv): Outcome {
  return playScene(
    { cores: 2, policy, protocol },
    (kernel) =>
      function* (main) {
        const cpu = kernel.cpus[1]!;
        const process = function* (task: Task): KernelCode {
          yield* touchPages(STACK, "write");
          const program = (_thread: Task): KernelCode => touchPages(STACK, "read");
          const thread = yield* syscall(task, cloneThread(task, { name: "thread", program, cpu }));
          yield* syscall(task, waitForChild(task, thread));
          yield* usePages(STACK, { accesses: 20, thinkCycles: 1000, seed: 1 });
          yield* preemptVcpu(cpu, AWAY);
        };
        const request = { name: "process", program: process, cpu: kernel.cpus[0]! };
        yield* syscall(main, fork(main, request));
        yield* syscall(main, waitForChildren(main));
        yield* usePages(STACK, { accesses: 20, thinkCycles: 20_000, seed: 1 });
      },
  );
}

const { afterExitMmap: _left, ...flushOnly } = lazyPolicies["exit-unlazy"];
/** exit-unlazy as it was proposed: the flush of exit_mmap alone. */
const exitUnlazyByFlushAlone: LazyPolicy = { ...flushOnly, *afterExitMmap() {} };

describe("a lazy vCPU that is preempted when its mm dies", () => {
  test.each(["refcounted", "shoot-lazies", "exit-unlazy", "hazard-pointer", "eager"] as const)(
    "leaves the mm in time under %s",
    (name) => {
      const outcome = exitUnderPreempted(lazyPolicies[name]);
      expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
    },
  );

  test.each([
    ["null-prev", lazyPolicies["null-prev"]],
    ["fewer-parameters", lazyPolicies["fewer-parameters"]],
    ["exit-unlazy without its second interrupt", exitUnlazyByFlushAlone],
  ])("still has the freed root in CR3 under %s", (_name, policy) => {
    const { violations } = exitUnderPreempted(policy);
    expect(violations[0]).toMatchObject({ invariant: "I4", mm: "process", cpus: [0, 1] });
    expect(exitUnderPreempted(policy, linux513).violations).toEqual([]);
  });

  test("has it under unrefcounted, too, which on bare metal passes a freed pointer on", () => {
    const invariants = (protocol: ShootdownProtocol): Set<string> =>
      new Set(
        exitUnderPreempted(lazyPolicies.unrefcounted, protocol).violations.map(
          ({ invariant }) => invariant,
        ),
      );
    expect(invariants(kvmPv)).toContain("I4");
    expect(invariants(linux513)).toEqual(new Set(["I5"]));
  });

  test.each(["exit-unlazy", "shoot-lazies"] as const)(
    "is waited for under %s, so that the paravirtual flush saves nothing there",
    (name) => {
      const lastCycle = (protocol: ShootdownProtocol): number =>
        eventsOf(exitUnderPreempted(lazyPolicies[name], protocol), "mmFreed").find(
          ({ mm }) => mm.name === "process",
        )!.at.cycle;
      expect(Math.abs(lastCycle(kvmPv) - lastCycle(linux513))).toBeLessThan(AWAY / 10);
    },
  );
});
