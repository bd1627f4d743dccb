// Kernels with one mistake each: the default plus one change. What the checkers must catch.

import { Cell } from "../../src/kernel/operation/cell.ts";
import type { Cpu } from "../../src/kernel/state/cpu.ts";
import { cpusOf } from "../../src/kernel/cpu/cpumask.ts";
import { switchingWithActiveMm } from "../../src/kernel/lazy/active-mm.ts";
import type { LazyPolicy } from "../../src/kernel/state/lazy-policy.ts";
import { refcounted } from "../../src/kernel/lazy/refcounted.ts";
import type { Mm } from "../../src/kernel/state/mm.ts";
import { mmdrop, mmgrab } from "../../src/kernel/memory/mm-count.ts";
import {
  invlpg,
  type KernelCode,
  locked,
  note,
  type Operation,
  waitUntil,
} from "../../src/kernel/operation/operation.ts";
import { linux513 } from "../../src/kernel/shootdown/linux-5.13.ts";
import type { FlushRequest, ShootdownProtocol } from "../../src/kernel/state/shootdown-protocol.ts";
import { callMany, waitForCalls } from "../../src/kernel/cpu/smp.ts";

type Flush = ShootdownProtocol["flushRange"];

/** The default, but for flushes that free no page table: those are `flush`. */
const flushingBy = (flush: Flush): ShootdownProtocol => ({
  ...linux513,
  flushRange: (cpu, request) =>
    request.freedTables ? linux513.flushRange(cpu, request) : flush(cpu, request),
});

function* invalidateHere({ mm, range }: FlushRequest): KernelCode<boolean> {
  yield* locked(mm.tlbGeneration, (old) => old + 1);
  for (let page = range.start; page < range.end; page++) yield* invlpg(page);
  return false;
}

/** No CPU but its own is ever told. */
export const skipsRemoteFlush = flushingBy((_cpu, request) => invalidateHere(request));

/** Nothing is invalidated anywhere, and no generation raised. */
export const flushesNothing = flushingBy(function* () {
  return false;
});

/** The pages are given back first, and only then flushed. */
export const freesBeforeFlush = flushingBy(function* (cpu, request) {
  yield* note({ kind: "pagesFreed", mm: request.mm, range: request.range });
  return yield* linux513.flushRange(cpu, request);
});

/** The same code with some of its operations replaced. */
function* rewriting(code: KernelCode, change: (operation: Operation) => Operation): KernelCode {
  for (let step = code.next(); step.done !== true;) step = code.next(yield change(step.value));
}

/** Every switch keeps what the PCID holds, whatever its generation and whose it was. */
export const keepsEverySlot: ShootdownProtocol = {
  ...linux513,
  switchMm: (cpu, next) =>
    rewriting(linux513.switchMm(cpu, next), (operation) =>
      operation.kind === "writeCr3" ? { ...operation, keep: true } : operation,
    ),
};

/** CVE-2025-22045: a table is unlinked, and the flush is told that none was. */
export const hidesFreedTables: ShootdownProtocol = {
  ...linux513,
  flushRange: (cpu, request) => linux513.flushRange(cpu, { ...request, freedTables: false }),
};

/** The handler on the other CPU waits for what never comes, so that its call slot stays taken. */
export const neverAnswers: ShootdownProtocol = {
  ...linux513,
  *flushRange(cpu: Cpu, { mm }: FlushRequest) {
    const never = new Cell("never", cpu.kernel.allocateLine(cpu.id), 0);
    yield* locked(mm.tlbGeneration, (old) => old + 1);
    const targets = yield* cpusOf(mm.cpumask);
    const called = yield* callMany(cpu, targets, function* () {
      yield* waitUntil(never, () => false);
    });
    yield* waitForCalls(called);
    return true;
  },
};

const countingBy = (drop: (cpu: Cpu, mm: Mm) => KernelCode): LazyPolicy => ({
  ...refcounted,
  ...switchingWithActiveMm({ grab: (_cpu, mm) => mmgrab(mm), drop }),
});

/** mmdrop_lazy_tlb forgets to. */
export const losesDrop = countingBy(function* () {});

/** mmdrop_lazy_tlb drops what it does not hold, too. */
export const dropsTwice = countingBy(function* (cpu, mm) {
  yield* mmdrop(cpu, mm);
  yield* mmdrop(cpu, mm);
});
