// The techniques of EuroSys'20 on top of linux-5.13, each alone: what it saves, and what it must
// not be done with. In every order: test/explore/scenarios/schemes.test.ts.

import { describe, expect, test } from "vitest";
import { type ProtocolName, protocols } from "../../../src/kernel/shootdown/protocols.ts";
import type { PageRange } from "../../../src/base/address.ts";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import { type KernelCode, runUser } from "../../../src/kernel/operation/operation.ts";
import { userStream } from "../../../src/machine/stream.ts";
import { copyMm } from "../../../src/kernel/process/fork.ts";
import { flush, inUserMode, memory, play, runOn, type Script, touch } from "../lab.ts";
import { eventsOf, type Outcome } from "../scene.ts";

interface Flushed {
  readonly protocol: ProtocolName;
  readonly others: number;
  readonly pages?: number;
  readonly freedTables?: boolean;
}

/** CPU 0 flushes pages that `others` CPUs use too, all the time, and uses them again. */
function flushAmong({ protocol, others, pages = 8, freedTables = false }: Flushed) {
  let mm: ReturnType<Parameters<Script>[1]["mm"]> | undefined;
  let initiatorCycles = 0;
  const range = memory(pages);
  const initiator: Script = function* (cpu, lab) {
    mm = lab.mm("mm");
    yield* runOn(cpu, mm);
    yield* touch(range, "write");
    yield* lab.done(1);
    yield* lab.after(others + 1);
    for (let round = 0; round < 3; round++) {
      const begin = lab.kernel.machine.now(0);
      yield* flush(cpu, mm, range, freedTables);
      initiatorCycles = lab.kernel.machine.now(0) - begin;
    }
    yield* touch(range, "read");
    yield* lab.done(99);
  };
  const other: Script = function* (cpu, lab) {
    yield* lab.after(cpu.id);
    yield* runOn(cpu, mm!);
    yield* touch(range, "read");
    yield* lab.done(cpu.id + 1);
    yield* lab.after(99);
    yield* touch(range, "read");
  };
  const scripts = [initiator, ...Array.from({ length: others }, () => other)];
  const outcome = play({ protocol: protocols[protocol] }, ...scripts);
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  return { outcome, initiatorCycles, responderCycles: responderCycles(outcome) };
}

const responderCycles = (outcome: Outcome): number => {
  const all = eventsOf(outcome, "interruptReturned").map(({ cycles }) => cycles);
  return all.reduce((sum, cycles) => sum + cycles, 0) / all.length;
};

/** Whether the initiator was released before the CPU that it called had flushed. */
function releasedEarly(protocol: ProtocolName, freedTables: boolean): boolean {
  const { outcome } = flushAmong({ protocol, others: 1, freedTables });
  const last = (kind: "flushReturn" | "flushed", local: boolean): number =>
    outcome.events.findLastIndex(
      (event) => event.kind === kind && (event.kind === "flushReturn" || event.local === local),
    );
  return last("flushReturn", true) < last("flushed", false);
}

describe("early acknowledgement", () => {
  test("releases the initiator before the others have flushed", () => {
    expect(releasedEarly("linux-5.13", false)).toBe(false);
    expect(releasedEarly("early-ack", false)).toBe(true);
  });

  test("is not made where tables are freed", () => {
    expect(releasedEarly("early-ack", true)).toBe(false);
  });

  test("takes the others' INVLPGs out of the initiator's wait, and nothing off the others", () => {
    const before = flushAmong({ protocol: "linux-5.13", others: 1, pages: 30 });
    const after = flushAmong({ protocol: "early-ack", others: 1, pages: 30 });
    expect(after.initiatorCycles).toBeLessThan(before.initiatorCycles);
    const saved = before.responderCycles - after.responderCycles;
    expect(Math.abs(saved)).toBeLessThan(before.responderCycles / 20);
  });
});

describe("fewer shared lines", () => {
  test("take the load of flush_tlb_info off each CPU that is called", () => {
    const before = flushAmong({ protocol: "linux-5.13", others: 3 });
    const after = flushAmong({ protocol: "fewer-lines", others: 3 });
    expect(after.responderCycles).toBeLessThan(before.responderCycles);
  });

  test("cost the initiator the line of is_lazy again and again, which nobody wrote before", () => {
    const before = flushAmong({ protocol: "linux-5.13", others: 7 });
    const after = flushAmong({ protocol: "fewer-lines", others: 7 });
    expect(after.initiatorCycles).toBeGreaterThan(before.initiatorCycles);
  });
});

