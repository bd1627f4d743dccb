// What sets the protocols before linux-5.13 apart: whom a flush interrupts, when the local flush
// is, what a lazy CPU does and what it pays when it comes back.

import { describe, expect, test } from "vitest";
import { munmap } from "../../../src/kernel/memory/mmap.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import type { MutationName } from "../../../src/kernel/operation/mutation.ts";
import type { KernelCode } from "../../../src/kernel/operation/operation.ts";
import { protocols } from "../../../src/kernel/shootdown/protocols.ts";
import { flush, goLazy, memory, play, runOn, type Script, touch } from "../lab.ts";
import { eventsOf, type Outcome } from "../scene.ts";

type Era = "linux-4.8" | "linux-4.15" | "linux-4.20" | "linux-5.13";

interface Shot {
  readonly era: Era;
  readonly pcid?: boolean;
  /** What CPU 1 is to the mm; CPU 0 runs it and flushes it. */
  readonly other: "runs" | "lazy";
  readonly pages?: number;
  readonly freedTables?: boolean;
  readonly mutation?: MutationName;
  /** In place of one flush. */
  readonly meanwhile?: (cpu: Parameters<Script>[0], mm: Mm) => KernelCode;
  /** CPU 1 goes on as a user task of the mm afterwards. */
  readonly comesBack?: boolean;
}

interface Seen extends Outcome {
  readonly mm: Mm;
  readonly answers: readonly string[];
  readonly ipis: readonly number[];
  /** What CPU 1 wrote to CR3 from the flush on: the mm's root or init_mm's, and whether it kept. */
  readonly cr3: readonly string[];
}

function shoot(shot: Shot): Seen {
  const { era, other, pages = 1, freedTables = false, mutation } = shot;
  const pcid = shot.pcid ?? era !== "linux-4.8";
  let mm: Mm | undefined;
  let begin = 0;
  const flusher: Script = function* (cpu, lab) {
    mm = lab.mm("mm");
    yield* runOn(cpu, mm);
    yield* touch(memory(40), "write");
    yield* lab.done(1);
    yield* lab.after(2);
    begin = lab.count("cr3Written");
    if (shot.meanwhile !== undefined) yield* shot.meanwhile(cpu, mm);
    else yield* flush(cpu, mm, memory(pages), freedTables);
    yield* lab.done(3);
    yield* lab.after(4);
  };
  const responder: Script = function* (cpu, lab) {
    yield* lab.after(1);
    yield* runOn(cpu, mm!);
    yield* touch(memory(40), "read");
    if (other === "lazy") yield* goLazy(cpu);
    yield* lab.done(2);
    yield* lab.after(3);
    if (shot.comesBack === true) yield* runOn(cpu, mm!);
    yield* lab.done(4);
  };
  const options = {
    protocol: protocols[era],
    pcid,
    ...(mutation === undefined ? {} : { mutation }),
  };
  const outcome = play(options, flusher, responder);
  expect(outcome.ended).toBe("stopped");
  const answers = eventsOf(outcome, "flushed").map(
    ({ at, how, local }) => `${at.cpu} ${how}${local ? " local" : ""}`,
  );
  const ipis = eventsOf(outcome, "ipiSent").map(({ target }) => target);
  const cr3 = eventsOf(outcome, "cr3Written")
    .slice(begin)
    .filter(({ at }) => at.cpu === 1)
    .map(({ root, keep }) => `${root === mm!.root ? "mm" : "init_mm"}${keep ? " kept" : ""}`);
  return { ...outcome, mm: mm!, answers, ipis, cr3 };
}

const ERAS: readonly Era[] = ["linux-4.8", "linux-4.15", "linux-4.20"];

describe.each(ERAS)("%s", (era) => {
  test("flushes here first, interrupts the CPU that runs the mm after that, and waits", () => {
    const outcome = shoot({ era, other: "runs", pages: 33 });
    expect([outcome.answers, outcome.ipis]).toEqual([["0 ranged local", "1 ranged"], [1]]);
    const kinds = outcome.events.map(({ kind }) => kind);
    expect(kinds.indexOf("ipiSent")).toBeGreaterThan(kinds.indexOf("flushed"));
    expect(kinds.indexOf("flushReturn")).toBeGreaterThan(kinds.lastIndexOf("flushed"));
    expect(outcome.violations).toEqual([]);
  });

  test("flushes more than 33 pages as a whole", () => {
    const outcome = shoot({ era, other: "runs", pages: 34 });
    expect(outcome.answers).toEqual(["0 full local", "1 full"]);
    expect([0, 1].map((cpu) => outcome.kernel.machine.counters(cpu).invlpgs)).toEqual([0, 0]);
  });

  test("moves a lazy CPU to init_mm when page tables are freed, and then leaves it alone", () => {
    const outcome = shoot({
      era,
      pcid: false,
      other: "lazy",
      *meanwhile(cpu, mm) {
        yield* flush(cpu, mm, memory(1), true);
        yield* flush(cpu, mm, memory(1), true);
      },
    });
    expect([outcome.ipis, outcome.cr3]).toEqual([[1], ["init_mm"]]);
    expect(outcome.answers.filter((answer) => answer.startsWith("1"))).toEqual(["1 skipped"]);
    expect(outcome.mm.cpumask.has(1)).toBe(false);
    expect(outcome.kernel.machine.root(1)).toBe(outcome.kernel.initMm.root);
  });
});

