// Kernel code by hand: CPUs start with scripts of the test's own, written as kernel code is. A
// script's CPU runs an mm without a scheduler: its idle task stands in for the user task.

import { type PageRange, pageNumber, pageRange } from "../../src/base/address.ts";
import type { Violation } from "../../src/check/violation.ts";
import { Cell } from "../../src/kernel/operation/cell.ts";
import type { Clock } from "../../src/clock/clock.ts";
import { Session } from "../../src/clock/session.ts";
import { flushRange } from "../../src/kernel/memory/flush.ts";
import type { Cpu } from "../../src/kernel/state/cpu.ts";
import type { KernelEvent } from "../../src/kernel/operation/event.ts";
import { idleLoop } from "../../src/kernel/cpu/idle.ts";
import type { Kernel } from "../../src/kernel/state/kernel.ts";
import type { Mm } from "../../src/kernel/state/mm.ts";
import {
  disableInterrupts,
  enableInterrupts,
  type KernelCode,
  runUser,
  store,
  waitUntil,
} from "../../src/kernel/operation/operation.ts";
import { backToUser, enterKernel } from "../../src/kernel/cpu/pti.ts";
import { enterLazyTlb, switchMmTo } from "../../src/kernel/cpu/switch-mm.ts";
import { userStream } from "../../src/machine/stream.ts";
import { bootRequestOf, type Outcome, recorder, type SceneOptions, type Seen } from "./scene.ts";

export class Lab {
  readonly kernel: Kernel;
  private readonly steps: Cell<number>;

  constructor(
    private readonly session: Session,
    /** What happened so far. */
    readonly events: readonly Seen[],
  ) {
    this.kernel = session.kernel;
    this.steps = new Cell("test.steps", this.kernel.allocateLine(0), 0);
  }

  get clock(): Clock {
    return this.session.clock;
  }

  get violations(): readonly Violation[] {
    return this.session.violations;
  }

  /** Says that step `step` of the test is done. */
  *done(step: number): KernelCode {
    yield* store(this.steps, step);
  }

  /** Waits, interrupts enabled, until step `step` is done. */
  *after(step: number): KernelCode {
    yield* waitUntil(this.steps, (reached) => reached >= step);
  }

  /** An mm with one area, writable: the first `pageCount` pages of `memory`. */
  mm(name: string, pageCount = 64): Mm {
    const mm = this.kernel.createMm(name, 0);
    mm.areas.add({ ...memory(pageCount), writable: true, executable: false });
    return mm;
  }

  /** How many events of `kind` there have been so far. */
  count(kind: KernelEvent["kind"]): number {
    return this.events.filter((event) => event.kind === kind).length;
  }
}

export type Script = (cpu: Cpu, lab: Lab) => KernelCode;

/** Where a test's memory is: the first `pageCount` pages of a page table of their own. */
export const memory = (pageCount: number, from = 0): PageRange =>
  pageRange(pageNumber(0x10_000 + from), pageCount);

/** Runs script i on CPU i until all have ended; CPUs without one idle. */
export function play(options: SceneOptions, ...scripts: Script[]): Outcome & { readonly lab: Lab } {
  const { cores = Math.max(2, scripts.length) } = options;
  let left = scripts.length;
  const idleProgram = function* (cpu: Cpu): KernelCode {
    const script = scripts[cpu.id];
    if (script !== undefined) {
      yield* script(cpu, lab);
      if (--left === 0) cpu.kernel.stopped = true;
    }
    yield* idleLoop(cpu);
  };
  const events: Seen[] = [];
  const session = new Session({
    ...bootRequestOf({ ...options, cores }),
    idleProgram,
    checks: true,
    observers: () => [recorder(events)],
  });
  const lab = new Lab(session, events);
  const ended = session.runUntilStarved();
  const { kernel, clock, violations } = session;
  return { kernel, clock, events, violations, ended, lab };
}

/** The CPU goes to `mm` as a user task of it would. */
export function* runOn(cpu: Cpu, mm: Mm): KernelCode {
  yield* disableInterrupts();
  cpu.current.mm = mm;
  cpu.current.activeMm = mm;
  yield* switchMmTo(cpu, mm);
  yield* enableInterrupts();
}

/** The CPU's user task gives way to a kernel thread, which borrows the mm. */
export function* goLazy(cpu: Cpu): KernelCode {
  yield* disableInterrupts();
  cpu.current.mm = null;
  yield* enterLazyTlb(cpu, null);
  yield* enableInterrupts();
}

/** With page-table isolation: `body` in user mode, on the root and the PCID that user mode has. */
export function* inUserMode(cpu: Cpu, body: KernelCode): KernelCode {
  yield* backToUser(cpu);
  yield* body;
  yield* enterKernel(cpu);
}

/** Touches pages in user mode. */
export function* touch(range: PageRange, kind: "read" | "write"): KernelCode {
  const accesses = range.end - range.start;
  yield* runUser(userStream({ base: range.start, elements: accesses, accesses, kind }));
}

/** flush_tlb_mm_range. */
export function* flush(cpu: Cpu, mm: Mm, range: PageRange, freedTables = false): KernelCode {
  yield* flushRange(cpu, { mm, range, freedTables });
}
