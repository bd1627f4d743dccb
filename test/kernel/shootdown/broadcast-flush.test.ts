// The flush of an mm with a global ASID, in linux-6.18: INVLPGBs, a TLBSYNC, and no interrupt.

import { describe, expect, test } from "vitest";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { exchangeEntry, work } from "../../../src/kernel/operation/operation.ts";
import { flush, goLazy, memory, runOn, touch } from "../lab.ts";
import { eventsOf, type Outcome } from "../scene.ts";
import {
  type Act,
  actAmong,
  FIRST_GLOBAL,
  ipisOf,
  type Role,
  TOUCH_AGAIN,
} from "./active-scene.ts";

const THREE: readonly Role[] = ["runs", "runs", "runs"];

/** As `act` says, once everybody who runs the mm is on its global ASID. */
function withEverybodyOver(others: readonly Role[], act: Act): Outcome {
  let since = 0;
  const outcome = actAmong(others, function* (cpu, mm, lab) {
    for (let count = 0; count < 3; count++) yield* flush(cpu, mm, memory(1));
    expect(mm.asidTransition.value).toBe(false);
    since = lab.events.length;
    yield* act(cpu, mm, lab);
  });
  return { ...outcome, events: outcome.events.slice(since) };
}

const begunIn = (outcome: Outcome): string[] =>
  eventsOf(outcome, "broadcastBegun").map(({ what }) =>
    what.extent === "pages" ? `${what.range.end - what.range.start} pages` : what.extent,
  );

describe("a flush with a global ASID", () => {
  const flushOf = (pages: number, freedTables = false): Outcome =>
    withEverybodyOver(THREE, (cpu, mm) => flush(cpu, mm, memory(pages), freedTables));

  test("takes an INVLPGB for eight pages, one for the whole PCID above the ceiling", () => {
    expect(begunIn(flushOf(1))).toEqual(["1 pages"]);
    expect(begunIn(flushOf(20))).toEqual(["8 pages", "8 pages", "4 pages"]);
    expect(begunIn(flushOf(34))).toEqual(["pcid"]);
  });

  test("names the global ASID's PCID", () => {
    const [first] = eventsOf(flushOf(34), "broadcastBegun");
    expect(first!.what).toEqual({ extent: "pcid", pcid: FIRST_GLOBAL + 1 });
  });

  test("interrupts nobody, not even when page tables are freed", () => {
    expect([ipisOf(flushOf(1)), ipisOf(flushOf(1, true))]).toEqual([[], []]);
  });

  test("raises the generation all the same, and ends with a TLBSYNC", () => {
    let mm: Mm | undefined;
    const outcome = withEverybodyOver(THREE, function* (cpu, one) {
      mm = one;
      yield* flush(cpu, one, memory(9));
    });
    expect(mm!.tlbGeneration.value).toBe(5);
    const kinds = outcome.events.map(({ kind }) => kind);
    expect(kinds.slice(0, 6)).toEqual([
      "flushBegin",
      "broadcastBegun",
      "broadcastBegun",
      "broadcastsDone",
      "flushed",
      "flushReturn",
    ]);
  });

  test("leaves no CPU a translation of a page that was taken out", () => {
    const outcome = withEverybodyOver(THREE, function* (cpu, mm, lab) {
      yield* lab.done(TOUCH_AGAIN);
      yield* work({ name: "until they have", cycles: 100_000 });
      yield* exchangeEntry(mm, memory(1).start, 0n);
      yield* flush(cpu, mm, memory(1));
    });
    expect(outcome.violations).toEqual([]); // although all of them read it again
  });
});

describe("a CPU that is lazy on a global ASID", () => {
  test("keeps CR3, and needs no flush when it comes back", () => {
    const outcome = withEverybodyOver(THREE, function* (cpu, mm) {
      yield* goLazy(cpu);
      yield* flush(cpu, mm, memory(1), true);
      expect(cpu.tlb.loadedMm.value).toBe(mm);
      yield* runOn(cpu, mm);
      yield* touch(memory(1), "read");
    });
    expect(eventsOf(outcome, "cr3Written")).toEqual([]);
  });

  test("is brought over by an interrupt while it is on an ASID of its own", () => {
    const outcome = actAmong(["lazy", "runs", "runs", "runs"], function* (cpu, mm, { kernel }) {
      for (let count = 0; count < 3; count++) yield* flush(cpu, mm, memory(1));
      expect(kernel.cpus[1]!.tlb.globalAsid.value).toBe(FIRST_GLOBAL);
      expect(mm.asidTransition.value).toBe(false);
    });
    expect(ipisOf(outcome)).toContain(1);
  });
});
