// I1 from both sides: kernels that lose a flush, and staleness that manual and Linux allow.

import { describe, expect, test } from "vitest";
import type { PageRange } from "../../src/base/address.ts";
import { waitForChildren } from "../../src/kernel/process/exit.ts";
import { type KernelCode, work } from "../../src/kernel/operation/operation.ts";
import { cloneThread } from "../../src/kernel/process/fork.ts";
import { linux513 } from "../../src/kernel/shootdown/linux-5.13.ts";
import type { ShootdownProtocol } from "../../src/kernel/state/shootdown-protocol.ts";
import { syscall } from "../../src/kernel/cpu/syscall.ts";
import type { Task } from "../../src/kernel/state/task.ts";
import { Barrier } from "../../src/workloads/barrier.ts";
import { mapPages, protectPages, touchPages } from "../../src/workloads/memory.ts";
import { eventsOf, type Outcome, play } from "../kernel/scene.ts";
import {
  discardUnderReader,
  manyProcesses,
  protectUnderLazy,
  protectUnderOther,
  protectUnderReader,
  type SceneProgram,
} from "./scenes.ts";
import {
  flushesNothing,
  freesBeforeFlush,
  keepsEverySlot,
  skipsRemoteFlush,
} from "./wrong-kernels.ts";

const invariantsOf = ({ violations }: Outcome): readonly string[] => [
  ...new Set(violations.map(({ invariant }) => invariant)),
];

describe.each([true, false])("with pcid %s, I1 is reported of a kernel that", (pcid) => {
  type Wrong = readonly [string, ShootdownProtocol, SceneProgram, readonly string[]];
  const wrong: readonly Wrong[] = [
    ["skips the remote flush of mprotect", skipsRemoteFlush, protectUnderReader, ["I1"]],
    ["skips the remote flush of madvise", skipsRemoteFlush, discardUnderReader, ["I1"]],
    // No generation is raised either: the slot claims to be as fresh as any.
    ["protects pages and flushes nothing", flushesNothing, protectUnderReader, ["I3", "I1"]],
    ["frees pages and flushes them after that", freesBeforeFlush, discardUnderReader, ["I1"]],
    ["lets a lazy CPU go on as it was", flushesNothing, protectUnderLazy, ["I3", "I1"]],
  ];
  test.each(wrong)("%s", (_what, protocol, scene, found) => {
    const outcome = play({ pcid, protocol }, scene);
    expect(invariantsOf(outcome)).toEqual(found);
    const first = outcome.violations.find(({ invariant }) => invariant === "I1");
    expect(first).toMatchObject({ mm: "test", cpus: [1, 0] });
    expect(first!.message).toMatch(
      /^CPU 1 uses a translation of page 0x\w+ \(test\).*, by CPU 0, at cycle \d+$/,
    );
    expect(first!.operations[0]!.last.at(-1)!.cycle).toBeLessThanOrEqual(first!.cycle);
  });
});

test("a slot of an old generation, loaded with bit 63, is reported then and at its use", () => {
  const outcome = play({ protocol: keepsEverySlot }, protectUnderOther);
  expect(invariantsOf(outcome)).toEqual(["I3", "I1"]);
  expect(outcome.violations[0]!.message).toMatch(/^CPU 1 has recorded generation \d+ of test/);
  expect(outcome.violations[1]!.message).toContain("older than the flush");
});

test("an ASID slot given to another mm without a flush is reported when it is loaded", () => {
  const { violations } = play({ protocol: keepsEverySlot }, manyProcesses);
  const [first] = violations;
  expect(first).toMatchObject({ invariant: "I1", cpus: [1] });
  expect(first!.message).toMatch(/^CPU 1 loads root 0x\w+ without a flush into PCID \d+/);
});

test("without PCID, a CR3 write that keeps entries is reported of the first switch", () => {
  const { violations } = play({ protocol: keepsEverySlot, pcid: false }, manyProcesses);
  expect(violations[0]!.message).toContain("PCID 0, which holds translations of root");
});

describe.each([true, false])("with pcid %s, it is legal that", (pcid) => {
  test("a reader runs through a flush of what it reads", () => {
    for (const scene of [protectUnderReader, discardUnderReader]) {
      const outcome = play({ pcid }, scene);
      expect(outcome.violations).toEqual([]);
      expect(eventsOf(outcome, "ipiSent").length).toBeGreaterThan(0);
    }
  });

  test("a lazy CPU keeps stale entries and flushes when it comes back", () => {
    const outcome = play({ pcid }, protectUnderLazy);
    expect(outcome.violations).toEqual([]);
    const flush = eventsOf(outcome, "flushReturn").find(({ mm }) => mm.name === "test")!;
    expect(flush.remote).toBe(true);
    const answers = eventsOf(outcome, "flushed").filter(({ at }) => at.cycle <= flush.at.cycle);
    expect(answers.filter(({ at }) => at.cpu === 1)).toEqual([]);
    const back = eventsOf(outcome, "cr3Written").find(
      ({ at }) => at.cpu === 1 && at.cycle > flush.at.cycle,
    )!;
    expect(back).toMatchObject({ root: flush.mm.root, keep: false });
  });

  test("an ASID slot that is not loaded stays as it is", () => {
    expect(play({ pcid }, protectUnderOther).violations).toEqual([]);
  });

  test("slots are given to other address spaces after a flush", () => {
    expect(play({ pcid }, manyProcesses).violations).toEqual([]);
  });

  test("an entry is refilled between the write of its page-table entry and the flush", () => {
    const { protocol, scene, readDuringDelay } = refillScene();
    const outcome = play({ pcid, protocol }, scene);
    expect(readDuringDelay()).toBe(true);
    expect(outcome.violations).toEqual([]);
  });
});

/** CPU 1 reads, for the first time, what CPU 0 has protected and not yet flushed. */
function refillScene() {
  let isDelayed = false;
  let readDuringDelay = false;
  const protocol: ShootdownProtocol = {
    ...linux513,
    *flushRange(cpu, request) {
      isDelayed = cpu.current.name === "test" && !request.freedTables;
      if (isDelayed) yield* work({ name: "delay", cycles: 50_000 });
      isDelayed = false;
      return yield* linux513.flushRange(cpu, request);
    },
  };
  const scene: SceneProgram = (kernel) =>
    function* (main) {
      const range: PageRange = yield* mapPages(main, { pageCount: 4 });
      yield* touchPages(range, "write");
      const ready = new Barrier(kernel, 1);
      const reader = function* (task: Task): KernelCode {
        const own = yield* mapPages(task, { pageCount: 1 });
        yield* ready.arrive(task);
        while (!isDelayed) yield* touchPages(own, "read");
        yield* touchPages(range, "read");
        readDuringDelay = isDelayed;
        while (isDelayed) yield* touchPages(own, "read");
        yield* touchPages(range, "read");
      };
      const cpu = kernel.cpus[1]!;
      yield* syscall(main, cloneThread(main, { name: "reader", program: reader, cpu }));
      yield* ready.wait(main);
      yield* protectPages(main, range, false);
      yield* syscall(main, waitForChildren(main));
    };
  return { protocol, scene, readDuringDelay: () => readDuringDelay };
}
