// Functions called on other CPUs: when an IPI is sent, which, and who waits for what.

import { describe, expect, test } from "vitest";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import {
  disableInterrupts,
  enableInterrupts,
  type KernelCode,
  work,
} from "../../../src/kernel/operation/operation.ts";
import { callMany, waitForCalls } from "../../../src/kernel/cpu/smp.ts";
import { type CallFunction } from "../../../src/kernel/state/call-queue.ts";
import {
  CALL_FUNCTION_SINGLE_VECTOR,
  CALL_FUNCTION_VECTOR,
} from "../../../src/kernel/operation/vectors.ts";
import { play, type Script } from "../lab.ts";
import { eventsOf, type Outcome } from "../scene.ts";

const busy: Script = function* (_cpu, lab) {
  yield* lab.after(9);
};

/** Calls `run` on `targets`, and waits. */
function* callAndWait(cpu: Cpu, targets: readonly number[], run: CallFunction): KernelCode {
  yield* waitForCalls(yield* callMany(cpu, targets, run));
}

const ipisOf = (outcome: Outcome): string[] =>
  eventsOf(outcome, "ipiSent").map(({ target, vector }) =>
    vector === CALL_FUNCTION_VECTOR
      ? `mask ${target}`
      : vector === CALL_FUNCTION_SINGLE_VECTOR
        ? `single ${target}`
        : `other ${target}`,
  );

describe("calling a function on other CPUs", () => {
  /** CPU 0 calls `targets`; the others are busy in the kernel with interrupts on. */
  function callFrom0(targets: readonly number[]) {
    const ran: number[] = [];
    const caller: Script = function* (cpu, lab) {
      yield* callAndWait(cpu, targets, function* (target) {
        expect(target.kernel.machine.interruptFlag(target.id)).toBe(false);
        ran.push(target.id);
      });
      expect(ran).toHaveLength(targets.filter((id) => id !== 0).length);
      yield* lab.done(9);
    };
    return { ran, outcome: play({}, caller, busy, busy, busy) };
  }

  test("on one CPU sends it the single vector", () => {
    const { ran, outcome } = callFrom0([2]);
    expect([ran, ipisOf(outcome)]).toEqual([[2], ["single 2"]]);
  });

  test("on several CPUs sends them the mask vector, and never oneself", () => {
    const { ran, outcome } = callFrom0([0, 1, 2, 3]);
    expect(ran.sort()).toEqual([1, 2, 3]);
    expect(ipisOf(outcome)).toEqual(["mask 1", "mask 2", "mask 3"]);
  });

  test("on nobody but oneself sends nothing", () => {
    expect(ipisOf(callFrom0([0]).outcome)).toEqual([]);
  });

  test("leaves out those for whom the condition does not hold", () => {
    const ran: number[] = [];
    const caller: Script = function* (cpu, lab) {
      const run: CallFunction = function* (target) {
        ran.push(target.id);
      };
      const odd = function* (target: Cpu): KernelCode<boolean> {
        return target.id % 2 === 1;
      };
      yield* waitForCalls(yield* callMany(cpu, [1, 2, 3], run, odd));
      yield* lab.done(9);
    };
    play({}, caller, busy, busy, busy);
    expect(ran.sort()).toEqual([1, 3]);
  });
});

test("an IPI is sent only to a CPU whose queue was empty", () => {
  const order: string[] = [];
  const callWith = (name: string, step: number): Script =>
    function* (cpu, lab) {
      yield* lab.after(step);
      yield* work({ name: "test", cycles: 1_000 });
      const called = yield* callMany(cpu, [2], function* () {
        order.push(name);
      });
      yield* lab.done(step + 1);
      yield* waitForCalls(called);
    };
  const target: Script = function* (_cpu, lab) {
    yield* disableInterrupts();
    yield* lab.done(1);
    yield* lab.after(3); // both calls are queued
    yield* enableInterrupts();
    yield* work({ name: "test", cycles: 50_000 });
  };
  const outcome = play({}, callWith("first", 1), callWith("second", 2), target);
  expect(outcome.ended).toBe("stopped");
  expect(ipisOf(outcome)).toEqual(["single 2"]);
  expect(order).toEqual(["first", "second"]);
  expect(eventsOf(outcome, "interruptTaken")).toHaveLength(1);
});

