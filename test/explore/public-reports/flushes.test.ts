// Public reports of flushes that miss a CPU, or that one relies on too early: the fault is found,
// and the kernel without it is clean. docs/public-reports.md has where they are from.

import { describe, expect, test } from "vitest";
import type { Scenario } from "../../../src/explore/scenarios/scenario.ts";
import { scenarioNamed } from "../../../src/explore/scenarios/scenarios.ts";
import { onePage } from "../../../src/explore/scenarios/stage.ts";
import { clearCpu, cpusOf, setCpu } from "../../../src/kernel/cpu/cpumask.ts";
import { switchMmTo } from "../../../src/kernel/cpu/switch-mm.ts";
import { spinLock, spinUnlock } from "../../../src/kernel/locking/lock.ts";
import { flushRange } from "../../../src/kernel/memory/flush.ts";
import { madviseDontNeed, madviseFree } from "../../../src/kernel/memory/madvise.ts";
import { reclaim } from "../../../src/kernel/memory/reclaim.ts";
import { revoked, revoking } from "../../../src/kernel/memory/withdrawal.ts";
import {
  disableInterrupts,
  enableInterrupts,
  exchangeEntry,
  type KernelCode,
  locked,
  store,
  waitUntil,
  writeEntry,
} from "../../../src/kernel/operation/operation.ts";
import { freebsd, shootDown } from "../../../src/kernel/shootdown/freebsd.ts";
import { linux513 } from "../../../src/kernel/shootdown/linux-5.13.ts";
import { madeOld } from "../../../src/kernel/state/leaf-entry.ts";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { verdict } from "../verdict.ts";
import { twoThreads } from "./two-threads.ts";

const nothing = function* (): KernelCode {};

describe("a page that another thread has taken away and not yet flushed (Linux to 4.12)", () => {
  const meanwhile = (does: (cpu: Cpu, mm: Mm) => KernelCode): Scenario =>
    twoThreads(({ stage, mm, word: taken }) => [
      function* (cpu) {
        yield* revoking(mm, onePage());
        yield* exchangeEntry(mm, onePage().start, 0n);
        yield* store(taken, 1);
        yield* flushRange(cpu, { mm, range: onePage(), freedTables: false });
        yield* revoked(mm, onePage());
      },
      function* (cpu) {
        yield* waitUntil(taken, (value) => value === 1);
        yield* does(cpu, mm);
        yield* stage.touch("read");
      },
    ]);

  test.each(["linux-4.15", "linux-4.8"] as const)(
    "is used after MADV_DONTNEED, where nobody counts who has yet to flush: %s",
    async (protocol) => {
      const discarded = meanwhile((cpu, mm) => madviseDontNeed(cpu, mm, onePage()));
      const kernel = { protocol, memory: "sc" } as const;
      expect(await verdict(discarded, kernel)).toMatch(/^I1: CPU 1 uses .* by CPU 1, at/);
      expect(await verdict(meanwhile(nothing), kernel)).toBe("clean");
    },
  );
});

describe("a page that another thread has made clean and not yet flushed (MADV_FREE)", () => {
  const meanwhile = (does: (cpu: Cpu, mm: Mm) => KernelCode): Scenario =>
    twoThreads(({ stage, mm, word: cleaned }) => {
      stage.run(stage.cpus[1], stage.touch("write", { cpu: stage.cpus[1] }));
      return [
        function* (cpu) {
          const { start: page } = onePage();
          const lock = mm.pageTableLocks.of(page, "4K");
          yield* spinLock(lock);
          yield* writeEntry(mm, page, madeOld(yield* exchangeEntry(mm, page, 0n)));
          yield* spinUnlock(lock);
          yield* store(cleaned, 1);
          yield* flushRange(cpu, { mm, range: onePage(), freedTables: false });
        },
        function* (cpu) {
          yield* waitUntil(cleaned, (value) => value === 1);
          yield* does(cpu, mm);
          yield* stage.touch("write");
        },
      ];
    });

  test.each(["linux-4.15", "linux-4.8"] as const)(
    "is written through the old entry after MADV_FREE, and the write is lost: %s",
    async (protocol) => {
      const freed = meanwhile((cpu, mm) => madviseFree(cpu, mm, onePage()));
      const kernel = { protocol, memory: "sc" } as const;
      expect(await verdict(freed, kernel)).toMatch(/^I1: CPU 1 uses .* by CPU 1, at/);
      expect(await verdict(meanwhile(nothing), kernel)).toBe("clean");
    },
  );
});

