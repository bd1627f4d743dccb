// flush_tlb_mm_range of linux-6.18: who of the mask is called, and who leaves it.

import { describe, expect, test } from "vitest";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { type KernelCode, work } from "../../../src/kernel/operation/operation.ts";
import { linux618 } from "../../../src/kernel/shootdown/linux-6.18.ts";
import { flush, goLazy, memory, play, runOn, type Script, touch } from "../lab.ts";
import { eventsOf } from "../scene.ts";

type Role = "runs" | "lazy" | "left";

interface Shot {
  readonly mm: Mm;
  /** By CPU: how it answered. */
  readonly answers: readonly string[];
  readonly ipis: readonly number[];
  /** The CPUs in the mask at the end. */
  readonly mask: readonly number[];
}

interface Options {
  readonly freedTables?: boolean;
  readonly before?: (cpu: Cpu, mm: Mm) => KernelCode;
}

/** CPU 0 runs the mm and flushes a page; CPU i has role `others[i - 1]`. */
function shoot(others: readonly Role[], { freedTables = false, before }: Options = {}): Shot {
  let mm: Mm | undefined;
  const flusher: Script = function* (cpu, lab) {
    mm = lab.mm("mm");
    yield* runOn(cpu, mm);
    yield* touch(memory(4), "write");
    yield* lab.done(1);
    yield* lab.after(1 + others.length);
    if (before !== undefined) yield* before(cpu, mm);
    yield* flush(cpu, mm, memory(1), freedTables);
    yield* lab.done(99);
  };
  const other = (role: Role): Script =>
    function* (cpu, lab) {
      yield* lab.after(cpu.id);
      yield* runOn(cpu, mm!);
      yield* touch(memory(4), "read");
      if (role === "lazy") yield* goLazy(cpu);
      if (role === "left") yield* runOn(cpu, lab.mm("another"));
      yield* lab.done(cpu.id + 1);
      yield* lab.after(99);
    };
  const outcome = play({ protocol: linux618 }, flusher, ...others.map(other));
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  const answers = eventsOf(outcome, "flushed").map(
    ({ at, how, local }) => `${at.cpu} ${how}${local ? " local" : ""}`,
  );
  const ipis = eventsOf(outcome, "ipiSent").map(({ target }) => target);
  const mask = outcome.kernel.cpus.map(({ id }) => id).filter((id) => mm!.cpumask.has(id));
  return { mm: mm!, answers: answers.sort(), ipis, mask };
}

describe("a flush", () => {
  test("calls who runs the mm, and neither who is lazy nor who has left", () => {
    const { ipis, answers, mask } = shoot(["left", "runs", "lazy"]);
    expect([ipis, answers]).toEqual([[2], ["0 ranged local", "2 ranged"]]);
    expect(mask).toEqual([0, 1, 2, 3]);
  });

  test("that freed page tables calls the whole mask, and who has left takes its bit along", () => {
    const { ipis, answers, mask } = shoot(["left", "runs", "lazy"], { freedTables: true });
    expect(ipis).toEqual([1, 2, 3]);
    expect(answers).toEqual(["0 ranged local", "1 skipped", "2 ranged", "3 skipped"]);
    expect(mask).toEqual([0, 2, 3]); // the lazy one went to init_mm, and its bit stays
  });

  test("calls a CPU that was lazy once more, which then leaves the mask", () => {
    const before = (cpu: Cpu, mm: Mm): KernelCode => flush(cpu, mm, memory(1), true);
    const { ipis, mask } = shoot(["lazy"], { freedTables: true, before });
    expect([ipis, mask]).toEqual([[1, 1], [0]]);
  });

  test("does nothing remote where only this CPU is in the mask", () => {
    const { ipis, answers, mm } = shoot([]);
    expect([ipis, answers]).toEqual([[], ["0 ranged local"]]);
    expect([mm.tlbGeneration.value, mm.nextTrim.value]).toEqual([2, 0]);
  });

  test("older than what the CPU has is answered without a look at the mm's generation", () => {
    const before = function* (cpu: Cpu): KernelCode {
      cpu.tlb.contexts[cpu.tlb.loadedAsid]!.tlbGeneration = 2;
    };
    expect(shoot([], { before }).answers).toEqual(["0 skipped local"]);
  });
});

describe("trimming", () => {
  /** Flushes after so many jiffies, the last of which may trim. */
  const ipisOfFlushesAt = (jiffies: readonly number[]): number => {
    const before = function* (cpu: Cpu, mm: Mm): KernelCode {
      const { frequencyGhz } = cpu.kernel.machine.description;
      const elapse = (count: number): KernelCode =>
        work({ name: "elapse", cycles: count * frequencyGhz * 1e6 });
      for (const count of jiffies) {
        yield* elapse(count);
        yield* flush(cpu, mm, memory(1));
        if (mm.nextTrim.value > 1000) mm.nextTrim.value -= 990; // so that a second is ten jiffies
      }
    };
    return shoot(["left", "left"], { before }).ipis.length;
  };

  test("calls those who have left when a second is over, and then no more", () => {
    expect(ipisOfFlushesAt([1, 8])).toBe(0);
    expect(ipisOfFlushesAt([1, 12])).toBe(2);
    expect(ipisOfFlushesAt([1, 12, 12, 12])).toBe(2);
  });
});
