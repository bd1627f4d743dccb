// reclaim: pages of several address spaces, one flush for all, and who else must know of it.

import { describe, expect, test } from "vitest";
import { pageRange } from "../../../src/base/address.ts";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import { madviseDontNeed } from "../../../src/kernel/memory/madvise.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { munmap } from "../../../src/kernel/memory/mmap.ts";
import { mprotect } from "../../../src/kernel/memory/mprotect.ts";
import type { MutationName } from "../../../src/kernel/operation/mutation.ts";
import { type KernelCode, note } from "../../../src/kernel/operation/operation.ts";
import { type MappedPage, reclaim, tryToUnmap } from "../../../src/kernel/memory/reclaim.ts";
import { protocols } from "../../../src/kernel/shootdown/protocols.ts";
import { linux513 } from "../../../src/kernel/shootdown/linux-5.13.ts";
import type { ShootdownProtocol } from "../../../src/kernel/state/shootdown-protocol.ts";
import { tryToUnmapFlush, UnmapBatch } from "../../../src/kernel/memory/unmap-batch.ts";
import { goLazy, type Lab, memory, play, runOn, type Script, touch } from "../lab.ts";
import { eventsOf, type Outcome } from "../scene.ts";

const mapped = (mm: Mm, ...pages: number[]): MappedPage[] =>
  pages.map((page) => ({ mm, page: memory(1, page).start }));

/** CPU 0 reclaims the first two pages of each mm that CPUs 1, 2, ... run as their roles say. */
function reclaimFrom(
  roles: readonly ("runs" | "lazy" | "gone")[],
  protocol: ShootdownProtocol = linux513,
  pcid = protocol.traits.pcid !== "none",
): { readonly outcome: Outcome; readonly mms: readonly Mm[] } {
  const mms: Mm[] = [];
  const reclaimer: Script = function* (cpu, lab) {
    mms.push(...roles.map((_role, index) => lab.mm(`mm${index}`)));
    yield* lab.done(1);
    yield* lab.after(1 + roles.length);
    yield* reclaim(
      cpu,
      mms.flatMap((mm) => mapped(mm, 0, 1)),
    );
    yield* lab.done(99);
  };
  const other = (role: string, index: number): Script =>
    function* (cpu, lab) {
      yield* lab.after(cpu.id);
      yield* runOn(cpu, mms[index]!);
      yield* touch(memory(4), "write");
      if (role === "lazy") yield* goLazy(cpu);
      if (role === "gone") yield* runOn(cpu, lab.kernel.initMm);
      yield* lab.done(cpu.id + 1);
      yield* lab.after(99);
      if (role !== "gone") yield* runOn(cpu, mms[index]!);
      if (role !== "gone") yield* touch(memory(4), "read");
    };
  const outcome = play({ protocol, pcid }, reclaimer, ...roles.map(other));
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  return { outcome, mms };
}

