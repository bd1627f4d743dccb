// What kernel functions need of their callers: interrupts on or off, locks held. Who calls them
// otherwise is told, and sections with interrupts off nest.

import { describe, expect, test } from "vitest";
import { wakeUp, schedule } from "../../../src/kernel/cpu/schedule.ts";
import { callMany, flushCallQueue, onEachCpu, waitForCalls } from "../../../src/kernel/cpu/smp.ts";
import { enterLazyTlb, switchMmTo } from "../../../src/kernel/cpu/switch-mm.ts";
import { lockAreas, lockForChange, unlockAreas } from "../../../src/kernel/locking/area-lock.ts";
import {
  lockForReading,
  spinLock,
  spinUnlock,
  unlockForReading,
  unlockForWriting,
} from "../../../src/kernel/locking/lock.ts";
import { flushKernelRange } from "../../../src/kernel/memory/flush.ts";
import { mmput } from "../../../src/kernel/memory/mm-count.ts";
import { unmapLocked } from "../../../src/kernel/memory/mmap.ts";
import { MmuGather, zapArea } from "../../../src/kernel/memory/mmu-gather.ts";
import { useTemporaryMm } from "../../../src/kernel/memory/temporary-mm.ts";
import { flushBatchedPending } from "../../../src/kernel/memory/unmap-batch.ts";
import { VMALLOC_START } from "../../../src/kernel/memory/vmalloc.ts";
import {
  restoreInterrupts,
  saveInterrupts,
} from "../../../src/kernel/operation/interrupt-operation.ts";
import {
  disableInterrupts,
  enableInterrupts,
  type KernelCode,
  store,
} from "../../../src/kernel/operation/operation.ts";
import { takeCpuDown } from "../../../src/kernel/process/hotplug.ts";
import { giveBackGlobalAsid } from "../../../src/kernel/shootdown/global-asid.ts";
import { protocols } from "../../../src/kernel/shootdown/protocols.ts";
import type { Cpu } from "../../../src/kernel/state/cpu.ts";
import type { Mm } from "../../../src/kernel/state/mm.ts";
import { pageRange } from "../../../src/base/address.ts";
import { flush, memory, play, runOn } from "../lab.ts";
import type { SceneOptions } from "../scene.ts";

type Does = (cpu: Cpu, mm: Mm) => KernelCode<unknown>;

/** What is reported when CPU 0, which has `mm` loaded, does this. */
function reported(does: Does, options: SceneOptions = {}): string[] {
  const { violations } = play(options, function* (cpu, lab) {
    const mm = lab.mm("mm");
    yield* runOn(cpu, mm);
    yield* does(cpu, mm);
  });
  return violations.map(({ invariant, message }) => `${invariant}: ${message}`);
}

const masked = (does: Does): Does =>
  function* (cpu, mm) {
    yield* disableInterrupts();
    yield* does(cpu, mm);
    yield* enableInterrupts();
  };

function* underMmapLock(mm: Mm, body: KernelCode<unknown>): KernelCode {
  yield* lockAreas(mm);
  yield* body;
  yield* unlockAreas(mm);
}

function* underPageTableLock(mm: Mm, body: KernelCode<unknown>): KernelCode {
  const lock = mm.pageTableLocks.of(memory(1).start, "4K");
  yield* spinLock(lock);
  yield* body;
  yield* spinUnlock(lock);
}

const kernelPage = pageRange(VMALLOC_START, 1);
const nothing = function* (): KernelCode {};
const area = { ...memory(64), writable: true, executable: false };

describe("with interrupts off a CPU may wait for ever", () => {
  const waiting: Record<string, Does> = {
    flush_tlb_mm_range: (cpu, mm) => flush(cpu, mm, memory(1)),
    flush_tlb_kernel_range: (cpu) => flushKernelRange(cpu, kernelPage),
    smp_call_function_many_cond: (cpu) => callMany(cpu, [1], nothing),
    on_each_cpu_cond_mask: (cpu) => onEachCpu(cpu, nothing),
    down_read: (_cpu, mm) => lockForReading(mm.mmapLock),
    down_write: (_cpu, mm) => lockAreas(mm),
    schedule: (cpu) => schedule(cpu),
    mmput: (cpu, mm) => mmput(cpu, mm),
  };
  test.each(Object.entries(waiting))("in %s", (name, does) => {
    expect(reported(masked(does))[0]).toBe(`I10: ${name} called with interrupts off on CPU 0`);
  });

  test("in csd_lock_wait, for calls that were made before", () => {
    const found = reported(function* (cpu) {
      const called = yield* callMany(cpu, [1], nothing);
      yield* disableInterrupts();
      yield* waitForCalls(called);
      yield* enableInterrupts();
    });
    expect(found).toEqual(["I10: csd_lock_wait called with interrupts off on CPU 0"]);
  });

  test.each(Object.values(protocols))("in a flush of $name", (protocol) => {
    const pcid = protocol.traits.pcid !== "none";
    const flushes: Does = (cpu, mm) => flush(cpu, mm, memory(1));
    const expected = "I10: flush_tlb_mm_range called with interrupts off on CPU 0";
    expect(reported(masked(flushes), { protocol, pcid })[0]).toBe(expected);
    expect(reported(flushes, { protocol, pcid })).toEqual([]);
  });

  test("with a spinlock held, in what may sleep", () => {
    const found = reported((_cpu, mm) => underPageTableLock(mm, lockForReading(mm.mmapLock)));
    expect(found).toEqual([`I10: down_read called with mm.ptl:4K[80] held on CPU 0`]);
  });
});

