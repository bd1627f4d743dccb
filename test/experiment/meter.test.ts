// The meter, told of events one by one: only the measured part counts, and cycles are differences.

import { createTask } from "../../src/kernel/process/fork.ts";
import { expect, test } from "vitest";
import { Meter } from "../../src/experiment/meter.ts";
import { CALL_FUNCTION_VECTOR, RESCHEDULE_VECTOR } from "../../src/kernel/operation/vectors.ts";
import type { KernelEvent } from "../../src/kernel/operation/event.ts";
import type { Kernel } from "../../src/kernel/state/kernel.ts";
import { measuredPart, playWorkload } from "../workloads/runs.ts";
import { bootScene } from "../kernel/scene.ts";

class Script {
  readonly kernel: Kernel = bootScene({ cores: 2 });
  readonly meter = new Meter(this.kernel);

  at(cycle: number, cpu: number, event: KernelEvent): this {
    this.meter.observe(event, { cpu, cycle });
    return this;
  }

  begin = (cycle: number): this => this.at(cycle, 0, { kind: "measureBegin" });
  end = (cycle: number): this => this.at(cycle, 0, { kind: "measureEnd" });

  /** CPU 0 flushes from `begin` to `end`, with another CPU in its mask or without. */
  flush(begin: number, end: number, remote = true): this {
    const { initMm: mm } = this.kernel;
    const range = { start: 0, end: 1 } as never;
    this.at(begin, 0, { kind: "flushBegin", mm, range });
    return this.at(end, 0, { kind: "flushReturn", mm, range, remote });
  }

  answer(end: number, cycles: number, vector = CALL_FUNCTION_VECTOR): this {
    return this.at(end, 1, { kind: "interruptReturned", vector, cycles });
  }

  flushedByIdleLoop(cycle: number): this {
    const { initMm: mm } = this.kernel;
    return this.at(cycle, 1, { kind: "flushed", mm, how: "skipped", local: false });
  }

  get measured() {
    return this.meter.measurement([], 0);
  }
}

test("what happens before the begin and after the end does not count", () => {
  const { measured } = new Script()
    .flush(10, 90)
    .begin(100)
    .flush(200, 650)
    .end(1_100)
    .flush(1_200, 1_300)
    .answer(1_400, 50);
  expect(measured.initiatorCycles).toEqual([450]);
  expect(measured.responderCycles).toEqual([]);
  expect(measured.elapsedCycles).toBe(1_000);
});

test("a flush or an answer under way at the begin does not count", () => {
  const script = new Script().at(80, 0, {
    kind: "flushBegin",
    mm: new Script().kernel.initMm,
    range: { start: 0, end: 1 } as never,
  });
  script.begin(100);
  script.at(150, 0, {
    kind: "flushReturn",
    mm: script.kernel.initMm,
    range: { start: 0, end: 1 } as never,
    remote: true,
  });
  script.answer(160, 90).answer(300, 90);
  expect(script.measured).toMatchObject({ initiatorCycles: [], responderCycles: [90] });
});

test("a flush without another CPU in its mask is no shootdown", () => {
  expect(new Script().begin(0).flush(10, 30, false).measured.initiatorCycles).toEqual([]);
});

test("another vector is no answer, even after the idle loop has served a call", () => {
  const { measured } = new Script()
    .begin(0)
    .flushedByIdleLoop(100)
    .answer(900, 700, RESCHEDULE_VECTOR)
    .answer(2_000, 300);
  expect(measured.responderCycles).toEqual([300]);
  expect(measured.flushes).toEqual({ full: 0, ranged: 0, skipped: 1 });
});

test("calls of lazy CPUs are told apart", () => {
  const call: KernelEvent = { kind: "ipiSent", target: 1, vector: CALL_FUNCTION_VECTOR };
  const script = new Script().begin(0).at(10, 0, call);
  script.kernel.cpus[1]!.tlb.isLazy.value = true;
  script.at(20, 0, call).at(30, 0, { kind: "ipiSent", target: 1, vector: RESCHEDULE_VECTOR });
  expect(script.measured).toMatchObject({ ipis: 2, ipisToLazy: 1 });
});

test("only running tasks have cycles stolen", () => {
  const answer: KernelEvent = {
    kind: "interruptReturned",
    vector: CALL_FUNCTION_VECTOR,
    cycles: 500,
  };
  const script = new Script().begin(0).at(1000, 1, answer);
  const cpu = script.kernel.cpus[1]!;
  cpu.current = createTask({ name: "t", program: function* () {}, cpu }, null, false);
  script.at(2000, 1, answer);
  expect(script.measured).toMatchObject({ responderCycles: [500, 500], stolenCycles: 500 });
});

test("a second begin starts afresh", () => {
  const { measured } = new Script().begin(0).flush(10, 20).begin(100).flush(110, 140).end(200);
  expect(measured).toMatchObject({ initiatorCycles: [30], elapsedCycles: 100 });
});

test("seconds are cycles at the preset's frequency", () => {
  const script = new Script().begin(0).end(3_000_000);
  const { frequencyGhz } = script.kernel.machine.description;
  expect(script.measured.elapsedSeconds).toBeCloseTo(0.003 / frequencyGhz, 12);
});

test("cycles of a real run are the differences of its events' cycles", () => {
  const outcome = playWorkload("munmap", { cores: 2, rounds: 3 });
  const meter = new Meter(outcome.kernel);
  const events = measuredPart(outcome);
  for (const event of events) meter.observe(event, event.at);
  const { initiatorCycles, responderCycles } = meter.measurement([], 0);
  const cyclesOf = (kind: string, cpu: number) =>
    events.filter((event) => event.kind === kind && event.at.cpu === cpu).map(({ at }) => at.cycle);
  const begins = cyclesOf("flushBegin", 0);
  expect(initiatorCycles).toEqual(
    cyclesOf("flushReturn", 0).map((end, index) => end - begins[index]!),
  );
  const { interruptEntry } = outcome.kernel.machine.description.instruction;
  const taken = cyclesOf("interruptTaken", 1).map((cycle) => cycle - interruptEntry);
  expect(responderCycles).toEqual(
    cyclesOf("interruptReturned", 1).map((end, index) => end - taken[index]!),
  );
});
