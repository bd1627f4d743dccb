// flush_tlb_kernel_range: who is interrupted, what each CPU drops, and which slots it gives up.

import { describe, expect, test } from "vitest";
import { type PageRange, pageRange } from "../../../src/base/address.ts";
import { flushKernelRange } from "../../../src/kernel/memory/flush.ts";
import type { KernelOptions } from "../../../src/kernel/state/kernel-options.ts";
import type { MutationName } from "../../../src/kernel/operation/mutation.ts";
import { type KernelCode, kernelAccess } from "../../../src/kernel/operation/operation.ts";
import { vfree, vmalloc, VMALLOC_START } from "../../../src/kernel/memory/vmalloc.ts";
import { goLazy, type Lab, memory, play, runOn, type Script, touch } from "../lab.ts";
import { eventsOf, type Outcome, type SceneOptions } from "../scene.ts";
import { protocols } from "../../../src/kernel/shootdown/protocols.ts";
import { withInvlpgb } from "./active-scene.ts";

const PTI = { pti: true, invpcid: true };

/** Reads each page of a kernel range. */
function* read({ start, end }: PageRange): KernelCode {
  for (let page = start as number; page < end; page++) {
    yield* kernelAccess(page as PageRange["start"], "read");
  }
}

/** CPU 0 maps, reads and unmaps `pages`; CPU 1 is lazy on another mm, CPU 2 idle. */
function flushOn(
  kernel: Partial<KernelOptions>,
  pages: number,
  scene: SceneOptions = {},
): Outcome & { readonly lab: Lab } {
  const flusher: Script = function* (cpu, lab) {
    yield* runOn(cpu, lab.mm("mm"));
    yield* lab.after(1);
    const range = yield* vmalloc(cpu, pages);
    yield* read(range);
    lab.kernel.machine.resetCounters();
    yield* flushKernelRange(cpu, range);
    yield* lab.done(2);
  };
  const lazy: Script = function* (cpu, lab) {
    yield* runOn(cpu, lab.mm("other"));
    yield* touch(memory(1), "write");
    yield* goLazy(cpu);
    yield* lab.done(1);
    yield* lab.after(2);
  };
  const outcome = play({ ...scene, cores: 3, kernel }, flusher, lazy);
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  return outcome;
}

const countersOf = ({ lab }: { readonly lab: Lab }) =>
  lab.kernel.cpus.map(({ id }) => lab.kernel.machine.counters(id));

describe("a flush of kernel pages", () => {
  test("is made on every CPU, lazy and idle ones included, which stay where they are", () => {
    const outcome = flushOn({}, 2);
    const flushed = eventsOf(outcome, "flushed").map(({ at, how }) => `${at.cpu} ${how}`);
    expect(flushed.sort()).toEqual(["0 ranged", "1 ranged", "2 ranged"]);
    const interrupted = eventsOf(outcome, "ipiSent").map(({ target }) => target);
    expect(interrupted).toEqual([1, 2]);
    expect(outcome.kernel.cpus[1]!.tlb.isLazy.value).toBe(true);
    expect(outcome.kernel.cpus[1]!.tlb.loadedMm.value).toMatchObject({ name: "other" });
  });

  test("is an INVLPG for each page up to the ceiling, and everything above it", () => {
    expect(countersOf(flushOn({}, 33)).map(({ invlpgs }) => invlpgs)).toEqual([33, 33, 33]);
    const above = countersOf(flushOn({ invpcid: true }, 34));
    expect(above.map(({ invlpgs, invpcids }) => [invlpgs, invpcids])).toEqual(
      Array.from({ length: 3 }, () => [0, 1]),
    );
  });

  test("toggles CR4.PGE in place of INVPCID where the CPU has none, and leaves PGE set", () => {
    const outcome = flushOn({ invpcid: false }, 34);
    expect(countersOf(outcome).map(({ cr4Writes }) => cr4Writes)).toEqual([2, 2, 2]);
    for (const { id } of outcome.kernel.cpus) {
      expect(outcome.kernel.machine.registers(id).cr4 & (1n << 7n)).not.toBe(0n);
    }
  });

  test("leaves no global translation behind in any PCID", () => {
    for (const pages of [4, 40]) {
      for (const invpcid of [true, false]) {
        expect(walksAfterFlush({ invpcid }, pages)).toBe(pages);
      }
    }
  });
});

/** Walks of a kernel read in an mm that was not loaded when the range was flushed and remapped. */
function walksAfterFlush(
  kernel: Partial<KernelOptions>,
  pages: number,
  scene: SceneOptions = {},
): number {
  let walks = 0;
  const script: Script = function* (cpu, lab) {
    const [first, second] = [lab.mm("first"), lab.mm("second")];
    yield* runOn(cpu, first);
    const range = yield* vmalloc(cpu, pages);
    yield* read(range);
    yield* runOn(cpu, second);
    yield* vfree(cpu, range);
    expect(yield* vmalloc(cpu, pages)).toEqual(range);
    yield* runOn(cpu, first);
    const before = lab.kernel.machine.counters(0).walks;
    yield* read(range);
    walks = lab.kernel.machine.counters(0).walks - before;
  };
  const outcome = play({ ...scene, kernel }, script);
  expect([outcome.ended, outcome.violations]).toEqual(["stopped", []]);
  return walks;
}