describe("a page is discarded while a CPU switches within its process (OpenBSD)", () => {
  type Switch = (cpu: Cpu, mm: Mm, other: Mm) => KernelCode;
  const during = (does: Switch): Scenario =>
    twoThreads(({ stage, mm, other }) => [
      (cpu) => madviseDontNeed(cpu, mm, onePage()),
      function* (cpu) {
        yield* disableInterrupts();
        yield* does(cpu, mm, other);
        yield* enableInterrupts();
        yield* stage.touch("read");
      },
    ]);

  describe.each(["linux-5.13", "linux-4.8"] as const)("%s", (protocol) => {
    const kernel = { protocol, memory: "sc" } as const;

    test("misses it if its bit is cleared and set again", async () => {
      const toggled = during(function* ({ id }, mm) {
        yield* clearCpu(mm.cpumask, id);
        yield* setCpu(mm.cpumask, id);
      });
      expect(await verdict(toggled, kernel)).toMatch(/^I1: CPU 1 uses .* by CPU 0, at/);
    });

    test("reaches it if the bit stays, or if it goes to another process and back", async () => {
      expect(await verdict(during(nothing), kernel)).toBe("clean");
      const elsewhere = during(function* (cpu, mm, other) {
        yield* switchMmTo(cpu, other);
        yield* switchMmTo(cpu, mm);
      });
      expect(await verdict(elsewhere, kernel)).toBe("clean");
    });

    test("is told of a bit that is cleared after the way back", async () => {
      const late = during(({ id }, mm) => clearCpu(mm.cpumask, id));
      expect(await verdict(late, kernel)).toMatch(/^I7: CPU 1 has answered a flush/);
    });
  });
});

describe("FreeBSD marks the PCIDs of other CPUs (FreeBSD-EN-22:04.pcid)", () => {
  const name = "discard-against-switch-in";
  const under = (protocol: typeof freebsd) =>
    verdict(scenarioNamed(name), { protocol, memory: "sc" });

  test("and a CPU that switches in meanwhile keeps nothing", async () => {
    expect(await under(freebsd)).toBe("clean");
  });

  test("and without it that CPU uses what its old PCID holds", async () => {
    const unmarked: typeof freebsd = {
      ...freebsd,
      *flushRange(cpu, { mm, range }) {
        return yield* shootDown(cpu, yield* cpusOf(mm.cpumask), { mm, range });
      },
    };
    expect(await under(unmarked)).toMatch(/^I1: CPU 1 uses .* by CPU 0, at/);
  });
});

describe("reclaim puts the flush of a page off while a CPU comes back to its mm", () => {
  const scenario: Scenario = {
    name: "mine",
    summary: "a page is reclaimed while a CPU that is in no mask comes back to its mm",
    cpus: 3,
    prepare(stage) {
      const [cpu0, cpu1, cpu2] = stage.cpus;
      const mm = stage.mm("mm");
      stage.switchTo(stage.task(cpu0, "kswapd", null));
      stage.switchTo(stage.task(cpu2, "owner", mm));
      stage.returningReader(cpu1, mm);
      return [(cpu) => reclaim(cpu, [{ mm, page: onePage().start }])];
    },
  };

  test("linux-5.13 raises the generation before it reads the mask", async () => {
    expect(await verdict(scenario, { protocol: linux513, memory: "sc" })).toBe("clean");
  });

  test("the other way round the CPU is missed", async () => {
    const early: typeof linux513 = {
      ...linux513,
      batchedUnmap: {
        ...linux513.batchedUnmap!,
        add: function* (_cpu, batch, { mm }) {
          for (const id of yield* cpusOf(mm.cpumask)) batch.cpus.add(id);
          yield* locked(mm.tlbGeneration, (generation) => generation + 1);
        },
      },
    };
    expect(await verdict(scenario, { protocol: early, memory: "sc" })).toMatch(/^I1: CPU 1 uses/);
  });
});
