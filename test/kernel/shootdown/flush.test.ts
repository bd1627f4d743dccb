// flush_tlb_mm_range of linux-5.13: who is interrupted, what each CPU drops, and what it skips.

import { describe, expect, test } from "vitest";
import type { PageRange } from "../../../src/base/address.ts";
import { type Mm, WHOLE_USER_HALF } from "../../../src/kernel/state/mm.ts";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import {
  disableInterrupts,
  enableInterrupts,
  type KernelCode,
  waitUntil,
  work,
} from "../../../src/kernel/operation/operation.ts";
import { flush, goLazy, type Lab, memory, play, runOn, type Script, touch } from "../lab.ts";
import { eventsOf, type Outcome } from "../scene.ts";

type Role = "runs" | "lazy" | "elsewhere";

interface Shot {
  readonly outcome: Outcome;
  readonly mm: Mm;
  /** By CPU: how it answered. */
  readonly answers: readonly string[];
  readonly ipis: readonly number[];
}

/** CPU 0 runs the mm and flushes `range`; CPU i has role `others[i - 1]`. */
function shoot(
  others: readonly Role[],
  { range = memory(1), freedTables = false, after }: Options = {},
): Shot {
  let mm: Mm | undefined;
  const flusher: Script = function* (cpu, lab) {
    mm = lab.mm("mm");
    yield* runOn(cpu, mm);
    yield* touch(memory(40), "write");
    yield* lab.done(1);
    yield* lab.after(1 + others.length);
    yield* flush(cpu, mm, range, freedTables);
    if (after !== undefined) yield* after(cpu, mm, lab);
    yield* lab.done(99);
  };
  const other = (role: Role): Script =>
    function* (cpu, lab) {
      yield* lab.after(cpu.id);
      if (role !== "elsewhere") yield* runOn(cpu, mm!);
      if (role !== "elsewhere") yield* touch(memory(40), "read");
      if (role === "lazy") yield* goLazy(cpu);
      yield* lab.done(cpu.id + 1);
      yield* lab.after(99);
    };
  const outcome = play({}, flusher, ...others.map(other));
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  const answers = eventsOf(outcome, "flushed").map(
    ({ at, how, local }) => `${at.cpu} ${how}${local ? " local" : ""}`,
  );
  const ipis = eventsOf(outcome, "ipiSent").map(({ target }) => target);
  return { outcome, mm: mm!, answers: answers.sort(), ipis };
}

interface Options {
  readonly range?: PageRange;
  readonly freedTables?: boolean;
  readonly after?: (cpu: Cpu, mm: Mm, lab: Lab) => KernelCode;
}

describe("a flush", () => {
  test("raises the generation by one", () => {
    expect(shoot(["runs", "lazy"]).mm.tlbGeneration.value).toBe(2);
  });

  test("interrupts the CPUs that run the mm, and flushes here as well", () => {
    const { answers, ipis } = shoot(["runs", "elsewhere", "runs"]);
    expect(ipis).toEqual([1, 3]);
    expect(answers).toEqual(["0 ranged local", "1 ranged", "3 ranged"]);
  });

  test("interrupts nobody when only this CPU is in the mask", () => {
    const { answers, ipis, outcome } = shoot(["elsewhere", "elsewhere"]);
    expect([answers, ipis]).toEqual([["0 ranged local"], []]);
    expect(eventsOf(outcome, "flushReturn").map(({ remote }) => remote)).toEqual([false]);
  });

  test("of an mm that this CPU has not loaded does nothing here", () => {
    const script: Script = function* (cpu, lab) {
      yield* flush(cpu, lab.mm("elsewhere"), memory(1));
    };
    const outcome = play({}, script);
    expect([eventsOf(outcome, "flushed"), eventsOf(outcome, "ipiSent")]).toEqual([[], []]);
  });

  test("overlaps the local flush with the IPIs' flight", () => {
    const { outcome } = shoot(["runs"], { range: memory(33) });
    const sent = eventsOf(outcome, "ipiSent")[0]!.at.cycle;
    const [local, remote] = [true, false].map(
      (here) => eventsOf(outcome, "flushed").find((event) => event.local === here)!.at.cycle,
    );
    const returned = eventsOf(outcome, "flushReturn")[0]!.at.cycle;
    const invlpgs = 33 * outcome.kernel.machine.description.instruction.invlpg;
    expect(local).toBeGreaterThan(sent);
    expect(remote).toBeGreaterThan(local!); // the same work, begun later by the IPI's flight
    expect(remote).toBeLessThan(local! + invlpgs); // not one after the other
    expect(returned).toBeGreaterThan(remote!);
  });
});

describe("the range", () => {
  const how = (pages: number): string => shoot(["runs"], { range: memory(pages) }).answers.join();
  const invlpgs = (pages: number): number[] => {
    const { outcome } = shoot(["runs"], { range: memory(pages) });
    return [0, 1].map((cpu) => outcome.kernel.machine.counters(cpu).invlpgs);
  };

  test("of up to 33 pages is invalidated page by page", () => {
    expect([how(1), how(33)]).toEqual(Array(2).fill("0 ranged local,1 ranged"));
    expect([invlpgs(1), invlpgs(33)]).toEqual([
      [1, 1],
      [33, 33],
    ]);
  });

  test("of 34 pages and more is a full flush", () => {
    expect([how(34), invlpgs(34)]).toEqual(["0 full local,1 full", [0, 0]]);
    expect(shoot([], { range: WHOLE_USER_HALF }).answers).toEqual(["0 full local"]);
  });

  test("of one page drops that page's translation and no other's", () => {
    const walks: number[] = [];
    shoot([], {
      *after(cpu) {
        for (const page of [1, 0]) {
          const before = cpu.kernel.machine.counters(0).walks;
          yield* touch(memory(1, page), "read");
          walks.push(cpu.kernel.machine.counters(0).walks - before);
        }
      },
    });
    expect(walks).toEqual([0, 1]);
  });
});