describe("the caller", () => {
  test("waits until every slot is released, that is until the function has run to its end", () => {
    const ends: number[] = [];
    let returned = 0;
    const caller: Script = function* (cpu, lab) {
      yield* callAndWait(cpu, [1, 2], function* (target) {
        yield* work({ name: "test", cycles: target.id * 10_000 });
        ends.push(target.kernel.machine.now(target.id));
      });
      returned = cpu.kernel.machine.now(0);
      yield* lab.done(9);
    };
    play({}, caller, busy, busy);
    expect(ends).toHaveLength(2);
    expect(returned).toBeGreaterThan(Math.max(...ends));
  });

  test("waits for a CPU that has interrupts off until it has them on", () => {
    let returned = 0;
    let enabled = 0;
    const caller: Script = function* (cpu, lab) {
      yield* lab.after(1);
      yield* callAndWait(cpu, [1], function* () {});
      returned = cpu.kernel.machine.now(0);
    };
    const target: Script = function* (cpu, lab) {
      yield* disableInterrupts();
      yield* lab.done(1);
      yield* work({ name: "test", cycles: 200_000 });
      enabled = cpu.kernel.machine.now(1);
      yield* enableInterrupts();
      yield* work({ name: "test", cycles: 10_000 });
    };
    play({}, caller, target);
    expect(enabled).toBeGreaterThan(200_000);
    expect(returned).toBeGreaterThan(enabled);
  });

  test("takes interrupts while it waits: two CPUs that call each other both come back", () => {
    const script: Script = function* (cpu) {
      for (let round = 0; round < 5; round++) {
        yield* callAndWait(cpu, [1 - cpu.id], function* () {
          yield* work({ name: "test", cycles: 500 });
        });
      }
    };
    expect(play({}, script, script).ended).toBe("stopped");
  });

  test("that has interrupts off while it waits for one in the same state is a deadlock", () => {
    const script: Script = function* (cpu) {
      yield* disableInterrupts();
      yield* callAndWait(cpu, [1 - cpu.id], function* () {});
    };
    const outcome = play({ idle: "halt" }, script, script);
    expect(outcome.ended).toBe("deadlock");
    expect(eventsOf(outcome, "deadlock")[0]!.waits.map(({ cell }) => cell)).toEqual([
      "cpu0.csd[1]",
      "cpu1.csd[0]",
    ]);
  });
});

describe("an idle CPU that polls", () => {
  const callIdle = (targets: readonly number[], idle: "poll" | "mwait" | "halt") => {
    const ran: number[] = [];
    const caller: Script = function* (cpu) {
      yield* work({ name: "until the others idle", cycles: 50_000 });
      yield* callAndWait(cpu, targets, function* (target) {
        ran.push(target.id);
      });
    };
    const outcome = play({ cores: 3, idle }, caller);
    return { ran: ran.sort(), ipis: ipisOf(outcome) };
  };

  test.each(["poll", "mwait"] as const)("gets no single IPI (%s)", (idle) => {
    expect(callIdle([1], idle)).toEqual({ ran: [1], ipis: [] });
  });

  test("gets the mask IPI like any other", () => {
    expect(callIdle([1, 2], "mwait")).toEqual({ ran: [1, 2], ipis: ["mask 1", "mask 2"] });
  });

  test("is unlike one that is halted, which is interrupted", () => {
    expect(callIdle([1], "halt")).toEqual({ ran: [1], ipis: ["single 1"] });
  });
});
