// switch_mm_irqs_off of linux-6.18: the lazy mm_cpumask, and in which order a switch tells others.

import { describe, expect, test } from "vitest";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import type { MutationName } from "../../../src/kernel/operation/mutation.ts";
import { linux618 } from "../../../src/kernel/shootdown/linux-6.18.ts";
import { goLazy, type Lab, play, runOn, type Script } from "../lab.ts";
import { eventsOf } from "../scene.ts";
import { watchingSwitches } from "./watched.ts";

const protocol = linux618;

const maskOf = (mm: Mm): number[] => [0, 1].filter((cpu) => mm.cpumask.has(cpu));

test("mm_cpumask keeps the bit of a CPU that has gone on to another address space", () => {
  const script: Script = function* (cpu, lab) {
    const [a, b] = [lab.mm("a"), lab.mm("b")];
    yield* runOn(cpu, a);
    yield* runOn(cpu, b);
    expect([maskOf(a), maskOf(b)]).toEqual([[0], [0]]);
    yield* runOn(cpu, lab.kernel.initMm);
    expect([maskOf(a), maskOf(b), maskOf(lab.kernel.initMm)]).toEqual([[0], [0], []]);
  };
  expect(play({ protocol }, script).ended).toBe("stopped");
});

/** The operations of the last switch of `visit`, which goes from address space to address space. */
function lastSwitch(
  visit: (lab: Lab, a: Mm, b: Mm) => readonly (Mm | "lazy")[],
  mutation?: MutationName,
): string[] {
  const operations: string[] = [];
  const watched = watchingSwitches(protocol, function* (_cpu, words) {
    operations.push(words);
  });
  const script: Script = function* (cpu, lab) {
    for (const next of visit(lab, lab.mm("a"), lab.mm("b"))) {
      operations.length = 0;
      yield* next === "lazy" ? goLazy(cpu) : runOn(cpu, next);
    }
  };
  const kernel = mutation === undefined ? {} : { mutation };
  expect(play({ protocol: watched, kernel }, script).violations).toEqual([]);
  return operations;
}

const LOOKS = ["load cpu0.loaded_mm", "load cpu0.is_lazy"];
const SAYS = "store cpu0.loaded_mm";
const READS = "load a.context.tlb_gen";

describe("a switch", () => {
  test("says SWITCHING, sets its bit, and only then reads the generation", () => {
    expect(lastSwitch((_lab, a) => [a])).toEqual([
      ...LOOKS,
      SAYS,
      "load a.cpumask[0]",
      "locked a.cpumask[0]",
      READS,
      "storeOwn", // ctxs[].tlb_gen
      "writeCr3",
      SAYS,
    ]);
  });

  test("to where its bit is still set takes a barrier in place of the locked operation", () => {
    expect(lastSwitch((_lab, a, b) => [a, b, a])).toEqual([
      ...LOOKS,
      SAYS,
      "load a.cpumask[0]",
      "fence",
      READS,
      "writeCr3",
      SAYS,
    ]);
  });

  test("to init_mm, which has no mask, takes the barrier too", () => {
    const operations = lastSwitch(({ kernel }, a) => [a, kernel.initMm]);
    expect(operations.slice(2)).toEqual([
      SAYS,
      "fence",
      "load init_mm.context.tlb_gen",
      "writeCr3",
      SAYS,
    ]);
  });

  test("between two threads of one process looks at nothing else", () => {
    expect(lastSwitch((_lab, a) => [a, a])).toEqual(LOOKS);
  });

  test("back from lazy use takes a barrier before it compares generations", () => {
    expect(lastSwitch((_lab, a) => [a, "lazy", a])).toEqual([
      ...LOOKS,
      "store cpu0.is_lazy",
      "fence",
      READS,
    ]);
  });

  test("of 6.17 before CVE-2025-40174 was fixed had no barrier where its bit was set", () => {
    const operations = lastSwitch((_lab, a, b) => [a, b, a], "no-barrier-before-generation");
    expect(operations.slice(2)).toEqual([SAYS, "load a.cpumask[0]", READS, "writeCr3", SAYS]);
  });

  test("of the first backports said SWITCHING after it had read the generation", () => {
    const operations = lastSwitch((_lab, a, b) => [a, b, a], "switching-stored-late");
    const inOrder = operations.filter((words) => [SAYS, READS, "writeCr3"].includes(words));
    expect(inOrder).toEqual([READS, SAYS, "writeCr3", SAYS]);
  });
});

test("ASID slots and generations are those of 5.13", () => {
  const script: Script = function* (cpu, lab) {
    const [a, b] = [lab.mm("a"), lab.mm("b")];
    for (const mm of [a, b, a]) yield* runOn(cpu, mm);
    b.tlbGeneration.value++;
    yield* runOn(cpu, b);
    yield* goLazy(cpu);
    b.tlbGeneration.value++;
    yield* runOn(cpu, b);
  };
  const written = eventsOf(play({ protocol }, script), "cr3Written");
  expect(written.map(({ pcid, keep }) => `${pcid} ${keep ? "keep" : "flush"}`)).toEqual([
    "2 flush",
    "3 flush",
    "2 keep",
    "3 flush",
    "3 flush",
  ]);
});