describe("with interrupts on a flush may find half of what is done", () => {
  const exclusive: Record<string, Does> = {
    switch_mm_irqs_off: (cpu, mm) => switchMmTo(cpu, mm),
    enter_lazy_tlb: (cpu) => enterLazyTlb(cpu, null),
    use_temporary_mm: (cpu, mm) => useTemporaryMm(cpu, mm),
    __flush_smp_call_function_queue: (cpu) => flushCallQueue(cpu),
  };
  test.each(Object.entries(exclusive))("of %s", (name, does) => {
    expect(reported(does)[0]).toBe(`I11: ${name} called with interrupts on on CPU 0`);
    expect(reported(masked(does))).toEqual([]);
  });
});

describe("without its lock a function shares what it changes", () => {
  const writing: Record<string, Does> = {
    unmap_region: (cpu, mm) => unmapLocked(cpu, mm, memory(1)),
    vma_start_write: (_cpu, mm) => lockForChange(mm, []),
  };
  test.each(Object.entries(writing))("%s, mmap_lock for writing", (name, does) => {
    const expected = `I11: ${name} called without mm.mmap_lock held for writing on CPU 0`;
    expect(reported(does)[0]).toBe(expected);
    const reading = reported(function* (cpu, mm) {
      yield* lockForReading(mm.mmapLock);
      yield* does(cpu, mm);
      yield* unlockForReading(mm.mmapLock);
    });
    expect(reading[0]).toBe(expected);
    expect(reported((cpu, mm) => underMmapLock(mm, does(cpu, mm)))).toEqual([]);
  });

  test("unmap_page_range, mmap_lock or that of an area", () => {
    const zap: Does = (cpu, mm) => zapArea(cpu, new MmuGather(mm, false), area);
    const expected = "without mmap_lock or the lock of an area of mm held on CPU 0";
    expect(reported(zap)).toEqual([`I11: unmap_page_range called ${expected}`]);
    expect(reported((cpu, mm) => underMmapLock(mm, zap(cpu, mm)))).toEqual([]);
  });

  test("flush_tlb_batched_pending, a page-table lock of the same mm", () => {
    const pending: Does = (cpu, mm) => flushBatchedPending(cpu, mm);
    const expected = "I11: flush_tlb_batched_pending called without a page-table lock of mm held";
    expect(reported(pending)).toEqual([`${expected} on CPU 0`]);
    expect(reported((cpu, mm) => underPageTableLock(mm, pending(cpu, mm)))).toEqual([]);
  });

  test("and a lock that another CPU holds is no lock of its own", () => {
    const { violations } = play(
      {},
      function* (_cpu, lab) {
        yield* lockAreas(lab.kernel.initMm);
        yield* lab.done(1);
        yield* lab.after(2);
        yield* unlockAreas(lab.kernel.initMm);
      },
      function* (_cpu, lab) {
        yield* lab.after(1);
        yield* lockForChange(lab.kernel.initMm, []);
        yield* lab.done(2);
      },
    );
    const expected = "without init_mm.mmap_lock held for writing on CPU 1";
    expect(violations.map(({ message }) => message)).toEqual([
      `vma_start_write called ${expected}`,
    ]);
  });

  test("giving up a lock that the task does not hold is told", () => {
    const of = (does: (mm: Mm) => KernelCode): string[] => reported((_cpu, mm) => does(mm));
    const without = "called without mm.mmap_lock held on CPU 0";
    expect(of((mm) => unlockForWriting(mm.mmapLock))).toEqual([`I11: up_write ${without}`]);
    expect(of((mm) => unlockForReading(mm.mmapLock))).toEqual([`I11: up_read ${without}`]);
    expect(of((mm) => spinUnlock(mm.mmapLock))).toEqual([`I11: spin_unlock ${without}`]);
  });
});

describe("sections with interrupts off nest", () => {
  test("what was off before a saved section is off after it", () => {
    const flags: boolean[] = [];
    const section = function* (cpu: Cpu, inner: KernelCode): KernelCode {
      const saved = yield* saveInterrupts(cpu);
      flags.push(cpu.interruptsOn);
      yield* inner;
      yield* restoreInterrupts(cpu, saved);
      flags.push(cpu.interruptsOn);
    };
    expect(reported((cpu) => section(cpu, section(cpu, nothing())))).toEqual([]);
    expect(flags).toEqual([false, false, false, true]);
  });

  test("restoring what is on already is told", () => {
    const found = reported((cpu) => restoreInterrupts(cpu, true));
    expect(found).toEqual(["I11: local_irq_restore called with interrupts on on CPU 0"]);
  });

  const nesting: Record<string, Does> = {
    "waking a task": (cpu) => wakeUp(cpu, cpu.kernel.cpus[1]!.idle),
    "giving back a global ASID": function* (cpu, mm) {
      yield* store(mm.globalAsid, 7);
      yield* giveBackGlobalAsid(cpu, mm);
    },
    "taking a CPU down": (cpu) => takeCpuDown(cpu),
  };
  test.each(Object.entries(nesting))("%s leaves the flag as it was", (_name, does) => {
    const flags: boolean[] = [];
    const looks: Does = function* (cpu, mm) {
      yield* does(cpu, mm);
      flags.push(cpu.interruptsOn);
    };
    expect([reported(masked(looks)), reported(looks)]).toEqual([[], []]);
    expect(flags).toEqual([false, true]);
  });
});