describe("a ranged flush", () => {
  /** CPU 1 is at `local`, the mm at `generation`, and the flush raises it by one. */
  const answerAt = (local: number, generation: number): string | undefined => {
    let mm: Mm | undefined;
    const responder: Script = function* (cpu, lab) {
      mm = lab.mm("mm");
      yield* runOn(cpu, mm);
      cpu.tlb.contexts[cpu.tlb.loadedAsid]!.tlbGeneration = local;
      mm.tlbGeneration.value = generation;
      yield* lab.done(1);
      yield* lab.after(2);
      expect(cpu.tlb.contexts[cpu.tlb.loadedAsid]!.tlbGeneration).toBe(mm.tlbGeneration.value);
    };
    const flusher: Script = function* (cpu, lab) {
      yield* lab.after(1);
      yield* flush(cpu, mm!, memory(1));
      yield* lab.done(2);
    };
    const outcome = play({}, flusher, responder);
    return eventsOf(outcome, "flushed").find(({ at }) => at.cpu === 1)?.how;
  };

  test("is ranged on a CPU that is exactly one generation behind it", () => {
    expect(answerAt(7, 7)).toBe("ranged");
  });

  test("is full on a CPU that has missed an earlier flush", () => {
    expect(answerAt(6, 7)).toBe("full");
  });

  test("is full when another flush has raised the generation before it", () => {
    const order: Script = function* (cpu, lab) {
      const mm = lab.mm("mm");
      yield* runOn(cpu, mm);
      const { machine } = lab.kernel;
      mm.tlbGeneration.value++; // another CPU's flush, on its way here
      yield* flush(cpu, mm, memory(1)); // generation 3, local 1
      expect([machine.counters(0).invlpgs, cpu.tlb.contexts[1]!.tlbGeneration]).toEqual([0, 3]);
    };
    expect(eventsOf(play({}, order), "flushed").map(({ how }) => how)).toEqual(["full"]);
  });

  test("is full when the next flush is under way too, which then finds nothing to do", () => {
    let mm: Mm | undefined;
    const responder: Script = function* (cpu, lab) {
      mm = lab.mm("mm");
      yield* runOn(cpu, mm);
      yield* disableInterrupts();
      yield* lab.done(1);
      yield* waitUntil(mm.tlbGeneration, (generation) => generation === 3);
      yield* work({ name: "until both calls are queued", cycles: 20_000 });
      yield* enableInterrupts();
      yield* lab.after(2);
    };
    const flusher: Script = function* (cpu, lab) {
      yield* lab.after(1);
      yield* flush(cpu, mm!, memory(1));
      yield* lab.done(2);
    };
    const outcome = play({}, flusher, responder, flusher);
    expect(eventsOf(outcome, "flushed").map(({ how }) => how)).toEqual(["full", "skipped"]);
    expect(outcome.kernel.cpus[1]!.tlb.contexts[1]!.tlbGeneration).toBe(3);
  });

  test("is skipped on a CPU that is at the mm's generation already", () => {
    const script: Script = function* (cpu, lab) {
      const mm = lab.mm("mm");
      yield* runOn(cpu, mm);
      cpu.tlb.contexts[cpu.tlb.loadedAsid]!.tlbGeneration = 2;
      yield* flush(cpu, mm, memory(1));
    };
    const how = eventsOf(play({}, script), "flushed").map((event) => event.how);
    expect(how).toEqual(["skipped"]);
  });
});

describe("a lazy CPU", () => {
  test("is not interrupted when no page table was freed, and stays in the mask", () => {
    const { ipis, answers, mm, outcome } = shoot(["lazy", "runs"]);
    expect([ipis, answers]).toEqual([[2], ["0 ranged local", "2 ranged"]]);
    expect([mm.cpumask.has(1), outcome.kernel.cpus[1]!.tlb.isLazy.value]).toEqual([true, true]);
  });

  test("is interrupted when page tables were freed, goes to init_mm and leaves the mask", () => {
    const { ipis, answers, mm, outcome } = shoot(["lazy", "runs"], { freedTables: true });
    expect([ipis, answers]).toEqual([
      [1, 2],
      ["0 ranged local", "1 skipped", "2 ranged"],
    ]);
    const { tlb } = outcome.kernel.cpus[1]!;
    expect([mm.cpumask.has(1), tlb.isLazy.value]).toEqual([false, false]);
    expect(tlb.loadedMm.value).toBe(outcome.kernel.initMm);
    expect(outcome.kernel.machine.root(1)).toBe(outcome.kernel.initMm.root);
  });

  test("is not interrupted a second time", () => {
    const { ipis } = shoot(["lazy"], {
      freedTables: true,
      after: (cpu, mm) => flush(cpu, mm, memory(1), true),
    });
    expect(ipis).toEqual([1]);
  });
});