describe("reclaim", () => {
  test("flushes pages of several address spaces by one interrupt for each CPU", () => {
    const { outcome } = reclaimFrom(["runs", "runs", "runs"]);
    expect(eventsOf(outcome, "ipiSent").map(({ target }) => target)).toEqual([1, 2, 3]);
    expect(eventsOf(outcome, "batchFlushReturn").map(({ remote }) => remote)).toEqual([true]);
    const flushed = eventsOf(outcome, "flushed").map(({ mm, how }) => `${mm.name} ${how}`);
    expect(flushed.sort()).toEqual(["mm0 full", "mm1 full", "mm2 full"]);
  });

  test("raises the generation once for each page, and the flush brings the CPU up to it", () => {
    const { outcome, mms } = reclaimFrom(["runs"]);
    expect(mms[0]!.tlbGeneration.value).toBe(3);
    const { contexts, loadedAsid } = outcome.kernel.cpus[1]!.tlb;
    expect(contexts[loadedAsid]!.tlbGeneration).toBe(3);
  });

  test("frees the pages only after the batch is flushed everywhere", () => {
    const { outcome } = reclaimFrom(["runs", "runs"]);
    const kinds = outcome.events.map(({ kind }) => kind);
    expect(kinds.indexOf("pagesFreed")).toBeGreaterThan(kinds.indexOf("batchFlushReturn"));
    expect(eventsOf(outcome, "pagesFreed")).toHaveLength(4);
  });

  test("leaves a lazy CPU alone, which revalidates when it is lazy no longer", () => {
    const { outcome } = reclaimFrom(["lazy", "runs"]);
    expect(eventsOf(outcome, "ipiSent").map(({ target }) => target)).toEqual([2]);
    const cr3 = eventsOf(outcome, "cr3Written").filter(({ at }) => at.cpu === 1);
    expect(cr3.map(({ keep }) => keep)).toEqual([false, false]);
  });

  test("flushes at once an address space that no other CPU may have cached", () => {
    const { outcome } = reclaimFrom(["gone"]);
    const kinds = outcome.events.map(({ kind }) => kind);
    expect(kinds).not.toContain("batchFlushBegin");
    expect(kinds.filter((kind) => kind === "flushReturn")).toHaveLength(2);
  });

  test("flushes page by page under a protocol without batches", () => {
    const { batchedUnmap: _none, ...rest } = linux513;
    const { outcome } = reclaimFrom(["runs"], rest);
    expect(eventsOf(outcome, "ipiSent")).toHaveLength(2);
    expect(eventsOf(outcome, "batchFlushBegin")).toEqual([]);
  });

  test.each(["linux-4.8", "linux-4.15", "linux-4.20"] as const)(
    "flushes once under %s too, here before it calls the others",
    (era) => {
      const { outcome, mms } = reclaimFrom(["runs", "runs"], protocols[era]);
      expect(eventsOf(outcome, "ipiSent").map(({ target }) => target)).toEqual([1, 2]);
      expect(eventsOf(outcome, "batchFlushReturn").map(({ remote }) => remote)).toEqual([true]);
      expect(eventsOf(outcome, "flushed").map(({ how }) => how)).toEqual(["full", "full"]);
      const noted = mms.map((mm) => mm.tlbFlushBatched.value.pending > 0);
      expect(noted).toEqual(era === "linux-4.8" ? [false, false] : [true, true]);
    },
  );

  test.each([
    ["linux-4.8", [1, 2], "a lazy CPU answers by leaving its mm"],
    ["linux-4.20", [2], "a lazy CPU is passed over"],
  ] as const)("of %s calls CPUs %j: %s", (era, called, _why) => {
    const { outcome } = reclaimFrom(["lazy", "runs"], protocols[era]);
    expect(eventsOf(outcome, "ipiSent").map(({ target }) => target)).toEqual(called);
  });

  test("passes over what is not mapped, and over the zero page", () => {
    const script: Script = function* (cpu, lab) {
      const mm = lab.mm("mm");
      yield* runOn(cpu, mm);
      yield* touch(memory(1), "read");
      yield* touch(memory(1, 1), "write");
      expect(yield* reclaim(cpu, mapped(mm, 0, 1, 2))).toBe(1);
      expect(mm.tables.entryAt(memory(1).start)).not.toBe(0n);
      expect(mm.tables.entryAt(memory(1, 1).start)).toBe(0n);
    };
    expect(play({}, script).violations).toEqual([]);
  });

  test("gives the frames back", () => {
    const inUse: number[] = [];
    const script: Script = function* (cpu, lab) {
      const mm = lab.mm("mm");
      yield* runOn(cpu, mm);
      yield* touch(memory(8), "write");
      inUse.push(cpu.kernel.frames.inUse);
      yield* reclaim(cpu, mapped(mm, 0, 1, 2, 3));
      inUse.push(cpu.kernel.frames.inUse);
    };
    play({}, script);
    expect(inUse[0]! - inUse[1]!).toBe(4);
  });

  test("pages that are freed before their batch is flushed are reported when they are used", () => {
    let mm: Mm | undefined;
    const user: Script = function* (cpu, lab) {
      mm = lab.mm("mm");
      yield* runOn(cpu, mm);
      yield* touch(memory(1), "write");
      yield* lab.done(1);
      yield* lab.after(2);
      yield* touch(memory(1), "read");
      yield* lab.done(3);
    };
    const reclaimer: Script = function* (cpu, lab) {
      yield* lab.after(1);
      const batch = new UnmapBatch();
      yield* tryToUnmap(cpu, batch, mapped(mm!, 0)[0]!);
      yield* note({ kind: "pagesFreed", mm: mm!, range: memory(1) });
      yield* lab.done(2);
      yield* lab.after(3);
      yield* tryToUnmapFlush(cpu, batch);
    };
    expect(play({}, user, reclaimer).violations[0]).toMatchObject({
      invariant: "I1",
      cpus: [0, 1],
    });
  });
});

/** What CPU 0 does to page 0, which reclaim has taken away and not yet flushed. */
type Withdrawal = (cpu: Cpu, mm: Mm) => KernelCode;

