// Preempted vCPUs under the clock: what they do meanwhile, and what the host does on entry.

import { describe, expect, test } from "vitest";
import {
  disableInterrupts,
  enableInterrupts,
  type KernelCode,
  locked,
  work,
} from "../../src/kernel/operation/operation.ts";
import { preemptVcpu, resumeVcpu } from "../../src/kernel/operation/vcpu-operation.ts";
import { callMany, waitForCalls } from "../../src/kernel/cpu/smp.ts";
import { VCPU_FLUSH_TLB, VCPU_PREEMPTED } from "../../src/kernel/cpu/steal-time.ts";
import { memory, play, runOn, type Script, touch } from "../kernel/lab.ts";
import { eventsOf } from "../kernel/scene.ts";

const FAR_LATER = 1_000_000;

describe("a preempted vCPU", () => {
  test("executes nothing, and goes on where it was", () => {
    let finished = 0;
    const worker: Script = function* (cpu, lab) {
      yield* lab.done(1);
      yield* work({ name: "long", cycles: 10_000 });
      finished = cpu.kernel.machine.now(cpu.id);
    };
    const other: Script = function* (cpu, lab) {
      yield* lab.after(1);
      yield* work({ name: "half", cycles: 5_000 });
      yield* preemptVcpu(cpu.kernel.cpus[0]!, 50_000);
    };
    play({}, worker, other);
    expect(finished).toBeGreaterThan(60_000);
    expect(finished).toBeLessThan(61_000);
  });

  test("takes no interrupt until it is entered, and then at once", () => {
    const target: Script = function* (_cpu, lab) {
      yield* lab.done(1);
      yield* work({ name: "interrupted", cycles: 500_000 });
    };
    const caller: Script = function* (cpu, lab) {
      yield* lab.after(1);
      yield* preemptVcpu(cpu.kernel.cpus[0]!, 80_000);
      yield* waitForCalls(yield* callMany(cpu, [0], function* () {}));
    };
    const outcome = play({}, target, caller);
    const [preempted] = eventsOf(outcome, "vcpuPreempted");
    const [entered] = eventsOf(outcome, "vcpuEntered");
    const [taken] = eventsOf(outcome, "interruptTaken");
    expect(entered!.at.cycle).toBe(preempted!.at.cycle + 80_000);
    const delay = taken!.at.cycle - entered!.at.cycle; // nothing but the entry itself
    expect([delay > 0, delay < 1_000]).toEqual([true, true]);
  });

  test("stays away until it is resumed, if no time was given", () => {
    let isOver = false;
    const target: Script = function* (_cpu, lab) {
      yield* lab.done(1);
      yield* work({ name: "some", cycles: 1_000 });
      isOver = true;
    };
    const host: Script = function* (cpu, lab) {
      yield* lab.after(1);
      yield* preemptVcpu(cpu.kernel.cpus[0]!);
      yield* work({ name: "meanwhile", cycles: FAR_LATER });
      expect(isOver).toBe(false);
      yield* resumeVcpu(cpu.kernel.cpus[0]!);
    };
    const outcome = play({}, target, host);
    expect([outcome.ended, isOver]).toEqual(["stopped", true]);
  });

  test("is preempted once, whoever else wants it to be", () => {
    const host: Script = function* (cpu) {
      const target = cpu.kernel.cpus[1]!;
      yield* preemptVcpu(target, 10_000);
      yield* preemptVcpu(target, FAR_LATER);
      yield* work({ name: "meanwhile", cycles: 20_000 });
      expect(target.preempted.value).toBe(0);
      yield* resumeVcpu(target);
    };
    expect(eventsOf(play({}, host), "vcpuEntered")).toHaveLength(1);
  });

  test("can be the one that asks", () => {
    const cycles: number[] = [];
    const script: Script = function* (cpu) {
      const now = (): number => cycles.push(cpu.kernel.machine.now(cpu.id));
      now();
      yield* preemptVcpu(cpu, 30_000);
      now();
    };
    play({}, script);
    expect(cycles[1]! - cycles[0]!).toBe(30_000);
  });

  test("is told so in its steal time, which is clear when it runs again", () => {
    const seen: number[] = [];
    const host: Script = function* (cpu) {
      const target = cpu.kernel.cpus[1]!;
      yield* preemptVcpu(target, 10_000);
      seen.push(target.preempted.value);
      yield* work({ name: "meanwhile", cycles: 20_000 });
      seen.push(target.preempted.value);
    };
    play({}, host);
    expect(seen).toEqual([VCPU_PREEMPTED, 0]);
  });
});

describe("the host, on entry,", () => {
  const walksAfter = (flag: number): number => {
    let walks = -1;
    const target: Script = function* (cpu, lab) {
      const mm = lab.mm("mm");
      yield* runOn(cpu, mm);
      yield* touch(memory(8), "write");
      const { machine } = cpu.kernel;
      const before = machine.counters(0).walks;
      yield* lab.done(1);
      yield* lab.after(2);
      yield* touch(memory(8), "write");
      walks = machine.counters(0).walks - before;
    };
    const other: Script = function* (cpu, lab) {
      yield* lab.after(1);
      const target = cpu.kernel.cpus[0]!;
      yield* preemptVcpu(target, 50_000);
      yield* locked(target.preempted, (state) => state | flag);
      yield* lab.done(2);
    };
    play({}, target, other);
    return walks;
  };

  test("flushes the vCPU's whole TLB if it was asked to, and leaves it alone if not", () => {
    expect(walksAfter(VCPU_FLUSH_TLB)).toBe(8);
    expect(walksAfter(0)).toBe(0);
  });
});

test("a vCPU preempted with interrupts off takes none on entry", () => {
  const order: string[] = [];
  const target: Script = function* (_cpu, lab) {
    yield* disableInterrupts();
    yield* lab.done(1);
    yield* work({ name: "closed", cycles: 5_000 });
    order.push("closed");
    yield* enableInterrupts();
  };
  const caller: Script = function* (cpu, lab) {
    yield* lab.after(1);
    yield* preemptVcpu(cpu.kernel.cpus[0]!, 50_000);
    const handler = function* (): KernelCode {
      order.push("call");
    };
    yield* waitForCalls(yield* callMany(cpu, [0], handler));
  };
  play({}, target, caller);
  expect(order).toEqual(["closed", "call"]);
});