/** Cycles of each of CPU 0's ways back to user mode, flushes before them included. */
function flushUnderIsolation(protocol: ProtocolName, script: (flush: Flusher) => KernelCode) {
  let cycles = 0;
  let invpcids = 0;
  let walks = 0;
  const outcome = play(
    { protocol: protocols[protocol], kernel: { pti: true, invpcid: true } },
    function* (cpu, lab) {
      const { machine } = lab.kernel;
      const mm = lab.mm("mm", 128);
      yield* runOn(cpu, mm);
      yield* inUserMode(cpu, touch(memory(40), "write"));
      machine.resetCounters();
      const begin = machine.now(0);
      const flusher: Flusher = {
        flush: (range, freedTables) => flush(cpu, mm, range, freedTables),
        goElsewhere: () => runOn(cpu, lab.mm("other")),
        comeBack: () => runOn(cpu, mm),
        touch: () => inUserMode(cpu, touch(memory(40), "read")),
      };
      yield* script(flusher);
      cycles = machine.now(0) - begin;
      ({ invpcids, walks } = machine.counters(0));
      yield* inUserMode(cpu, touch(memory(40), "read"));
    },
  );
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  return { cycles, invpcids, walks };
}

interface Flusher {
  flush(range: PageRange, freedTables?: boolean): KernelCode;
  goElsewhere(): KernelCode;
  comeBack(): KernelCode;
  touch(): KernelCode;
}

describe("a flush in context", () => {
  const eightPages = function* ({ flush: flushThem, touch: use }: Flusher): KernelCode {
    yield* flushThem(memory(8));
    yield* use();
  };

  test("takes pages from the user PCID by INVLPG, with no INVPCID, in less time", () => {
    const before = flushUnderIsolation("linux-5.13", eightPages);
    const after = flushUnderIsolation("in-context-flush", eightPages);
    expect([before.invpcids, before.walks, after.invpcids, after.walks]).toEqual([8, 8, 0, 8]);
    expect(after.cycles).toBeLessThan(before.cycles);
  });

  test("is made from the kernel, by INVPCID, where tables are freed", () => {
    const { invpcids } = flushUnderIsolation("in-context-flush", function* (flusher) {
      yield* flusher.flush(memory(8), true);
      yield* flusher.touch();
    });
    expect(invpcids).toBe(8);
  });

  test("of pages too far apart becomes a flush of the user PCID", () => {
    const { walks } = flushUnderIsolation("in-context-flush", function* (flusher) {
      yield* flusher.flush(memory(1));
      yield* flusher.flush(memory(1, 39));
      yield* flusher.touch();
    });
    expect(walks).toBe(40);
  });

  test("that waits while the CPU goes elsewhere is made of the whole user PCID", () => {
    const { walks } = flushUnderIsolation("in-context-flush", function* (flusher) {
      yield* flusher.flush(memory(8));
      yield* flusher.goElsewhere();
      yield* flusher.comeBack();
      yield* flusher.touch();
    });
    expect(walks).toBe(40);
  });
});

/**
 * The first line of each of 20 pages, which is the one that the handler writes to: on hardware the
 * copy has brought in all of them.
 */
const firstLines = (kind: "read" | "write"): KernelCode =>
  runUser(userStream({ base: memory(1).start, elements: 20, accesses: 20, kind, stagger: false }));

/** What it takes CPU 0 to write to 20 pages that it shares with a child. */
function copyPages(protocol: ProtocolName, { executable = false, pti = false } = {}) {
  let cycles = 0;
  let walks = 0;
  let frames: readonly bigint[] = [];
  const kernel = { pti, invpcid: true };
  const outcome = play({ protocol: protocols[protocol], kernel }, function* (cpu, lab) {
    const { machine } = lab.kernel;
    const mm = lab.kernel.createMm("mm", 0);
    mm.areas.add({ ...memory(20), writable: true, executable });
    yield* runOn(cpu, mm);
    yield* inUserModeIf(pti, cpu, firstLines("write"));
    const child = yield* copyMm(cpu, mm, "child");
    yield* inUserModeIf(pti, cpu, firstLines("read"));
    machine.resetCounters();
    const begin = machine.now(0);
    yield* inUserModeIf(pti, cpu, firstLines("write"));
    cycles = machine.now(0) - begin;
    ({ walks } = machine.counters(0));
    yield* inUserModeIf(pti, cpu, firstLines("read"));
    frames = [mm, child].map((each) => each.tables.entryAt(memory(1).start) >> 12n);
  });
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  expect(frames[0]).not.toBe(frames[1]);
  return { cycles, walks, flushed: eventsOf(outcome, "flushed").length };
}

const inUserModeIf = (pti: boolean, cpu: Cpu, body: KernelCode): KernelCode =>
  pti ? inUserMode(cpu, body) : body;

describe("a copied page", () => {
  test("is reached by the handler's write in place of an INVLPG, in less time", () => {
    const before = copyPages("linux-5.13");
    const after = copyPages("copy-without-flush");
    expect(after.cycles).toBeLessThan(before.cycles);
    expect(after.flushed).toBe(before.flushed);
  });

  test("that may be executed is flushed as ever", () => {
    const before = copyPages("linux-5.13", { executable: true });
    expect(copyPages("copy-without-flush", { executable: true })).toEqual(before);
  });

  test("leaves the user PCID, too, which the handler's write does not reach", () => {
    expect(copyPages("copy-without-flush", { pti: true }).walks).toBeGreaterThan(20);
  });
});
