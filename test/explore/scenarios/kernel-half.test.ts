// Kernel pages that a scenario of one's own changes: every CPU may have cached them, whatever it
// runs. After public reports of hypervisors and kernels that invalidated where they were alone.

import { describe, expect, test } from "vitest";
import type { PageRange } from "../../../src/base/address.ts";
import type { Scenario } from "../../../src/explore/scenarios/scenario.ts";
import { onEachCpu } from "../../../src/kernel/cpu/smp.ts";
import { flushKernelRange, flushRange } from "../../../src/kernel/memory/flush.ts";
import { vmalloc } from "../../../src/kernel/memory/vmalloc.ts";
import { leftUnflushed, revoked } from "../../../src/kernel/memory/withdrawal.ts";
import { Cell } from "../../../src/kernel/operation/cell.ts";
import {
  exchangeEntry,
  fence,
  invlpg,
  kernelAccess,
  type KernelCode,
  store,
  waitUntil,
  writeEntry,
} from "../../../src/kernel/operation/operation.ts";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { verdict } from "../verdict.ts";

interface Remapped {
  readonly initMm: Mm;
  readonly range: PageRange;
}

const OTHER_FRAME = 0x4000n;

/** CPU 0 gives a kernel page another frame, does what `then` says and tells CPU 1, which reads. */
const remapping = (then: (cpu: Cpu, remapped: Remapped) => KernelCode): Scenario => ({
  name: "mine",
  summary: "a kernel page gets another frame",
  cpus: 2,
  prepare(stage) {
    const [cpu0, cpu1] = stage.cpus;
    const { initMm } = stage.kernel;
    const mm = stage.mm("mm");
    const done = new Cell("done", { index: 0 }, 0);
    stage.switchTo(stage.task(cpu0, "mapper", mm));
    stage.switchTo(stage.task(cpu1, "reader", mm));
    let range: PageRange | undefined;
    const prepared = function* (): KernelCode {
      range = yield* vmalloc(cpu0, 1);
    };
    stage.run(cpu0, prepared());
    const { start } = range!;
    return [
      function* (cpu) {
        const old = yield* exchangeEntry(initMm, start, 0n);
        yield* writeEntry(initMm, start, old ^ OTHER_FRAME);
        yield* fence();
        yield* then(cpu, { initMm, range: range! });
        yield* store(done, 1);
      },
      function* () {
        yield* waitUntil(done, (value) => value === 1);
        yield* kernelAccess(start, "read");
      },
    ];
  },
});

const NEVER = /^I1: CPU 0 withdrew entries of .* \(init_mm\) that were never flushed$/;

describe("a flush of the kernel half that is forgotten is found", () => {
  test("where nobody flushes", async () => {
    expect(await verdict(remapping(function* () {}))).toMatch(NEVER);
    const flushed = remapping((cpu, { range }) => flushKernelRange(cpu, range));
    expect(await verdict(flushed)).toBe("clean");
  });

  test("where the CPU that changes it invalidates for itself", async () => {
    expect(await verdict(remapping((_cpu, { range }) => invlpg(range.start)))).toMatch(NEVER);
  });

  test.each(["linux-6.18", "linux-4.8", "freebsd"] as const)(
    "under %s where it is flushed as a user's range of init_mm, which goes to nobody",
    async (protocol) => {
      const asUsers = remapping((cpu, { initMm: mm, range }) =>
        flushRange(cpu, { mm, range, freedTables: false }),
      );
      expect(await verdict(asUsers, { protocol })).toMatch(NEVER);
    },
  );

  test("unless the scenario says that it may stay", async () => {
    const left = remapping((_cpu, { initMm, range }) => leftUnflushed(initMm, range));
    expect(await verdict(left)).toBe("clean");
  });
});

describe("a shootdown of one's own of kernel pages", () => {
  /** INVLPG on every CPU, of the page or of the next one. */
  const byCall = (offset: 0 | 1): Scenario =>
    remapping(function* (cpu, { initMm, range: { start, end } }) {
      yield* onEachCpu(cpu, () => invlpg((start + offset) as typeof start));
      yield* revoked(initMm, { start, end });
    });

  test("is clean where it reaches every CPU", async () => {
    expect(await verdict(byCall(0))).toBe("clean");
  });

  test("is found where it invalidates another page", async () => {
    expect(await verdict(byCall(1))).toBe(
      "I8: CPU 0 has revoked kernel pages 0xffffc90000000 to 0xffffc90000001 " +
        "while CPU 0 holds a global translation of one that is older than that",
    );
  });

  test("is found where it leaves out a CPU", async () => {
    const here = remapping(function* (_cpu, { initMm, range }) {
      yield* invlpg(range.start);
      yield* revoked(initMm, range);
    });
    expect(await verdict(here)).toMatch(/^I8: CPU 0 has revoked .* while CPU 1 holds a global/);
  });
});