/** CPU 2 reads page 0 between CPU 0's withdrawal and the flush of CPU 1's batch. */
function withdrawWhilePending(withdraw: Withdrawal, mutation?: MutationName): Outcome {
  let mm: Mm | undefined;
  const withdrawer: Script = function* (cpu, lab) {
    mm = lab.mm("mm");
    yield* runOn(cpu, mm);
    yield* lab.done(1);
    yield* lab.after(3);
    yield* withdraw(cpu, mm);
    yield* lab.done(4);
    yield* lab.after(6);
  };
  const reclaimer: Script = function* (cpu, lab) {
    yield* lab.after(2);
    const batch = new UnmapBatch();
    yield* tryToUnmap(cpu, batch, mapped(mm!, 0)[0]!);
    yield* lab.done(3);
    yield* lab.after(5);
    yield* tryToUnmapFlush(cpu, batch);
    yield* lab.done(6);
  };
  const reader: Script = function* (cpu: Cpu, lab: Lab) {
    yield* lab.after(1);
    yield* runOn(cpu, mm!);
    yield* touch(memory(2), "write");
    yield* lab.done(2);
    yield* lab.after(4);
    yield* touch(memory(1), "read");
    yield* lab.done(5);
  };
  const options = mutation === undefined ? {} : { mutation };
  const outcome = play(options, withdrawer, reclaimer, reader);
  expect(outcome.ended).toBe("stopped");
  return outcome;
}

const protect: Withdrawal = (cpu, mm) =>
  mprotect(cpu, mm, memory(2), { writable: false, executable: false });
const protectOnlyIt: Withdrawal = (cpu, mm) =>
  mprotect(cpu, mm, memory(1), { writable: false, executable: false });
const discard: Withdrawal = (cpu, mm) => madviseDontNeed(cpu, mm, memory(1));

describe.each([
  ["mprotect of that page", protectOnlyIt],
  ["madvise(DONTNEED) of that page", discard],
])("%s while reclaim's flush is pending", (_name, withdraw) => {
  test("flushes the whole mm first, once", () => {
    const outcome = withdrawWhilePending(withdraw);
    expect(outcome.violations).toEqual([]);
    expect(eventsOf(outcome, "flushReturn")).toHaveLength(1);
  });

  test("leaves a stale entry in use when reclaim has not told the mm", () => {
    const { violations } = withdrawWhilePending(withdraw, "batched-unmap-not-noted");
    expect(violations[0]).toMatchObject({ invariant: "I1", cpus: [2, 0] });
  });
});

test("mprotect flushes the pending batch only once, and then its own range", () => {
  const outcome = withdrawWhilePending(protect);
  expect(outcome.violations).toEqual([]);
  expect(eventsOf(outcome, "flushReturn")).toHaveLength(2);
});

test("a range that reclaim has left alone needs no flush for reclaim's sake afterwards", () => {
  const outcome = withdrawWhilePending(function* (cpu, mm) {
    yield* protect(cpu, mm);
    yield* madviseDontNeed(cpu, mm, memory(4, 8));
  });
  expect(eventsOf(outcome, "flushReturn")).toHaveLength(2);
});

test("what reclaim takes away during a flush may be used until the batch is flushed", () => {
  let mm: Mm | undefined;
  const flusher: Script = function* (cpu, lab) {
    mm = lab.mm("mm");
    yield* runOn(cpu, mm);
    yield* lab.done(1);
    yield* lab.after(2);
    yield* note({ kind: "revoking", mm, range: memory(4) });
    yield* lab.done(3);
    yield* lab.after(4);
    yield* note({ kind: "revoked", mm, range: memory(4) });
    yield* lab.done(5);
    yield* lab.after(7);
  };
  const reclaimer: Script = function* (cpu, lab) {
    yield* lab.after(3);
    const batch = new UnmapBatch();
    yield* tryToUnmap(cpu, batch, mapped(mm!, 0)[0]!);
    yield* lab.done(4);
    yield* lab.after(6);
    yield* tryToUnmapFlush(cpu, batch);
    yield* lab.done(7);
  };
  const reader: Script = function* (cpu, lab) {
    yield* lab.after(1);
    yield* runOn(cpu, mm!);
    yield* touch(memory(2), "write");
    yield* lab.done(2);
    yield* lab.after(5);
    yield* touch(memory(2), "read");
    yield* lab.done(6);
    yield* lab.after(7);
    yield* touch(memory(2), "read");
  };
  const outcome = play({}, flusher, reclaimer, reader);
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
});

test("munmap of an area that was reclaimed frees its tables after a flush", () => {
  let mm: Mm | undefined;
  const script: Script = function* (cpu, lab) {
    mm = lab.mm("mm", 4);
    yield* runOn(cpu, mm);
    yield* touch(memory(4), "write");
    yield* reclaim(cpu, mapped(mm, 0, 1, 2, 3));
    yield* munmap(cpu, mm, pageRange(memory(4).start, 4));
  };
  const outcome = play({}, script);
  expect(outcome.violations).toEqual([]);
  expect(eventsOf(outcome, "tableFreed").length).toBeGreaterThan(0);
});