test("is_lazy shares the line of loaded_mm until linux-5.13 takes it apart", () => {
  const isApart = (era: Era): boolean => {
    const { isLazy, loadedMm } = shoot({ era, other: "runs" }).kernel.cpus[0]!.tlb;
    return isLazy.line !== loadedMm.line;
  };
  expect([...ERAS, "linux-5.13" as const].map(isApart)).toEqual([false, false, false, true]);
});

describe("a lazy CPU, when no page table is freed,", () => {
  const lazyUnder = (era: Era, pcid: boolean): Seen => shoot({ era, pcid, other: "lazy" });

  test("is interrupted and leaves under linux-4.8, and under linux-4.15 without PCID", () => {
    for (const era of ["linux-4.8", "linux-4.15"] as const) {
      const { ipis, cr3, mm } = lazyUnder(era, false);
      expect([ipis, cr3, mm.cpumask.has(1)]).toEqual([[1], ["init_mm"], false]);
    }
  });

  test("has left already under linux-4.15 with PCID, its slot kept for its return", () => {
    const { ipis, cr3, mm } = shoot({ era: "linux-4.15", other: "lazy", comesBack: true });
    expect([ipis, cr3, mm.cpumask.has(1)]).toEqual([[], ["mm"], true]);
    const quiet = shoot({
      era: "linux-4.15",
      other: "lazy",
      comesBack: true,
      *meanwhile() {},
    });
    expect(quiet.cr3).toEqual(["mm kept"]);
  });

  test("is passed over under linux-4.20, and stays in the mask", () => {
    for (const pcid of [true, false]) {
      const { ipis, cr3, mm } = lazyUnder("linux-4.20", pcid);
      expect([ipis, cr3, mm.cpumask.has(1)]).toEqual([[], [], true]);
    }
  });
});

describe("coming back from lazy", () => {
  const back = (era: Era, pcid: boolean, isFlushed: boolean): readonly string[] => {
    const quiet = isFlushed ? {} : { *meanwhile(): KernelCode {} };
    const outcome = shoot({ era, pcid, other: "lazy", comesBack: true, ...quiet });
    expect([outcome.violations, outcome.kernel.cpus[1]!.tlb.isLazy.value]).toEqual([[], false]);
    return outcome.cr3;
  };

  test("costs nothing where no flush was", () => {
    expect(back("linux-4.8", false, false)).toEqual([]);
    expect(back("linux-4.15", false, false)).toEqual([]);
    expect(back("linux-4.20", true, false)).toEqual([]);
  });

  test("loads CR3 again where leave_mm or a flush has moved the CPU to init_mm", () => {
    expect(back("linux-4.8", false, true)).toEqual(["init_mm", "mm"]);
    expect(back("linux-4.15", false, true)).toEqual(["init_mm", "mm"]);
  });

  test("flushes the slot of an older generation under linux-4.20", () => {
    expect(back("linux-4.20", true, true)).toEqual(["mm"]);
  });
});

