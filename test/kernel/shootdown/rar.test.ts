// rar: microcode answers, whatever the kernel of the target is doing.

import { describe, expect, test } from "vitest";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import {
  disableInterrupts,
  enableInterrupts,
  type KernelCode,
  work,
} from "../../../src/kernel/operation/operation.ts";
import { linux513 } from "../../../src/kernel/shootdown/linux-5.13.ts";
import type { ShootdownProtocol } from "../../../src/kernel/state/shootdown-protocol.ts";
import { rar } from "../../../src/kernel/shootdown/rar.ts";
import type { Configuration } from "../../../src/experiment/configuration.ts";
import { conflictIn } from "../../../src/experiment/constraints.ts";
import { completeConfiguration } from "../../../src/experiment/axes.ts";
import { measure, meanOf } from "../../workloads/runs.ts";
import { eventsOf, type Outcome } from "../scene.ts";
import { flush, goLazy, memory, play, runOn, type Script, touch } from "../lab.ts";

const LONG = 100_000;

/** CPU 0 flushes pages that CPU 1 has used, which then does `meanwhile`; CPU 2 is lazy. */
function flushDuring(
  protocol: ShootdownProtocol,
  meanwhile: () => KernelCode,
  pages = 1,
): Outcome & { cycles: number } {
  let mm: Mm | undefined;
  const flusher: Script = function* (cpu, lab) {
    mm = lab.mm("mm", 128);
    yield* runOn(cpu, mm);
    yield* touch(memory(pages), "write");
    yield* lab.done(1);
    yield* lab.after(3);
    yield* flush(cpu, mm, memory(pages));
    yield* lab.done(4);
  };
  const user: Script = function* (cpu, lab) {
    yield* lab.after(2);
    yield* runOn(cpu, mm!);
    yield* touch(memory(pages), "read");
    yield* lab.done(3);
    yield* meanwhile();
    yield* lab.after(4);
    yield* touch(memory(pages), "read");
  };
  const lazy: Script = function* (cpu, lab) {
    yield* lab.after(1);
    yield* runOn(cpu, mm!);
    yield* goLazy(cpu);
    yield* lab.done(2);
    yield* lab.after(4);
  };
  const outcome = play({ protocol }, flusher, user, lazy);
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  const [begin] = eventsOf(outcome, "flushBegin");
  const [end] = eventsOf(outcome, "flushReturn");
  return { ...outcome, cycles: end!.at.cycle - begin!.at.cycle };
}

function* withInterruptsOff(): KernelCode {
  yield* disableInterrupts();
  yield* work({ name: "long", cycles: LONG });
  yield* enableInterrupts();
}
function* nothing(): KernelCode {
  yield* work({ name: "none", cycles: 1 });
}

describe("a Remote Action Request", () => {
  test("is answered while interrupts are off, for which Linux has to wait", () => {
    expect(flushDuring(rar, withInterruptsOff).cycles).toBeLessThan(10_000);
    expect(flushDuring(linux513, withInterruptsOff).cycles).toBeGreaterThan(LONG / 2);
  });

  test("interrupts no kernel, and takes cycles of every CPU that has had the mm", () => {
    const outcome = flushDuring(rar, nothing);
    expect(eventsOf(outcome, "interruptTaken")).toEqual([]);
    const answered = eventsOf(outcome, "remoteActionDone");
    expect(answered.map(({ at }) => at.cpu).sort()).toEqual([0, 1, 2]);
    for (const { cycles } of answered) expect(cycles).toBeGreaterThan(0);
  });

  test("is waited for by the one who sent it", () => {
    const outcome = flushDuring(rar, nothing);
    const last = Math.max(...eventsOf(outcome, "remoteActionDone").map(({ at }) => at.cycle));
    // From the last store of success, which is a line's transfer away.
    expect(eventsOf(outcome, "flushReturn")[0]!.at.cycle).toBeGreaterThan(last - 500);
    const arrived = eventsOf(outcome, "invalidatedRemotely").every(
      ({ at }) => at.cycle <= eventsOf(outcome, "flushReturn")[0]!.at.cycle,
    );
    expect(arrived).toBe(true);
  });

  test("names up to 62 pages, and of more the whole PCID", () => {
    const extents = (pages: number): Set<string> =>
      new Set(
        eventsOf(flushDuring(rar, nothing, pages), "invalidatedRemotely").map(
          ({ what }) => what.extent,
        ),
      );
    expect([extents(62), extents(63)]).toEqual([new Set(["pages"]), new Set(["pcid"])]);
  });
});

test("a run counts the time of microcode as stolen, and less of it than of handlers", async () => {
  const chosen = { cores: 8, rounds: 4, pages: 1, lazyTlb: "refcounted" } as const;
  const own = await measure("munmap", { ...chosen, protocol: "rar" });
  const linux = await measure("munmap", { ...chosen, protocol: "linux-5.13" });
  expect(own.ipis).toBe(0);
  expect(own.stolenCycles).toBeGreaterThan(0);
  expect(meanOf(own.responderCycles)).toBeLessThan(meanOf(linux.responderCycles));
});

test("is refused on a CPU that is not Intel's, and needs no PCID", () => {
  const reasonFor = (chosen: Partial<Configuration>) =>
    conflictIn(completeConfiguration({ protocol: "rar", ...chosen }))?.reason;
  expect(reasonFor({ cpu: "milan" })).toBe("rar is Intel's, milan is not");
  expect(reasonFor({ pcid: false })).toBeUndefined();
});
