// I5: kernel code neither dereferences a freed mm nor passes a pointer to it on.

import type { KernelEvent, Moment, Observer } from "../kernel/operation/event.ts";
import type { Mm } from "../kernel/state/mm.ts";
import type { ViolationLog } from "./violation.ts";

export class FreedMmChecker implements Observer {
  /** Where and when each address space was freed. */
  private readonly frees = new WeakMap<Mm, Moment>();

  constructor(private readonly log: ViolationLog) {}

  observe(event: KernelEvent, moment: Moment): void {
    if (event.kind === "mmFreed") this.frees.set(event.mm, moment);
    else if (event.kind === "useAfterFree") {
      this.report(event.mm, `reads or writes ${event.cell}`, moment);
    } else if (event.kind === "passed" && event.mm.freed) {
      this.report(event.mm, `passes ${event.mm.name} to ${event.callee}`, moment);
    }
  }

  private report(mm: Mm | null, what: string, { cpu, cycle }: Moment): void {
    const free = mm === null ? undefined : this.frees.get(mm);
    const since = free === undefined ? "freed" : `freed by CPU ${free.cpu} at cycle ${free.cycle}`;
    const cpus = free === undefined || free.cpu === cpu ? [cpu] : [cpu, free.cpu];
    this.log.report({ invariant: "I5", message: `CPU ${cpu} ${what}, ${since}`, cycle, cpus, mm });
  }
}
