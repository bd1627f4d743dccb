// Lazy use that an interrupt ends: at the last mmdrop (shoot-lazies), in the flush of exit_mmap
// (exit-unlazy), and by handing each user a reference (hazard-pointer).

import { describe, expect, test } from "vitest";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import { lazyPolicies, type LazyPolicyName } from "../../../src/kernel/lazy/policies.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { mmdrop, mmgrab, mmput } from "../../../src/kernel/memory/mm-count.ts";
import {
  disableInterrupts,
  enableInterrupts,
  type KernelCode,
} from "../../../src/kernel/operation/operation.ts";
import { goLazy, type Lab, memory, play, runOn, type Script, touch } from "../lab.ts";
import { eventsOf, type Outcome } from "../scene.ts";

/** What each CPU is told before the end, and what became of it. */
interface Scene {
  readonly policy: LazyPolicyName;
  readonly touched: boolean;
  /** What CPU 0 does when CPUs 1 and 2 use the mm lazily. */
  readonly end: (cpu: Cpu, mm: Mm, lab: Lab) => KernelCode;
}

/** CPUs 1 and 2 borrow an mm, CPU 3 never had it, CPU 0 ends it. */
function lazyCpus({ policy, touched, end }: Scene): Outcome & { readonly mm: Mm } {
  let mm: Mm | undefined;
  const borrower: Script = function* (cpu, lab) {
    yield* lab.after(cpu.id);
    yield* runOn(cpu, mm!);
    if (touched) yield* touch(memory(4), "write");
    if (policy === "hazard-pointer") cpu.runQueue.lazyMm.value = mm!;
    yield* goLazy(cpu);
    yield* lab.done(cpu.id + 1);
    yield* lab.after(9);
  };
  const ender: Script = function* (cpu, lab) {
    mm = lab.mm("borrowed");
    yield* lab.done(1);
    yield* lab.after(3);
    yield* end(cpu, mm, lab);
    yield* lab.done(9);
  };
  const bystander: Script = function* (_cpu, lab) {
    yield* lab.after(9);
  };
  const policyObject = lazyPolicies[policy];
  const outcome = play({ policy: policyObject }, ender, borrower, borrower, bystander);
  expect(outcome.ended).toBe("stopped");
  return { ...outcome, mm: mm! };
}

const interrupted = (outcome: Outcome): number[] => [
  ...new Set(eventsOf(outcome, "ipiSent").map(({ target }) => target)),
];

const activeMms = ({ kernel }: Outcome): (string | undefined)[] =>
  [1, 2].map((id) => kernel.cpus[id]!.current.activeMm?.name);

const roots = ({ kernel }: Outcome): string[] =>
  [1, 2].map((id) => (kernel.machine.root(id) === kernel.initMm.root ? "init_mm" : "other"));

describe("shoot-lazies", () => {
  test("interrupts at the last mmdrop exactly the CPUs in mm_cpumask", () => {
    const outcome = lazyCpus({ policy: "shoot-lazies", touched: false, end: mmput });
    expect(interrupted(outcome)).toEqual([1, 2]);
    expect([activeMms(outcome), roots(outcome)]).toEqual([
      ["init_mm", "init_mm"],
      ["init_mm", "init_mm"],
    ]);
    expect([outcome.mm.freed, outcome.violations]).toEqual([true, []]);
  });

  test("interrupts nobody while a reference is left", () => {
    const outcome = lazyCpus({
      policy: "shoot-lazies",
      touched: false,
      *end(cpu, mm, lab) {
        yield* mmgrab(mm);
        yield* mmput(cpu, mm);
        expect([mm.freed, lab.count("ipiSent")]).toEqual([false, 0]);
        yield* mmdrop(cpu, mm);
      },
    });
    expect([outcome.mm.freed, interrupted(outcome)]).toEqual([true, [1, 2]]);
  });

  test("finds nobody left where the flush of exit_mmap has moved the lazy CPUs already", () => {
    const outcome = lazyCpus({ policy: "shoot-lazies", touched: true, end: mmput });
    expect(eventsOf(outcome, "ipiSent")).toHaveLength(2); // the flush's, one for each CPU
    expect([activeMms(outcome), outcome.violations]).toEqual([["init_mm", "init_mm"], []]);
  });
});

