// What keeps an address space alive while a CPU uses it lazily, in whole processes: the same lives
// and deaths under every policy.

import { describe, expect, test } from "vitest";
import { exec } from "../../../src/kernel/process/exec.ts";
import { waitForChild, waitForChildren } from "../../../src/kernel/process/exit.ts";
import { type LazyPolicy } from "../../../src/kernel/state/lazy-policy.ts";
import { lazyPolicies, type LazyPolicyName } from "../../../src/kernel/lazy/policies.ts";
import { type KernelCode, work } from "../../../src/kernel/operation/operation.ts";
import { cloneThread, fork, STACK } from "../../../src/kernel/process/fork.ts";
import { syscall } from "../../../src/kernel/cpu/syscall.ts";
import type { Program, Task } from "../../../src/kernel/state/task.ts";
import { touchPages } from "../../../src/workloads/memory.ts";
import { eventsOf, type Outcome, play } from "../scene.ts";

const NAMES = Object.keys(lazyPolicies) as LazyPolicyName[];
const isCounted = (name: LazyPolicyName): boolean => lazyPolicies[name].lifetime === "counted";
const RIGHT = NAMES.filter((name) => lazyPolicies[name].expected === "ok");

/** A child that lives on CPU 1 and leaves it idle; then another, so that CPU 1 switches again. */
const childrenOnTheOtherCpu = (life: Program): ((task: Task) => KernelCode) =>
  function* (task) {
    const cpu = task.cpu.kernel.cpus[1]!;
    for (const name of ["first", "second"]) {
      const child = yield* syscall(task, fork(task, { name, program: life, cpu }));
      yield* syscall(task, waitForChild(task, child));
      yield* work({ name: "until the other CPU idles", cycles: 100_000 });
    }
  };

const touchAndExit: Program = function* () {
  yield* touchPages(STACK, "write");
};

/** After exec nothing is mapped yet, so that exit has nothing to flush. */
const execAndExit: Program = function* (task) {
  yield* syscall(task, exec(task, `${task.name}.image`));
};

const run = (policy: LazyPolicy, life: Program): Outcome =>
  play({ policy }, () => childrenOnTheOtherCpu(life));

const broken = ({ violations }: Outcome): string[] => [
  ...new Set(violations.map(({ invariant }) => invariant)),
];

/** Address spaces not freed; those that only lazy CPUs keep with mm_users and mm_count. */
const left = ({ kernel }: Outcome): string[] =>
  [...kernel.liveMms].map(({ name, mmUsers, mmCount }) =>
    mmUsers.value > 0 ? name : `${name} ${mmUsers.value} ${mmCount.value}`,
  );

describe("a process that leaves its CPU idle and dies", () => {
  test.each(RIGHT)("leaves nothing dangling, and nothing that no CPU borrows, under %s", (name) => {
    const outcome = run(lazyPolicies[name], touchAndExit);
    expect(outcome.ended).toBe("stopped");
    expect(broken(outcome)).toEqual([]);
    expect(left(outcome)).toEqual(isCounted(name) ? ["init", "second 0 1"] : ["init"]);
    const freed = eventsOf(outcome, "mmFreed").map(({ mm }) => mm.name);
    expect(freed.sort()).toEqual(isCounted(name) ? ["first", "test"] : ["first", "second", "test"]);
  });

  test("leaves an active_mm that is passed to switch_mm after its free under unrefcounted", () => {
    const outcome = run(lazyPolicies.unrefcounted, touchAndExit);
    expect(broken(outcome)).toContain("I5");
    expect(outcome.violations[0]!.message).toMatch(/passes first to (switch_mm|enter_lazy)/);
  });
});

describe("a process in which nothing is mapped when it exits", () => {
  const CLEAN = RIGHT.filter((name) => !["null-prev", "fewer-parameters"].includes(name));

  test.each(CLEAN)("leaves no CPU on its freed root under %s", (name) => {
    const outcome = run(lazyPolicies[name], execAndExit);
    expect(broken(outcome)).toEqual([]);
    const counts = isCounted(name) || name === "hazard-pointer";
    expect(left(outcome)).toEqual(counts ? ["init", "second.image 0 1"] : ["init"]);
  });

  test.each(["unrefcounted", "null-prev", "fewer-parameters"] as const)(
    "sends no flush, and its root is freed under the CR3 of a lazy CPU, under %s",
    (name) => {
      const outcome = run(lazyPolicies[name], execAndExit);
      expect(outcome.violations[0]!.invariant).toBe("I4");
      expect(outcome.violations[0]!.message).toMatch(
        /page-table root of first.image while lazy CPU 1/,
      );
    },
  );
});

test("a thread of a dying process that idles elsewhere is told by the flush of exit_mmap", () => {
  const threadElsewhere: Program = function* (task) {
    const cpu = task.cpu.kernel.cpus[0]!;
    const program: Program = function* () {
      yield* touchPages(STACK, "read");
    };
    yield* syscall(task, cloneThread(task, { name: "thread", program, cpu }));
    yield* syscall(task, waitForChildren(task));
    yield* work({ name: "until the thread's CPU idles", cycles: 50_000 });
  };
  for (const name of RIGHT) expect(broken(run(lazyPolicies[name], threadElsewhere))).toEqual([]);
});
