// I8: after a flush of a range of the kernel half returns, no CPU holds a global translation of it
// that is out of date: every address space would use it. One that is not global may stay in a PCID
// that is not loaded; it is condemned, and its use would be reported as I1.

import type { Restore } from "../base/restore.ts";
import { hex, type PageRange } from "../base/address.ts";
import type { Moment } from "../kernel/operation/event.ts";
import type { Kernel } from "../kernel/state/kernel.ts";
import { type CheckerOf, type EventOf, type Looks, nothingToRestore } from "./checker.ts";
import type { ViolationLog } from "./violation.ts";

const LOOKS: Looks<"kernelFlushReturn"> = {
  kernelFlushReturn: () => [{ kind: "kernelTranslations" }, { kind: "tlbs" }],
};

export class KernelTranslationChecker implements CheckerOf<"kernelFlushReturn"> {
  readonly looksAt = LOOKS;

  constructor(
    private readonly kernel: Kernel,
    private readonly log: ViolationLog,
  ) {}

  observe({ range }: EventOf<"kernelFlushReturn">, moment: Moment): void {
    this.check(range, moment);
  }

  save(): Restore {
    return nothingToRestore;
  }

  private check({ start, end }: PageRange, moment: Moment): void {
    const { machine, cpus, initMm } = this.kernel;
    for (const { id } of cpus) {
      if (machine.condemnShared(id, initMm.root, start, end) === 0) continue;
      const message =
        `CPU ${moment.cpu} has flushed kernel pages ${hex(start)} to ${hex(end)} ` +
        `while CPU ${id} holds a global translation of one that is older than the flush`;
      const found = id === moment.cpu ? [id] : [moment.cpu, id];
      this.log.report({ invariant: "I8", message, cycle: moment.cycle, cpus: found, mm: null });
    }
  }
}
