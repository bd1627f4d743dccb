// linux-6.18 with mutations that Linux had: each shows as the use of a translation that is
// gone, where the right kernel shows none.

import { describe, expect, test } from "vitest";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import type { KernelOptions } from "../../../src/kernel/state/kernel-options.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import type { MutationName } from "../../../src/kernel/operation/mutation.ts";
import {
  disableInterrupts,
  enableInterrupts,
  exchangeEntry,
  type KernelCode,
  locked,
  note,
  waitUntil,
  work,
} from "../../../src/kernel/operation/operation.ts";
import { linux513 } from "../../../src/kernel/shootdown/linux-5.13.ts";
import { considerGlobalAsid } from "../../../src/kernel/shootdown/global-asid.ts";
import { flushMulti } from "../../../src/kernel/shootdown/linux-6.18-flush.ts";
import { linux618 } from "../../../src/kernel/shootdown/linux-6.18.ts";
import { NO_GENERATION } from "../../../src/kernel/state/tlb-state.ts";
import { unmapUnderLazy } from "../../check/scenes.ts";
import { flush, memory, play, runOn, type Script, touch } from "../lab.ts";
import { type Outcome, play as playScene, type SceneOptions } from "../scene.ts";
import { watchingSwitches } from "./watched.ts";

const making = (mutation: MutationName | null): Partial<KernelOptions> =>
  mutation === null ? {} : { mutation };

const foundIn = ({ ended, violations }: Outcome): string[] => {
  expect(ended).toBe("stopped");
  return [...new Set(violations.map(({ invariant }) => invariant))];
};

/** Takes page `page` of `memory` out, as zap_pte_range does. */
const zap = (mm: Mm, page: number): KernelCode<bigint> =>
  exchangeEntry(mm, memory(1, page).start, 0n);

const elapse = (cycles: number): KernelCode => work({ name: "meanwhile", cycles });

/**
 * CPU 1 has been to `mm`, and comes back to it. It is held up at the operation `heldAt`, and
 * meanwhile CPU 0 does something, takes a page out and flushes it.
 */
function flushWhileHeld(
  heldAt: string,
  meanwhile: (cpu: Cpu, mm: Mm) => KernelCode,
  options: SceneOptions,
): string[] {
  let mm: Mm | undefined;
  let hold: (() => KernelCode) | null = null;
  const flusher: Script = function* (cpu, lab) {
    mm = lab.mm("mm");
    yield* runOn(cpu, mm);
    yield* touch(memory(2), "write");
    yield* lab.done(1);
    yield* lab.after(2);
    yield* meanwhile(cpu, mm);
    yield* zap(mm, 0);
    yield* flush(cpu, mm, memory(1));
  };
  const switcher: Script = function* (cpu, lab) {
    yield* lab.after(1);
    yield* runOn(cpu, mm!);
    yield* touch(memory(2), "read");
    yield* runOn(cpu, lab.mm("another"));
    hold = function* () {
      yield* lab.done(2);
      yield* elapse(100_000);
    };
    yield* runOn(cpu, mm!);
    yield* touch(memory(2), "read");
  };
  const protocol = watchingSwitches(linux618, function* (cpu, words) {
    if (cpu.id === 1 && hold !== null && words === heldAt) yield* hold();
  });
  return foundIn(play({ protocol, ...options }, flusher, switcher));
}

const flushDuringSwitch = (mutation: MutationName | null): string[] =>
  flushWhileHeld("load mm.context.tlb_gen", function* () {}, { kernel: making(mutation) });

describe("a flush while another CPU is between the generation and CR3", () => {
  test("calls that CPU, which is SWITCHING", () => {
    expect(flushDuringSwitch(null)).toEqual([]);
  });

  test.each(["should-flush-ignores-switching", "switching-stored-late"] as const)(
    "misses it with %s",
    (mutation) => {
      expect(flushDuringSwitch(mutation)).toEqual(["I1"]);
    },
  );

  test("under sequential consistency finds it whether or not there is a barrier", () => {
    expect(flushDuringSwitch("no-barrier-before-generation")).toEqual([]);
  });
});

