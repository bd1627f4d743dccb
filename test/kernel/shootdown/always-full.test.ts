// always-full: who is interrupted, and what is lost.

import { expect, test } from "vitest";
import { alwaysFull } from "../../../src/kernel/shootdown/always-full.ts";
import { linux513 } from "../../../src/kernel/shootdown/linux-5.13.ts";
import type { ShootdownProtocol } from "../../../src/kernel/state/shootdown-protocol.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { eventsOf, type Outcome } from "../scene.ts";
import { flush, goLazy, memory, play, runOn, type Script, touch } from "../lab.ts";

/** CPU 0 flushes one page of eight; CPU 1 runs the mm, CPU 2 is lazy on it, CPU 3 never was. */
function flushOnePage(protocol: ShootdownProtocol): Outcome & { walks: number } {
  let mm: Mm | undefined;
  let walks = 0;
  const flusher: Script = function* (cpu, lab) {
    mm = lab.mm("mm");
    yield* runOn(cpu, mm);
    yield* touch(memory(8), "write");
    yield* lab.done(1);
    yield* lab.after(3);
    yield* flush(cpu, mm, memory(1));
    yield* lab.done(4);
  };
  const reader: Script = function* (cpu, lab) {
    yield* lab.after(1);
    yield* runOn(cpu, mm!);
    yield* touch(memory(8), "read");
    yield* lab.done(2);
    yield* lab.after(4);
    const before = cpu.kernel.machine.counters(cpu.id).walks;
    yield* touch(memory(8), "read");
    walks = cpu.kernel.machine.counters(cpu.id).walks - before;
  };
  const lazy: Script = function* (cpu, lab) {
    yield* lab.after(2);
    yield* runOn(cpu, mm!);
    yield* goLazy(cpu);
    yield* lab.done(3);
    yield* lab.after(4);
  };
  const outcome = play({ protocol, pcid: false, cores: 4 }, flusher, reader, lazy);
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  return { ...outcome, walks };
}

test("a flush interrupts the CPUs of the mask, the lazy one too, and no other", () => {
  const targets = (protocol: ShootdownProtocol): number[] =>
    eventsOf(flushOnePage(protocol), "ipiSent").map(({ target }) => target);
  expect(targets(alwaysFull)).toEqual([1, 2]);
  expect(targets(linux513)).toEqual([1]);
});

test("a flush of one page costs the others all of their translations", () => {
  expect(flushOnePage(alwaysFull).walks).toBe(8);
  expect(flushOnePage(linux513).walks).toBe(1);
});

test("every answer is a full flush, the initiator's too", () => {
  const how = eventsOf(flushOnePage(alwaysFull), "flushed").map((event) => event.how);
  expect(how).toEqual(["full", "full", "full"]);
});
