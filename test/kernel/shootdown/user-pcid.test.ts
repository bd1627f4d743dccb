// The user PCID of page-table isolation in a flush of user pages: INVPCID at once where the CPU has
// it, else, and whenever a whole address space goes, a flush that waits for the way to user mode.

import { describe, expect, test } from "vitest";
import type { KernelOptions } from "../../../src/kernel/state/kernel-options.ts";
import type { KernelCode } from "../../../src/kernel/operation/operation.ts";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { flush, inUserMode, type Lab, memory, play, runOn, type Script, touch } from "../lab.ts";
import { eventsOf, type Outcome, play as playScene } from "../scene.ts";
import { discardUnderReader, manyProcesses, protectUnderReader } from "../../check/scenes.ts";

type Between = (cpu: Cpu, mm: Mm, lab: Lab) => KernelCode;

/** What CPU 0 does to CR3 for user mode, before and after `between`; 40 pages are touched there. */
function around(kernel: Partial<KernelOptions>, between: Between) {
  let walks = 0;
  let invpcids = 0;
  const script: Script = function* (cpu, lab) {
    const mm = lab.mm("mm");
    yield* runOn(cpu, mm);
    yield* inUserMode(cpu, touch(memory(40), "write"));
    yield* inUserMode(cpu, touch(memory(40), "write"));
    lab.kernel.machine.resetCounters();
    yield* between(cpu, mm, lab);
    yield* inUserMode(cpu, touch(memory(40), "read"));
    ({ walks, invpcids } = lab.kernel.machine.counters(0));
  };
  const outcome = play({ kernel: { pti: true, ...kernel } }, script);
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  const ways = userWrites(outcome).slice(-1);
  return { way: ways[0], walks, invpcids };
}

const userWrites = (outcome: Outcome): string[] =>
  eventsOf(outcome, "cr3Written")
    .filter(({ pcid }) => pcid >= 2048)
    .map(({ pcid, keep }) => `${pcid} ${keep ? "keep" : "flush"}`);

const flushing =
  (pages: number): Between =>
  (cpu, mm) =>
    flush(cpu, mm, memory(pages));

describe("the user PCID", () => {
  test("is kept over the kernel while nothing is flushed", () => {
    const nothing = around({ invpcid: true }, function* () {});
    expect(nothing).toEqual({ way: "2050 keep", walks: 0, invpcids: 0 });
  });

  test("loses the pages of a ranged flush by an INVPCID each", () => {
    const ranged = around({ invpcid: true }, flushing(4));
    expect(ranged).toEqual({ way: "2050 keep", walks: 4, invpcids: 4 });
  });

  test("is flushed on the way to user mode where there is no INVPCID", () => {
    const ranged = around({ invpcid: false }, flushing(4));
    expect(ranged).toEqual({ way: "2050 flush", walks: 40, invpcids: 0 });
  });

  test("is flushed on the way to user mode after a flush of everything", () => {
    for (const invpcid of [true, false]) {
      const whole = around({ invpcid }, flushing(34));
      expect(whole).toEqual({ way: "2050 flush", walks: 40, invpcids: 0 });
    }
  });

  test("is flushed once for several flushes, and then kept", () => {
    let second = "";
    const { way } = around({}, function* (cpu, mm) {
      yield* flush(cpu, mm, memory(1));
      yield* flush(cpu, mm, memory(1));
      yield* inUserMode(cpu, touch(memory(1), "read"));
      second = String(cpu.tlb.userPcidFlushMask);
    });
    expect([way, second]).toEqual(["2050 keep", "0"]);
  });

  test("stays to be flushed while another address space is loaded in between", () => {
    const { way } = around({}, function* (cpu, mm, lab) {
      yield* flush(cpu, mm, memory(1));
      const other = lab.mm("other");
      yield* runOn(cpu, other);
      yield* inUserMode(cpu, touch(memory(1), "read"));
      yield* runOn(cpu, mm);
    });
    expect(way).toBe("2050 flush");
  });

  test("of a slot that another address space gets is flushed with it", () => {
    const script: Script = function* (cpu, lab) {
      for (let index = 0; index < 7; index++) {
        yield* runOn(cpu, lab.mm(`mm${index}`));
        yield* inUserMode(cpu, touch(memory(1), "write"));
        yield* inUserMode(cpu, touch(memory(1), "read"));
      }
    };
    const outcome = play({ kernel: { pti: true } }, script);
    expect(outcome.violations).toEqual([]);
    // The way out, back from the fault, and out again.
    expect(userWrites(outcome).slice(-3)).toEqual(["2050 flush", "2050 keep", "2050 keep"]);
  });

  test("costs nothing where PCID is off: every way flushes anyway", () => {
    const script: Script = function* (cpu, lab) {
      const mm = lab.mm("mm");
      yield* runOn(cpu, mm);
      yield* inUserMode(cpu, touch(memory(1), "write"));
      yield* flush(cpu, mm, memory(1));
      expect(cpu.tlb.userPcidFlushMask).toBe(0);
      yield* inUserMode(cpu, touch(memory(1), "read"));
    };
    const outcome = play({ pcid: false, kernel: { pti: true, invpcid: true } }, script);
    expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  });
});

describe("a kernel that forgets to flush the user PCID", () => {
  const mutation = "user-pcid-flush-forgotten" as const;
  const invariants = ({ violations }: Outcome): string[] => [
    ...new Set(violations.map(({ invariant }) => invariant)),
  ];

  test.each([protectUnderReader, discardUnderReader])("lets a reader go on (%#)", (scene) => {
    const kernel = { pti: true, invpcid: false };
    expect(playScene({ kernel }, scene).violations).toEqual([]);
    const outcome = playScene({ kernel: { ...kernel, mutation } }, scene);
    expect(invariants(outcome)).toEqual(["I3", "I1"]);
    expect(outcome.violations[0]!.message).toMatch(/^CPU \d has recorded .* PCID 20\d\d, which/);
  });

  test("gives one process the translations of another", () => {
    const kernel = { pti: true, invpcid: true };
    expect(playScene({ kernel }, manyProcesses).violations).toEqual([]);
    const { violations } = playScene({ kernel: { ...kernel, mutation } }, manyProcesses);
    const messages = violations.map(({ message }) => message);
    expect(messages).toContainEqual(expect.stringContaining("without a flush into PCID 20"));
  });

  test("is right where there is no user PCID", () => {
    for (const scene of [protectUnderReader, manyProcesses]) {
      expect(playScene({ kernel: { mutation } }, scene).violations).toEqual([]);
      const withoutPcid = { pcid: false, kernel: { pti: true, mutation } };
      expect(playScene(withoutPcid, scene).violations).toEqual([]);
    }
  });
});
