// I8: after a flush of a range of the kernel half returns, or code relies on a shootdown of its own
// (revoked), no CPU holds a global translation of it that is out of date: every address space would
// use it. One that is not global may stay in a PCID that is not loaded; it is condemned, and its
// use would be reported as I1.

import type { Restore } from "../base/restore.ts";
import { hex, type PageRange } from "../base/address.ts";
import type { Moment } from "../kernel/operation/event.ts";
import type { Kernel } from "../kernel/state/kernel.ts";
import {
  type CheckerOf,
  type EventOf,
  type Look,
  lookAtNothing,
  type Looks,
  nothingToRestore,
} from "./checker.ts";
import type { ViolationLog } from "./violation.ts";

type Watched = "kernelFlushReturn" | "revoked";

/** Why nobody may hold what is older, in a message. */
interface Reason {
  readonly did: string;
  readonly what: string;
}

const lookAtTlbs = (): readonly Look[] => [{ kind: "kernelTranslations" }, { kind: "tlbs" }];

export class KernelTranslationChecker implements CheckerOf<Watched> {
  readonly looksAt: Looks<Watched> = {
    kernelFlushReturn: lookAtTlbs,
    revoked: (event) => (this.isOfKernel(event) ? lookAtTlbs() : lookAtNothing()),
  };

  constructor(
    private readonly kernel: Kernel,
    private readonly log: ViolationLog,
  ) {}

  observe(event: EventOf<Watched>, moment: Moment): void {
    const { kind, range } = event;
    if (kind === "kernelFlushReturn")
      this.check(range, { did: "flushed", what: "the flush" }, moment);
    else if (this.isOfKernel(event)) this.check(range, { did: "revoked", what: "that" }, moment);
  }

  save(): Restore {
    return nothingToRestore;
  }

  private isOfKernel({ mm }: EventOf<"revoked">): boolean {
    return mm === this.kernel.initMm;
  }

  private check({ start, end }: PageRange, { did, what }: Reason, moment: Moment): void {
    const { machine, cpus, initMm } = this.kernel;
    for (const { id } of cpus) {
      if (machine.condemnShared(id, initMm.root, start, end) === 0) continue;
      const message =
        `CPU ${moment.cpu} has ${did} kernel pages ${hex(start)} to ${hex(end)} ` +
        `while CPU ${id} holds a global translation of one that is older than ${what}`;
      const found = id === moment.cpu ? [id] : [moment.cpu, id];
      this.log.report({ invariant: "I8", message, cycle: moment.cycle, cpus: found, mm: null });
    }
  }
}
