// What kernel/smp.c does otherwise in one era than in another: who is interrupted, by which vector,
// through which slot; and which lines a call takes from a CPU that runs a task.

import { describe, expect, test } from "vitest";
import { callMany, waitForCalls } from "../../../src/kernel/cpu/smp.ts";
import {
  disableInterrupts,
  enableInterrupts,
  type KernelCode,
  locked,
  work,
} from "../../../src/kernel/operation/operation.ts";
import { CALL_FUNCTION_SINGLE_VECTOR } from "../../../src/kernel/operation/vectors.ts";
import { protocols } from "../../../src/kernel/shootdown/protocols.ts";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { NEED_RESCHED } from "../../../src/kernel/state/task.ts";
import { memory, play, runOn, type Script } from "../lab.ts";
import { bootScene, eventsOf, type Outcome, type SceneOptions } from "../scene.ts";
import { watching } from "../shootdown/watched.ts";

type Era = "linux-4.8" | "linux-4.15" | "linux-4.20" | "linux-5.13" | "linux-6.18";
const BEFORE_5_13 = ["linux-4.8", "linux-4.15", "linux-4.20"] as const;
const SINCE_5_13 = ["linux-5.13", "linux-6.18"] as const;

const sceneOf = (era: Era, idle: SceneOptions["idle"] = "mwait"): SceneOptions => ({
  protocol: protocols[era],
  pcid: era !== "linux-4.8",
  idle,
});

const busy: Script = function* (_cpu, lab) {
  yield* lab.after(9);
};

const ipisOf = (outcome: Outcome): string[] =>
  eventsOf(outcome, "ipiSent").map(
    ({ target, vector }) =>
      `${vector === CALL_FUNCTION_SINGLE_VECTOR ? "single" : "mask"} ${target}`,
  );

/** Calls `targets` and waits. Returns the caller's operations, up to the wait. */
function* call(cpu: Cpu, targets: readonly number[]): KernelCode<string[]> {
  const operations: string[] = [];
  const calling = callMany(cpu, targets, function* () {});
  const called = yield* watching(calling, function* (words) {
    operations.push(words);
  });
  yield* waitForCalls(called);
  return operations;
}

const long = (cycles = 50_000): KernelCode => work({ name: "long enough", cycles });

describe("the only CPU that is called, idle and polling,", () => {
  const callIdle = (era: Era, idle: SceneOptions["idle"]): string[] => {
    const caller: Script = function* (cpu) {
      yield* long();
      yield* call(cpu, [1]);
    };
    const outcome = play(sceneOf(era, idle), caller);
    expect(outcome.ended).toBe("stopped");
    return ipisOf(outcome);
  };

  test.each(BEFORE_5_13)("is interrupted before 5.13 (%s)", (era) => {
    expect((["poll", "mwait", "halt"] as const).map((idle) => callIdle(era, idle))).toEqual([
      ["single 1"],
      ["single 1"],
      ["single 1"],
    ]);
  });

  test.each(SINCE_5_13)("gets a flag since then (%s)", (era) => {
    expect([callIdle(era, "mwait"), callIdle(era, "halt")]).toEqual([[], ["single 1"]]);
  });
});

describe("one CPU to call, of two in the mask,", () => {
  const callTheOddOne = (era: Era): string[] => {
    const isOdd = function* (target: Cpu): KernelCode<boolean> {
      return target.id % 2 === 1;
    };
    const caller: Script = function* (cpu, lab) {
      yield* waitForCalls(yield* callMany(cpu, [1, 2], function* () {}, isOdd));
      yield* lab.done(9);
    };
    return ipisOf(play(sceneOf(era), caller, busy, busy));
  };

  test.each(BEFORE_5_13)("is called by the mask's vector before 5.13 (%s)", (era) => {
    expect(callTheOddOne(era)).toEqual(["mask 1"]);
  });

  test.each(SINCE_5_13)("is called by itself since then (%s)", (era) => {
    expect(callTheOddOne(era)).toEqual(["single 1"]);
  });
});

describe("a CPU whose queue is busy", () => {
  /** CPU 0 and then CPU 1 call `others` too, while CPU 2 has interrupts off. */
  const callTwice = (era: Era, others: readonly number[]): string[] => {
    const callAt = (step: number): Script =>
      function* (cpu, lab) {
        yield* lab.after(step);
        const called = yield* callMany(cpu, [2, ...others], function* () {});
        yield* lab.done(step + 1);
        yield* waitForCalls(called);
        yield* lab.done(step === 2 ? 9 : 2);
      };
    const target: Script = function* (_cpu, lab) {
      yield* disableInterrupts();
      yield* lab.done(1);
      while (lab.count("ipiSent") < 1) yield* long(100);
      yield* long();
      yield* enableInterrupts();
      yield* lab.after(9);
    };
    const outcome = play(sceneOf(era), callAt(1), callAt(2), target, busy);
    expect(outcome.ended).toBe("stopped");
    return ipisOf(outcome).filter((ipi) => ipi.endsWith("2"));
  };

  test("is interrupted again in 4.8, by a call of several", () => {
    expect(callTwice("linux-4.8", [3])).toEqual(["mask 2", "mask 2"]);
  });

  test("is not in 4.8 by a call of it alone, and by none since 4.15", () => {
    expect(callTwice("linux-4.8", [])).toEqual(["single 2"]);
    expect(callTwice("linux-4.15", [3])).toEqual(["mask 2"]);
    expect(callTwice("linux-5.13", [3])).toEqual(["mask 2"]);
  });
});

