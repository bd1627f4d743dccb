// I5: kernel code neither dereferences a freed mm nor passes a pointer to it on.

import { unreachable } from "../base/assert.ts";
import type { Restore } from "../base/restore.ts";
import type { Moment } from "../kernel/operation/event.ts";
import type { Mm } from "../kernel/state/mm.ts";
import {
  type CheckerOf,
  type EventOf,
  lookAtNothing,
  type Looks,
  nothingToRestore,
} from "./checker.ts";
import type { ViolationLog } from "./violation.ts";

type Watched = "mmFreed" | "useAfterFree" | "passed";

const LOOKS: Looks<Watched> = {
  mmFreed: ({ mm }) => [{ kind: "free", mm }],
  useAfterFree: lookAtNothing, // the use itself meets the free
  passed: ({ mm }) => [{ kind: "lifetime", mm }],
};

export class FreedMmChecker implements CheckerOf<Watched> {
  readonly looksAt = LOOKS;
  /** Where and when each address space was freed. */
  private readonly frees = new WeakMap<Mm, Moment>();

  constructor(private readonly log: ViolationLog) {}

  observe(event: EventOf<Watched>, moment: Moment): void {
    switch (event.kind) {
      case "mmFreed":
        this.frees.set(event.mm, moment);
        return;
      case "useAfterFree":
        return this.report(event.mm, `reads or writes ${event.cell}`, moment);
      case "passed":
        if (!event.mm.freed) return;
        return this.report(event.mm, `passes ${event.mm.name} to ${event.callee}`, moment);
      default:
        return unreachable(event);
    }
  }

  /** What it knows of an mm is asked only of one that has been freed, and noted anew by then. */
  save(): Restore {
    return nothingToRestore;
  }

  private report(mm: Mm | null, what: string, { cpu, cycle }: Moment): void {
    const free = mm === null ? undefined : this.frees.get(mm);
    const since = free === undefined ? "freed" : `freed by CPU ${free.cpu} at cycle ${free.cycle}`;
    const cpus = free === undefined || free.cpu === cpu ? [cpu] : [cpu, free.cpu];
    this.log.report({ invariant: "I5", message: `CPU ${cpu} ${what}, ${since}`, cycle, cpus, mm });
  }
}