/** CPU 0 takes a page out of an mm that CPU 1 runs, and flushes whatever the CPUs have loaded. */
function flushWhateverIsLoaded(mutation: MutationName | null): string[] {
  let mm: Mm | undefined;
  const user: Script = function* (cpu, lab) {
    mm = lab.mm("mm");
    yield* runOn(cpu, mm);
    yield* touch(memory(2), "write");
    yield* lab.done(1);
    yield* lab.after(2);
    yield* touch(memory(2), "read");
  };
  const flusher: Script = function* (cpu, lab) {
    yield* lab.after(1);
    yield* zap(mm!, 0);
    yield* locked(mm!.tlbGeneration, (old) => old + 1); // arch_tlbbatch_add_pending
    const info = { mm: null, range: null, newGeneration: NO_GENERATION, freedTables: false };
    yield* flushMulti(cpu, [0, 1], info);
    yield* note({ kind: "revoked", mm: mm!, range: memory(1) });
    yield* lab.done(2);
  };
  return foundIn(play({ protocol: linux618, kernel: making(mutation) }, flusher, user));
}

describe("a flush of whatever is loaded", () => {
  test("flushes it, although it has no generation to compare", () => {
    expect(flushWhateverIsLoaded(null)).toEqual([]);
  });

  test("is taken for an old one where 0 counts as a generation", () => {
    expect(flushWhateverIsLoaded("generation-zero-is-old")).toEqual(["I1"]);
  });
});

/** CPUs 0 and 2 each take a page out; CPU 1 hears of both at once, the first one first. */
function twoFlushesAtOnce(mutation: MutationName | null): string[] {
  let mm: Mm | undefined;
  const responder: Script = function* (cpu, lab) {
    mm = lab.mm("mm");
    yield* runOn(cpu, mm);
    yield* touch(memory(2), "write");
    yield* disableInterrupts();
    yield* lab.done(1);
    yield* waitUntil(mm.tlbGeneration, (generation) => generation === 3);
    yield* elapse(20_000); // until both calls are queued
    yield* enableInterrupts();
    yield* lab.after(2);
    yield* touch(memory(2), "read");
  };
  let returned = 0;
  const flusher = (page: number): Script =>
    function* (cpu, lab) {
      yield* lab.after(1);
      yield* zap(mm!, page);
      yield* flush(cpu, mm!, memory(1, page));
      if (++returned === 2) yield* lab.done(2);
    };
  const options = { protocol: linux618, kernel: making(mutation) };
  return foundIn(play(options, flusher(0), responder, flusher(1)));
}

describe("two flushes that reach a CPU together", () => {
  test("are one full flush", () => {
    expect(twoFlushesAtOnce(null)).toEqual([]);
  });

  test("leave the second one's page where the first is made page by page", () => {
    expect(twoFlushesAtOnce("ranged-flush-over-gap")).toEqual(["I3", "I1"]);
  });
});

describe.each([linux513, linux618])("$name: tables that a lazy CPU can reach", (protocol) => {
  const unmap = (mutation: MutationName | null): string[] =>
    foundIn(playScene({ protocol, kernel: making(mutation) }, unmapUnderLazy));

  test("are out of its reach when they are freed", () => {
    expect(unmap(null)).toEqual([]);
  });

  test("are freed under it when the flush is told that there are none (CVE-2025-22045)", () => {
    expect(unmap("freed-tables-false")).toEqual(["I2"]);
  });
});

/**
 * The mm gets a global ASID while CPU 1, on its way back to it, has just found that it has none.
 * CPU 0 goes over, takes a page out and flushes it.
 */
function flushDuringTransition(mutation: MutationName | null): string[] {
  const goOver = function* (cpu: Cpu, mm: Mm): KernelCode {
    yield* considerGlobalAsid(cpu, mm);
    yield* runOn(cpu, mm);
  };
  const kernel = { invlpgb: true, globalAsidCpus: 0, ...making(mutation) };
  return flushWhileHeld("load mm.context.global_asid", goOver, { cpu: "milan", kernel });
}

describe("a flush while another CPU is between its choice of an ASID and CR3", () => {
  test("waits for that CPU, and brings it over to the global ASID", () => {
    expect(flushDuringTransition(null)).toEqual([]);
  });

  test("leaves it on an ASID that nobody flushes where the transition does not wait", () => {
    expect(flushDuringTransition("transition-without-switching-wait")).toEqual(["I1"]);
  });
});
