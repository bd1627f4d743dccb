// The clock: who goes on next, and what an interrupt does to what was going on.

import { describe, expect, test } from "vitest";
import { Cell } from "../../src/kernel/operation/cell.ts";
import {
  call,
  disableInterrupts,
  enableInterrupts,
  type KernelCode,
  runUser,
  sendIpi,
  store,
  waitUntil,
  work,
} from "../../src/kernel/operation/operation.ts";
import { RESCHEDULE_VECTOR } from "../../src/kernel/operation/vectors.ts";
import { userStream } from "../../src/machine/stream.ts";
import { munmap } from "../../src/workloads/munmap.ts";
import { Random } from "../../src/base/random.ts";
import { memory, play, runOn, type Script, touch } from "../kernel/lab.ts";
import { eventsOf, play as playProcess } from "../kernel/scene.ts";

const cycles = (count: number) => work({ name: "test", cycles: count });

describe("the order of cores", () => {
  test("the core that is earliest goes on, and of two at one cycle the lower id", () => {
    const order: string[] = [];
    const script = (pieces: number[]): Script =>
      function* (cpu) {
        for (const piece of pieces) {
          yield* cycles(piece);
          order.push(`${cpu.id} at ${cpu.kernel.machine.now(cpu.id)}`);
        }
      };
    let start = 0;
    const measure: Script = function* (cpu) {
      start = cpu.kernel.machine.now(cpu.id);
      yield* cycles(1);
    };
    play({}, measure);
    play({ cores: 3 }, script([100, 300]), script([50, 50, 150]), script([100]));
    const expected = ["1 at 50", "0 at 100", "1 at 100", "2 at 100", "1 at 250", "0 at 400"];
    expect(order).toEqual(expected.map((line) => line.replace(/\d+$/, (at) => `${+at + start}`)));
  });

  test("what kernel code of one core wrote is what a later core reads", () => {
    const seen: number[] = [];
    let cell: Cell<number> | undefined;
    const shared = (cpu: Parameters<Script>[0]) =>
      (cell ??= new Cell("shared", cpu.kernel.allocateLine(0), 0));
    const writer: Script = function* (cpu) {
      for (let value = 1; value <= 5; value++) {
        yield* cycles(1_000);
        yield* store(shared(cpu), value);
      }
    };
    const reader: Script = function* (cpu) {
      for (let count = 0; count < 5; count++) {
        yield* cycles(count === 0 ? 2_500 : 1_000);
        seen.push(shared(cpu).value);
      }
    };
    play({}, writer, reader);
    expect(seen).toEqual([2, 3, 4, 5, 5]);
  });

  test("user mode runs ahead by less than the smallest IPI latency and one access", () => {
    let ahead = 0;
    const user: Script = function* (cpu, lab) {
      yield* runOn(cpu, lab.mm("user"));
      yield* touch(memory(1), "write");
      const stream = userStream({ base: memory(1).start, accesses: 2_000, thinkCycles: 50 });
      yield* runUser(stream);
      yield* lab.done(1);
    };
    const kernel: Script = function* (cpu, lab) {
      const { machine } = cpu.kernel;
      for (let count = 0; count < 500; count++) {
        yield* cycles(200);
        ahead = Math.max(ahead, machine.now(0) - machine.now(cpu.id));
      }
      yield* lab.after(1);
    };
    const { kernel: state } = play({}, user, kernel);
    const latency = state.machine.smallestIpiLatency;
    expect(ahead).toBeGreaterThan(latency / 2);
    expect(ahead).toBeLessThan(latency + 200 + 100);
  });
});