describe("a call slot", () => {
  const slotOf = (era: Era, targets: readonly number[]): string[] => {
    let operations: readonly string[] = [];
    const caller: Script = function* (cpu, lab) {
      operations = yield* call(cpu, targets);
      yield* lab.done(9);
    };
    play(sceneOf(era), caller, busy, busy);
    return operations.filter((words) => /^store .*csd/.test(words));
  };

  test.each(BEFORE_5_13)("is on the caller's stack where one is called by itself (%s)", (era) => {
    expect(slotOf(era, [1])).toEqual(["store cpu0.csd_stack"]);
    expect(slotOf(era, [1, 2])).toEqual(["store cpu0.csd[1]", "store cpu0.csd[2]"]);
  });

  test.each(SINCE_5_13)("is the pair's own since 5.13 (%s)", (era) => {
    expect(slotOf(era, [1])).toEqual(["store cpu0.csd[1]"]);
  });

  test("shares its line with that of the caller's neighbour, for the same target", () => {
    const [first, ...others] = bootScene({ cores: 4 }).cpus;
    const lineFrom = (caller: number, target = first!): number =>
      target.calls.slotOf(caller).locked.line.index;
    expect(lineFrom(3)).toBe(lineFrom(2));
    expect(lineFrom(1)).not.toBe(lineFrom(2));
    expect(lineFrom(2, others[0]!)).not.toBe(lineFrom(2));
  });
});

describe("the operations of a call since 5.13", () => {
  /** CPU 0 calls CPU 1, which does `script`, or idles. */
  const operationsOn = (script: Script | null, before: (cpu: Cpu) => KernelCode): string[] => {
    let operations: string[] = [];
    const caller: Script = function* (cpu, lab) {
      yield* long();
      yield* before(cpu);
      operations = yield* call(cpu, [1]);
      yield* lab.done(9);
    };
    const others = script === null ? [] : [script];
    expect(play({ ...sceneOf("linux-6.18"), cores: 2 }, caller, ...others).ended).toBe("stopped");
    return operations;
  };
  const nothing = function* (): KernelCode {};

  test("load the queue's head before they exchange it", () => {
    const operations = operationsOn(busy, nothing);
    const onHead = operations.filter((words) => words.endsWith("cpu1.call_single_queue"));
    expect(onHead).toEqual(["load cpu1.call_single_queue", "locked cpu1.call_single_queue"]);
  });

  test("look at the idle task's flags alone, and lock nothing, where the target runs", () => {
    const operations = operationsOn(busy, nothing);
    const onFlags = operations.filter((words) => words.includes("thread_info.flags"));
    expect(onFlags).toEqual(["load swapper/1.thread_info.flags"]);
  });

  test("lock the flags of an idle task that polls", () => {
    const flags = "swapper/1.thread_info.flags";
    expect(operationsOn(null, nothing).slice(-2)).toEqual([`load ${flags}`, `locked ${flags}`]);
  });

  test("lock them not where the idle task is about to schedule anyway", () => {
    const wake = function* ({ kernel }: Cpu): KernelCode {
      yield* locked(kernel.cpus[1]!.idle.flags, (flags) => flags | NEED_RESCHED);
    };
    const operations = operationsOn(null, wake);
    expect(operations.at(-1)).toBe("load swapper/1.thread_info.flags");
  });
});

describe("a flush of two running CPUs", () => {
  const looksAndCalls = (era: Era): string[] => {
    const operations: string[] = [];
    let mm: Mm | undefined;
    const flusher: Script = function* (cpu, lab) {
      mm = lab.mm("mm");
      yield* runOn(cpu, mm);
      yield* lab.done(1);
      yield* lab.after(3);
      const request = { mm, range: memory(1), freedTables: false };
      yield* watching(cpu.kernel.protocol.flushRange(cpu, request), function* (words) {
        operations.push(words);
      });
      yield* lab.done(9);
    };
    const runner: Script = function* (cpu, lab) {
      yield* lab.after(cpu.id);
      yield* runOn(cpu, mm!);
      yield* lab.done(cpu.id + 1);
      yield* lab.after(9);
    };
    play(sceneOf(era), flusher, runner, runner);
    const wanted = /^(?:load cpu[12]\.is_lazy|locked cpu[12]\.call_single_queue)$/;
    return operations.filter((words) => wanted.test(words));
  };
  const [look1, look2] = ["load cpu1.is_lazy", "load cpu2.is_lazy"];
  const [call1, call2] = ["locked cpu1.call_single_queue", "locked cpu2.call_single_queue"];

  test.each(["linux-4.20", "linux-5.13"] as const)("looks at both before it calls (%s)", (era) => {
    expect(looksAndCalls(era)).toEqual([look1, look2, call1, call2]);
  });

  test("looks at each and calls it in linux-6.18", () => {
    expect(looksAndCalls("linux-6.18")).toEqual([look1, call1, look2, call2]);
  });
});