describe("exit-unlazy", () => {
  test("ends lazy use in the flush of exit_mmap, without IPIs of its own", () => {
    const outcome = lazyCpus({ policy: "exit-unlazy", touched: true, end: mmput });
    expect(eventsOf(outcome, "ipiSent")).toHaveLength(2);
    expect([activeMms(outcome), roots(outcome)]).toEqual([
      ["init_mm", "init_mm"],
      ["init_mm", "init_mm"],
    ]);
    expect([outcome.mm.freed, outcome.violations]).toEqual([true, []]);
  });

  test("ends it by IPIs where nothing was mapped and so nothing was flushed", () => {
    const outcome = lazyCpus({ policy: "exit-unlazy", touched: false, end: mmput });
    expect(eventsOf(outcome, "flushBegin")).toEqual([]);
    expect(interrupted(outcome)).toEqual([1, 2]);
    expect([activeMms(outcome), outcome.violations]).toEqual([["init_mm", "init_mm"], []]);
  });

  test("ends it at the last mmput even if a reference on the struct is left", () => {
    lazyCpus({
      policy: "exit-unlazy",
      touched: false,
      *end(cpu, mm, lab) {
        yield* mmgrab(mm);
        yield* mmput(cpu, mm);
        expect([mm.freed, lab.count("ipiSent")]).toEqual([false, 2]);
        yield* mmdrop(cpu, mm);
        expect([mm.freed, lab.count("ipiSent")]).toEqual([true, 2]);
      },
    });
  });
});

describe("hazard-pointer", () => {
  test("hands each lazy CPU one reference in rq->drop_mm at the last mmput", () => {
    const outcome = lazyCpus({ policy: "hazard-pointer", touched: false, end: mmput });
    const { cpus } = outcome.kernel;
    expect(cpus.map(({ runQueue }) => runQueue.dropMm.value?.name ?? null)).toEqual([
      null,
      "borrowed",
      "borrowed",
      null,
    ]);
    expect(outcome.mm.mmCount.value).toBe(2);
    expect([interrupted(outcome), outcome.mm.freed]).toEqual([[], false]);
  });

  test("hands nothing to a CPU that the flush has told to forget the mm", () => {
    const outcome = lazyCpus({ policy: "hazard-pointer", touched: true, end: mmput });
    const { cpus } = outcome.kernel;
    expect(cpus.map(({ runQueue }) => runQueue.lazyMm.value)).toEqual([null, null, null, null]);
    expect(cpus.map(({ runQueue }) => runQueue.dropMm.value)).toEqual([null, null, null, null]);
    expect([outcome.mm.freed, outcome.violations]).toEqual([true, []]);
  });

  test("a CPU drops its reference when it no longer uses the mm, and not before", () => {
    let mm: Mm | undefined;
    const counts: (number | boolean)[] = [];
    const script: Script = function* (cpu, lab) {
      const { lazyPolicy } = cpu.kernel;
      mm = lab.mm("borrowed");
      cpu.runQueue.lazyMm.value = mm;
      yield* runOn(cpu, mm);
      yield* goLazy(cpu);
      yield* mmput(cpu, mm);
      counts.push(mm.mmCount.value);
      yield* lazyPolicy.finishSwitch(cpu, null); // from kernel to kernel: still borrowed
      counts.push(mm.mmCount.value);
      yield* runOn(cpu, lab.mm("next"));
      cpu.runQueue.lazyMm.value = null;
      yield* lazyPolicy.finishSwitch(cpu, null);
      counts.push(mm.freed);
    };
    const { violations } = play({ policy: lazyPolicies["hazard-pointer"], cores: 2 }, script);
    expect([counts, violations]).toEqual([[1, 1, true], []]);
  });

  test("an older reference in drop_mm is dropped when a newer one takes its place", () => {
    const outcome = lazyCpus({
      policy: "hazard-pointer",
      touched: false,
      *end(cpu, mm, lab) {
        const older = lab.mm("older");
        yield* mmgrab(older);
        cpu.kernel.cpus[1]!.runQueue.dropMm.value = older;
        yield* mmput(cpu, older); // nobody names it: only the handed reference is left
        expect(older.freed).toBe(false);
        yield* mmput(cpu, mm);
        expect([older.freed, mm.mmCount.value]).toEqual([true, 2]);
      },
    });
    expect(outcome.kernel.cpus[1]!.runQueue.dropMm.value).toBe(outcome.mm);
    expect(outcome.violations).toEqual([]);
  });
});

test.each(["shoot-lazies", "exit-unlazy", "hazard-pointer"] as const)(
  "a flush that frees tables tells core code under %s that the CPU borrows nothing any more",
  (policy) => {
    const script: Script = function* (cpu, lab) {
      const mm = lab.mm("borrowed");
      yield* runOn(cpu, mm);
      cpu.runQueue.lazyMm.value = policy === "hazard-pointer" ? mm : null;
      yield* goLazy(cpu);
      const request = { mm, range: memory(4), freedTables: true };
      yield* cpu.kernel.protocol.flushRange(cpu, request);
      expect([cpu.current.activeMm, cpu.runQueue.lazyMm.value]).toEqual([lab.kernel.initMm, null]);
      yield* disableInterrupts();
      yield* enableInterrupts();
    };
    expect(play({ policy: lazyPolicies[policy] }, script).ended).toBe("stopped");
  },
);