describe("under linux-4.8", () => {
  test.each([
    [33, "other", "stays lazy on its mm after a flush of pages"],
    [34, "init_mm", "leaves its mm once it has flushed everything"],
  ])("a lazy CPU, flushed of %i pages, is on %s: it %s", (pages, root) => {
    const { kernel } = flushOn({}, pages, { protocol: protocols["linux-4.8"], pcid: false });
    const mm = kernel.cpus[1]!.tlb.activeMm.value;
    const expected = root === "init_mm" ? kernel.initMm.root : mm.root;
    expect([mm.name, kernel.machine.root(1)]).toEqual(["other", expected]);
  });
});

describe("linux-6.18 with INVLPGB", () => {
  const flushed = (pages: number): Outcome & { readonly lab: Lab } =>
    flushOn({ invlpgb: true }, pages, withInvlpgb);

  test("interrupts nobody, and begins an INVLPGB for eight pages, or one for everything", () => {
    for (const [pages, extents] of [
      [3, ["pagesOfAll"]],
      [20, ["pagesOfAll", "pagesOfAll", "pagesOfAll"]],
      [34, ["all"]],
    ] as const) {
      const outcome = flushed(pages);
      expect(eventsOf(outcome, "ipiSent")).toEqual([]);
      expect(eventsOf(outcome, "broadcastBegun").map(({ what }) => what.extent)).toEqual(extents);
      expect(eventsOf(outcome, "broadcastsDone")).toHaveLength(1);
    }
  });

  test("leaves no global translation behind in any PCID", () => {
    for (const pages of [4, 40]) {
      expect(walksAfterFlush({ invlpgb: true }, pages, withInvlpgb)).toBe(pages);
    }
  });
});

describe("kernel pages", () => {
  test("are read by one walk for all address spaces while they are global", () => {
    const walks = (kernel: Partial<KernelOptions>): number => {
      let count = 0;
      const script: Script = function* (cpu, lab) {
        const range = yield* vmalloc(cpu, 3);
        lab.kernel.machine.resetCounters();
        for (const name of ["a", "b", "c"]) {
          yield* runOn(cpu, lab.mm(name));
          yield* read(range);
        }
        count = lab.kernel.machine.counters(0).walks;
      };
      play({ kernel }, script);
      return count;
    };
    expect([walks({}), walks(PTI)]).toEqual([3, 9]);
  });

  test("are given the lowest free range, and frames that come back after the flush", () => {
    const script: Script = function* (cpu, lab) {
      const { frames } = lab.kernel;
      const first = yield* vmalloc(cpu, 2);
      const second = yield* vmalloc(cpu, 2);
      expect([first, second].map(({ start }) => start - VMALLOC_START)).toEqual([0, 2]);
      const inUse = frames.inUse;
      yield* vfree(cpu, first);
      expect(frames.inUse).toBe(inUse - 2);
      expect(yield* vmalloc(cpu, 3)).toEqual(pageRange(second.end, 3));
      expect(yield* vmalloc(cpu, 2)).toEqual(first);
    };
    expect(play({}, script).ended).toBe("stopped");
  });
});

describe("with page-table isolation, where kernel pages are not global", () => {
  /** A kernel page is read in one mm, flushed and replaced in another, read again in the first. */
  const readAgain = (kernel: Partial<KernelOptions>, pages = 1): Outcome => {
    const script: Script = function* (cpu, lab) {
      const [first, second] = [lab.mm("first"), lab.mm("second")];
      yield* runOn(cpu, first);
      const range = yield* vmalloc(cpu, pages);
      yield* read(range);
      yield* runOn(cpu, second);
      yield* vfree(cpu, range);
      yield* vmalloc(cpu, pages);
      yield* read(range);
      yield* runOn(cpu, first);
      yield* read(range);
    };
    const outcome = play({ kernel }, script);
    expect(outcome.ended).toBe("stopped");
    return outcome;
  };
  const loadedWith = (outcome: Outcome): string[] =>
    eventsOf(outcome, "cr3Written").map(({ pcid, keep }) => `${pcid} ${keep ? "keep" : "flush"}`);
  const forgets: MutationName = "kernel-flush-forgets-other-pcids";

  test("the slots of the other address spaces are flushed when they come back", () => {
    const outcome = readAgain(PTI);
    expect(outcome.violations).toEqual([]);
    expect(loadedWith(outcome)).toEqual(["2 flush", "3 flush", "4 flush"]);
    expect(loadedWith(readAgain({}))).toEqual(["2 flush", "3 flush", "2 keep"]);
  });

  test("the loaded slot is kept", () => {
    const script: Script = function* (cpu, lab) {
      const [first, second] = [lab.mm("first"), lab.mm("second")];
      yield* runOn(cpu, first);
      yield* vfree(cpu, yield* vmalloc(cpu, 1));
      yield* runOn(cpu, second);
      yield* runOn(cpu, first);
    };
    expect(loadedWith(play({ kernel: PTI }, script))).toEqual(["2 flush", "3 flush", "2 keep"]);
  });

  test("above the ceiling everything goes, and every slot is kept", () => {
    const outcome = readAgain(PTI, 34);
    expect(outcome.violations).toEqual([]);
    expect(loadedWith(outcome)).toEqual(["2 flush", "3 flush", "2 keep"]);
  });

  test("a kernel that forgets the other PCIDs uses a stale translation", () => {
    const { violations } = readAgain({ ...PTI, mutation: forgets });
    expect(violations).toMatchObject([{ invariant: "I1", cpus: [0], mm: "" }]);
    expect(violations[0]!.message).toContain("page 0xffffc90000000 (the kernel)");
  });

  test("it forgets nothing that matters where pages are global, or where everything goes", () => {
    expect(readAgain({ mutation: forgets }).violations).toEqual([]);
    expect(readAgain({ ...PTI, mutation: forgets }, 34).violations).toEqual([]);
  });
});