describe("an interrupt", () => {
  const interruptCpu1: Script = function* (_cpu, lab) {
    yield* lab.after(1);
    yield* cycles(5_000);
    yield* sendIpi([1], RESCHEDULE_VECTOR);
  };

  test("is served in the middle of work, and the work goes on for what was left", () => {
    let took = 0;
    const worker: Script = function* (cpu, lab) {
      yield* lab.done(1);
      const start = cpu.kernel.machine.now(1);
      yield* cycles(100_000);
      took = cpu.kernel.machine.now(1) - start;
    };
    const outcome = play({}, interruptCpu1, worker);
    const [taken] = eventsOf(outcome, "interruptTaken");
    const [returned] = eventsOf(outcome, "interruptReturned");
    expect(taken!.at.cpu).toBe(1);
    expect(took).toBe(100_000 + returned!.cycles);
    expect(returned!.cycles).toBeGreaterThan(0);
  });

  test("arrives no sooner than the IPI's latency after it was sent", () => {
    const worker: Script = function* (_cpu, lab) {
      yield* lab.done(1);
      yield* cycles(100_000);
    };
    const outcome = play({}, interruptCpu1, worker);
    const latency =
      eventsOf(outcome, "interruptTaken")[0]!.at.cycle - eventsOf(outcome, "ipiSent")[0]!.at.cycle;
    const { ipiDeliveryCycles, instruction } = outcome.kernel.machine.description;
    expect(latency).toBe(ipiDeliveryCycles.sameLlc + instruction.interruptEntry);
  });

  test("waits while interrupts are off, and is taken as soon as they are on", () => {
    const moments: number[] = [];
    const worker: Script = function* (cpu, lab) {
      yield* disableInterrupts();
      yield* lab.done(1);
      yield* cycles(100_000);
      moments.push(cpu.kernel.machine.now(1));
      yield* enableInterrupts();
      yield* cycles(1);
    };
    const outcome = play({}, interruptCpu1, worker);
    const { instruction } = outcome.kernel.machine.description;
    const taken = eventsOf(outcome, "interruptTaken");
    expect(taken.map(({ at }) => at.cycle)).toEqual([moments[0]! + instruction.interruptEntry]);
  });

  test("stops a stream of user accesses, which then goes on where it was", () => {
    let accesses = 0;
    const worker: Script = function* (cpu, lab) {
      yield* runOn(cpu, lab.mm("user"));
      yield* touch(memory(8), "write");
      yield* lab.done(1);
      const before = cpu.kernel.machine.counters(1).accesses;
      yield* runUser(
        userStream({ base: memory(8).start, elements: 8, accesses: 1_000, thinkCycles: 100 }),
      );
      accesses = cpu.kernel.machine.counters(1).accesses - before;
    };
    const outcome = play({}, interruptCpu1, worker);
    expect(eventsOf(outcome, "interruptTaken")).toHaveLength(1);
    expect(accesses).toBe(1_000);
  });
});

describe("parked code", () => {
  test("wakes when its cell gets the value it waits for, not before", () => {
    let woken = 0;
    let stored = 0;
    let cell: Cell<number> | undefined;
    const waiter: Script = function* (cpu) {
      cell = new Cell("shared", cpu.kernel.allocateLine(0), 0);
      yield* waitUntil(cell, (value) => value === 2);
      woken = cpu.kernel.machine.now(cpu.id);
    };
    const writer: Script = function* (cpu) {
      yield* cycles(1_000);
      yield* store(cell!, 1);
      yield* cycles(10_000);
      yield* store(cell!, 2);
      stored = cpu.kernel.machine.now(cpu.id);
    };
    play({}, waiter, writer);
    expect(woken).toBeGreaterThan(stored);
    expect(woken).toBeLessThan(stored + 1_000);
  });

  test("that nobody will ever wake is a deadlock, with what it waits for", () => {
    const waiter: Script = function* (cpu) {
      const cell = new Cell("never", cpu.kernel.allocateLine(0), 0);
      yield* waitUntil(cell, (value) => value === 1);
    };
    const outcome = play({ idle: "halt" }, waiter);
    expect(outcome.ended).toBe("deadlock");
    expect(eventsOf(outcome, "deadlock")[0]!.waits).toEqual([
      { cpu: 0, task: "swapper/0", cell: "never" },
    ]);
    expect(outcome.violations.map(({ invariant }) => invariant)).toEqual(["I10"]);
  });
});

describe("a call on the task's own stack", () => {
  test("returns its result, and takes no cycles of its own", () => {
    let result = 0;
    let took = 0;
    const callee = function* (): KernelCode<number> {
      yield* cycles(70);
      return 7;
    };
    const caller: Script = function* (cpu) {
      const start = cpu.kernel.machine.now(cpu.id);
      result = yield* call(callee());
      took = cpu.kernel.machine.now(cpu.id) - start;
    };
    play({}, caller);
    expect([result, took]).toEqual([7, 70]);
  });
});

test("the same seed gives the same events at the same cycles", () => {
  const run = () => {
    const { events } = playProcess({ cores: 3 }, (kernel) =>
      munmap.program({ kernel, cpus: kernel.cpus, pages: 4, rounds: 3, random: new Random(7) }),
    );
    return events.map(({ kind, at }) => `${kind} ${at.cpu} ${at.cycle}`);
  };
  const first = run();
  expect(first.length).toBeGreaterThan(100);
  expect(run()).toEqual(first);
});
