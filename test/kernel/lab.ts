// Kernel code by hand: CPUs start with scripts of the test's own, written as kernel code is. A
// script's CPU runs an mm without a scheduler: its idle task stands in for the user task.

import { type PageRange, pageNumber, pageRange } from "../../src/base/address.ts";
import { type Violation, ViolationLog } from "../../src/check/violation.ts";
import { checkersFor } from "../../src/check/checkers.ts";
import { Cell } from "../../src/kernel/cell.ts";
import { Clock } from "../../src/kernel/clock.ts";
import { flushRange } from "../../src/kernel/flush.ts";
import type { Cpu } from "../../src/kernel/cpu.ts";
import type { KernelEvent } from "../../src/kernel/event.ts";
import { idleLoop } from "../../src/kernel/idle.ts";
import { KernelState } from "../../src/kernel/kernel.ts";
import { lazyPolicies } from "../../src/kernel/lazy/policies.ts";
import type { Mm } from "../../src/kernel/mm.ts";
import {
  disableInterrupts,
  enableInterrupts,
  type Kernel,
  runUser,
  store,
  waitUntil,
} from "../../src/kernel/operation.ts";
import { backToUser, enterKernel } from "../../src/kernel/pti.ts";
import { enterLazyTlb, switchMmTo } from "../../src/kernel/switch-mm.ts";
import { linux513 } from "../../src/kernel/shootdown/linux-5.13.ts";
import { userStream } from "../../src/machine/stream.ts";
import { Machine } from "../../src/machine/machine.ts";
import { describe as describeMachine } from "../../src/presets/describe.ts";
import { presetNamed } from "../../src/presets/presets.ts";
import type { Outcome, SceneOptions, Seen } from "./scene.ts";

export class Lab {
  clock!: Clock;
  readonly events: Seen[] = [];
  readonly log = new ViolationLog();
  private readonly steps: Cell<number>;

  constructor(readonly kernel: KernelState) {
    this.steps = new Cell("test.steps", kernel.allocateLine(0), 0);
  }

  get violations(): readonly Violation[] {
    return this.log.violations;
  }

  /** Says that step `step` of the test is done. */
  *done(step: number): Kernel {
    yield* store(this.steps, step);
  }

  /** Waits, interrupts enabled, until step `step` is done. */
  *after(step: number): Kernel {
    yield* waitUntil(this.steps, (reached) => reached >= step);
  }

  /** An mm with one area of `pageCount` pages, writable, at `memoryOf` it. */
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

export type Script = (cpu: Cpu, lab: Lab) => Kernel;

/** Where a test's memory is: the first `pageCount` pages of a page table of their own. */
export const memory = (pageCount: number, from = 0): PageRange =>
  pageRange(pageNumber(0x10_000 + from), pageCount);

/** Runs script i on CPU i until all have ended; CPUs without one idle. */
export function play(options: SceneOptions, ...scripts: Script[]): Outcome & { readonly lab: Lab } {
  const { cores = Math.max(2, scripts.length), pcid = true, idle = "mwait" } = options;
  const { policy = lazyPolicies.refcounted, protocol = linux513, mutation } = options;
  const machine = new Machine(
    describeMachine(presetNamed(options.cpu ?? "skylake-sp"), { cores, idle }),
  );
  let left = scripts.length;
  const program = function* (cpu: Cpu): Kernel {
    const script = scripts[cpu.id];
    if (script !== undefined) {
      yield* script(cpu, lab);
      if (--left === 0) kernel.stopped = true;
    }
    yield* idleLoop(cpu);
  };
  const mistake = mutation === undefined ? {} : { mutation };
  const kernelOptions = { pcid, flushCeiling: 33, idle, ...mistake, ...options.kernel };
  const kernel = new KernelState(machine, policy, protocol, kernelOptions, program);
  const lab = new Lab(kernel);
  const { events, log } = lab;
  const recorder = {
    observe: (event: KernelEvent, at: Seen["at"]) => void events.push({ ...event, at }),
  };
  const clock = new Clock(kernel, [recorder, ...checkersFor(kernel, log).observers]);
  lab.clock = clock;
  log.history = clock.history;
  const ended = clock.run();
  return { kernel, clock, events, violations: log.violations, ended, lab };
}

/** The CPU goes to `mm` as a user task of it would. */
export function* runOn(cpu: Cpu, mm: Mm): Kernel {
  yield* disableInterrupts();
  cpu.current.mm = mm;
  cpu.current.activeMm = mm;
  yield* switchMmTo(cpu, mm);
  yield* enableInterrupts();
}

/** The CPU's user task gives way to a kernel thread, which borrows the mm. */
export function* goLazy(cpu: Cpu): Kernel {
  yield* disableInterrupts();
  cpu.current.mm = null;
  yield* enterLazyTlb(cpu, null);
  yield* enableInterrupts();
}

/** With page-table isolation: `body` in user mode, on the root and the PCID that user mode has. */
export function* inUserMode(cpu: Cpu, body: Kernel): Kernel {
  yield* backToUser(cpu);
  yield* body;
  yield* enterKernel(cpu);
}

/** Touches pages in user mode. */
export function* touch(range: PageRange, kind: "read" | "write"): Kernel {
  const accesses = range.end - range.start;
  yield* runUser(userStream({ base: range.start, elements: accesses, accesses, kind }));
}

/** flush_tlb_mm_range. */
export function* flush(cpu: Cpu, mm: Mm, range: PageRange, freedTables = false): Kernel {
  yield* flushRange(cpu, { mm, range, freedTables });
}
