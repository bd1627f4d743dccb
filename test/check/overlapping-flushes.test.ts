// Who answers for a stale translation when two CPUs take pages of one range away at a time.

import { describe, expect, test } from "vitest";
import { madviseDontNeed } from "../../src/kernel/memory/madvise.ts";
import type { Mm } from "../../src/kernel/state/mm.ts";
import { exchangeEntry, type KernelCode, work } from "../../src/kernel/operation/operation.ts";
import { linux513 } from "../../src/kernel/shootdown/linux-5.13.ts";
import type { ShootdownProtocol } from "../../src/kernel/state/shootdown-protocol.ts";
import { flush, memory, play, runOn, type Script, touch } from "../kernel/lab.ts";
import { eventsOf, type Outcome } from "../kernel/scene.ts";

const pause = (cycles: number): KernelCode => work({ name: "the test waits", cycles });

/** The first flush returns late, so that the second CPU's change comes before it has. */
const slow: ShootdownProtocol = {
  ...linux513,
  *flushRange(cpu, request) {
    const remote = yield* linux513.flushRange(cpu, request);
    if (cpu.id === 0) yield* pause(60_000);
    return remote;
  },
};

/**
 * CPU 0 discards four pages. While its flush has been answered and has not returned, CPU 2 faults
 * one of them in again, CPU 1 takes that one away, and CPU 2 uses it after CPU 0's flush has
 * returned. CPU 1 flushes only after that.
 */
function discardTwice(): Outcome {
  let mm: Mm | undefined;
  const first: Script = function* (cpu, lab) {
    mm = lab.mm("shared");
    yield* runOn(cpu, mm);
    yield* touch(memory(4), "write");
    yield* lab.done(1);
    yield* lab.after(3);
    yield* madviseDontNeed(cpu, mm, memory(4));
    yield* lab.done(6);
    yield* lab.after(8);
  };
  const second: Script = function* (cpu, lab) {
    yield* lab.after(1);
    yield* runOn(cpu, mm!);
    yield* lab.done(2);
    yield* lab.after(5);
    yield* exchangeEntry(mm!, memory(1, 1).start, 0n);
    yield* lab.after(7);
    yield* flush(cpu, mm!, memory(1, 1));
    yield* lab.done(8);
  };
  const user: Script = function* (cpu, lab) {
    yield* lab.after(2);
    yield* runOn(cpu, mm!);
    yield* touch(memory(4), "read");
    yield* lab.done(3);
    while (lab.count("flushed") < 2) yield* pause(100);
    yield* touch(memory(1, 1), "write");
    yield* lab.done(5);
    yield* lab.after(6);
    yield* touch(memory(1, 1), "read");
    yield* lab.done(7);
    yield* lab.after(8);
  };
  return play({ protocol: slow, cores: 3 }, first, second, user);
}

describe("a page that is taken away while another CPU's flush of it is under way", () => {
  test("may be used until its own flush, though the other returns", () => {
    const outcome = discardTwice();
    const [discard, own] = eventsOf(outcome, "flushReturn").filter(({ mm }) => mm.name !== "init");
    const taken = eventsOf(outcome, "entryWithdrawn").findLast(({ at }) => at.cpu === 1)!;
    expect([discard!.at.cpu, own!.at.cpu]).toEqual([0, 1]);
    expect(taken.at.cycle).toBeLessThan(discard!.at.cycle);
    expect(outcome.violations).toEqual([]);
  });
});