describe("linux-4.8", () => {
  test("keeps active_mm over leave_mm: only CR3 and the mask bit go", () => {
    const { kernel, mm } = shoot({ era: "linux-4.8", other: "lazy" });
    expect(kernel.cpus[1]!.tlb.activeMm.value).toBe(mm);
    expect(kernel.cpus[1]!.current.activeMm).toBe(mm);
  });

  test("raises no generation and uses PCID 0 alone", () => {
    const outcome = shoot({ era: "linux-4.8", other: "runs", comesBack: true });
    expect(outcome.mm.tlbGeneration.value).toBe(1);
    expect(new Set(eventsOf(outcome, "cr3Written").map(({ pcid }) => pcid))).toEqual(new Set([0]));
  });

  test("sets the next mm's mask bit before it writes CR3, and clears the last one's after", () => {
    const bits: string[] = [];
    const script: Script = function* (cpu, lab) {
      const [a, b] = [lab.mm("a"), lab.mm("b")];
      yield* runOn(cpu, a);
      const code = protocols["linux-4.8"].switchMm(cpu, b);
      for (let step = code.next(); step.done !== true;) {
        const operation = step.value;
        if (operation.kind === "writeCr3") bits.push(`CR3 ${a.cpumask.has(0)} ${b.cpumask.has(0)}`);
        step = code.next(yield operation);
      }
      bits.push(`end ${a.cpumask.has(0)} ${b.cpumask.has(0)}`);
    };
    play({ protocol: protocols["linux-4.8"], pcid: false }, script);
    expect(bits).toEqual(["CR3 true true", "end false true"]);
  });

  test("leaves an mm that only a kernel thread borrows here, when it flushes it itself", () => {
    const script: Script = function* (cpu, lab) {
      const mm = lab.mm("mm");
      yield* runOn(cpu, mm);
      yield* touch(memory(1), "write");
      yield* goLazy(cpu);
      yield* flush(cpu, mm, memory(1));
      expect([mm.cpumask.has(0), cpu.tlb.activeMm.value]).toEqual([false, mm]);
      expect(lab.kernel.machine.root(0)).toBe(lab.kernel.initMm.root);
      expect(lab.count("flushed")).toBe(0);
    };
    expect(play({ protocol: protocols["linux-4.8"], pcid: false }, script).ended).toBe("stopped");
  });

  /** The operations of a flush of an mm that this CPU does not run. */
  const barriers = (isBorrowed: boolean, mutation?: MutationName): string[] => {
    const kinds: string[] = [];
    const script: Script = function* (cpu, lab) {
      const mm = lab.mm("mm");
      yield* runOn(cpu, mm);
      if (isBorrowed) yield* goLazy(cpu);
      else yield* runOn(cpu, lab.mm("other"));
      const request = { mm, range: memory(1), freedTables: false };
      const code = cpu.kernel.protocol.flushRange(cpu, request);
      for (let step = code.next(); step.done !== true;) {
        kinds.push(step.value.kind);
        step = code.next(yield step.value);
      }
    };
    const mistake = mutation === undefined ? {} : { mutation };
    play({ protocol: protocols["linux-4.8"], pcid: false, ...mistake }, script);
    return kinds;
  };

  test("has a full barrier before it reads the mask on the paths that flush nothing here", () => {
    expect(barriers(false)).toEqual(["fence", "load", "work"]);
    expect(barriers(true).slice(-3)).toEqual(["fence", "load", "work"]);
    expect(barriers(false, "flush-before-cpumask")).toEqual(["load", "work"]);
    expect(barriers(true, "flush-before-cpumask")).not.toContain("fence");
  });
});

describe("page tables that go while CPU 1 is lazy", () => {
  const unmapped = (era: Era, pcid: boolean, mutation?: MutationName): string[] => {
    const meanwhile: Shot["meanwhile"] = (cpu, mm) => munmap(cpu, mm, memory(64));
    const mistake = mutation === undefined ? {} : { mutation };
    const { violations } = shoot({ era, pcid, other: "lazy", meanwhile, ...mistake });
    return [...new Set(violations.map(({ invariant }) => invariant))];
  };

  test("are out of its reach in every era", () => {
    for (const era of ERAS) expect(unmapped(era, false)).toEqual([]);
    for (const era of ["linux-4.15", "linux-4.20"] as const)
      expect(unmapped(era, true)).toEqual([]);
  });

  test("are not if it left the mask with its CR3 unchanged, as in Linux 4.14-rc", () => {
    for (const pcid of [true, false])
      expect(unmapped("linux-4.15", pcid, "lazy-leaves-cpumask")).toEqual(["I7", "I2"]);
  });

  test("are not if lazy CPUs are passed over always, as in the first patches of 2018", () => {
    for (const pcid of [true, false])
      expect(unmapped("linux-4.20", pcid, "freed-tables-under-lazy-cpus")).toEqual(["I2"]);
  });
});

test("a CPU that left the mask in lazy mode compares generations when it comes back", () => {
  const mutation = "lazy-leaves-cpumask";
  const shot = { era: "linux-4.15", other: "lazy", comesBack: true, mutation } as const;
  const { cr3, mm, ipis } = shoot(shot);
  expect([cr3, mm.cpumask.has(1), ipis]).toEqual([["mm"], true, []]);
});
