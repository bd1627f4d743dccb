// freebsd: who is asked, when it is acknowledged, and what becomes of PCIDs that are not loaded.

import { describe, expect, test } from "vitest";
import type { KernelOptions } from "../../../src/kernel/state/kernel-options.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { mprotect } from "../../../src/kernel/memory/mprotect.ts";
import { freebsd } from "../../../src/kernel/shootdown/freebsd.ts";
import { PmapState } from "../../../src/kernel/shootdown/freebsd-state.ts";
import { linux513 } from "../../../src/kernel/shootdown/linux-5.13.ts";
import type { ShootdownProtocol } from "../../../src/kernel/state/shootdown-protocol.ts";
import { INVALIDATE_VECTOR } from "../../../src/kernel/operation/vectors.ts";
import { eventsOf, type Outcome } from "../scene.ts";
import { flush, inUserMode, memory, play, runOn, type Script, touch } from "../lab.ts";

const READ_ONLY = { writable: false, executable: false };

/** CPU 0 protects pages that CPU 1 uses; CPU 2 has used them and is at another mm since. */
function protect(
  protocol: ShootdownProtocol,
  { pages = 8, kernel = {} }: { pages?: number; kernel?: Partial<KernelOptions> } = {},
): Outcome {
  let mm: Mm | undefined;
  const use = (cpu: Parameters<Script>[0], kind: "read" | "write") =>
    kernel.pti === true ? inUserMode(cpu, touch(memory(pages), kind)) : touch(memory(pages), kind);
  const protector: Script = function* (cpu, lab) {
    mm = lab.mm("mm", 1024);
    yield* runOn(cpu, mm);
    yield* use(cpu, "write");
    yield* lab.done(1);
    yield* lab.after(3);
    yield* mprotect(cpu, mm, memory(pages), READ_ONLY);
    yield* lab.done(4);
    yield* use(cpu, "read");
  };
  const user: Script = function* (cpu, lab) {
    yield* lab.after(cpu.id);
    yield* runOn(cpu, mm!);
    yield* use(cpu, "read");
    if (cpu.id === 2) yield* runOn(cpu, lab.mm("other"));
    yield* lab.done(cpu.id + 1);
    yield* lab.after(4);
    yield* runOn(cpu, mm!);
    yield* use(cpu, "read");
  };
  const outcome = play({ protocol, kernel }, protector, user, user);
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  return outcome;
}

const returnOf = (outcome: Outcome): number => eventsOf(outcome, "flushReturn")[0]!.at.cycle;
const lastAnswer = (outcome: Outcome): number =>
  eventsOf(outcome, "flushed").findLast(({ local }) => !local)!.at.cycle;

describe("a shootdown", () => {
  test("interrupts whoever has the pmap loaded, by a vector of its own", () => {
    const sent = eventsOf(protect(freebsd), "ipiSent");
    expect(sent.map(({ target, vector }) => [target, vector])).toEqual([[1, INVALIDATE_VECTOR]]);
  });

  test("returns before the target has invalidated, where Linux waits for it", () => {
    const early = protect(freebsd, { pages: 33 });
    expect(returnOf(early)).toBeLessThan(lastAnswer(early));
    const late = protect(linux513, { pages: 33 });
    expect(returnOf(late)).toBeGreaterThan(lastAnswer(late));
  });

  test("goes page by page far beyond Linux's ceiling", () => {
    const how = (protocol: ShootdownProtocol): Set<string> =>
      new Set(eventsOf(protect(protocol, { pages: 200 }), "flushed").map((event) => event.how));
    expect([how(freebsd), how(linux513)]).toEqual([new Set(["ranged"]), new Set(["full"])]);
  });

  test.each([{ pti: true, invpcid: true }, { pti: true }, { invpcid: true }] as const)(
    "leaves nothing stale with %o",
    (kernel) => {
      for (const pages of [8, 200]) protect(freebsd, { pages, kernel });
    },
  );
});

test("a CPU that has left the pmap gets a new PCID for it after a flush", () => {
  let mm: Mm | undefined;
  const pcids: number[] = [];
  const flusher: Script = function* (cpu, lab) {
    mm = lab.mm("mm");
    yield* runOn(cpu, mm);
    yield* lab.done(1);
    yield* lab.after(2);
    yield* flush(cpu, mm, memory(1));
    yield* lab.done(3);
  };
  const leaver: Script = function* (cpu, lab) {
    const { machine } = cpu.kernel;
    yield* lab.after(1);
    for (let time = 0; time < 2; time++) {
      yield* runOn(cpu, mm!);
      pcids.push(machine.pcid(cpu.id));
      yield* runOn(cpu, cpu.kernel.initMm);
    }
    yield* lab.done(2);
    yield* lab.after(3);
    yield* runOn(cpu, mm!);
    pcids.push(machine.pcid(cpu.id));
  };
  expect(play({ protocol: freebsd }, flusher, leaver).violations).toEqual([]);
  const [first, again, after] = pcids;
  expect(again).toBe(first);
  expect(after).not.toBe(first);
});

test("when all PCIDs are given out those of before count no more", () => {
  const switcher: Script = function* (cpu, lab) {
    const mms = [lab.mm("one"), lab.mm("two"), lab.mm("three")];
    cpu.kernel.part(PmapState).allocators[cpu.id]!.next.value = 4093;
    for (const mm of [...mms, ...mms]) {
      yield* runOn(cpu, mm);
      yield* touch(memory(4), "write");
    }
  };
  const outcome = play({ protocol: freebsd }, switcher);
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  expect(eventsOf(outcome, "cr3Written").every(({ pcid }) => pcid < 4096)).toBe(true);
});
