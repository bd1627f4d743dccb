// I2: no CPU, lazy ones included, can walk a freed page-table page. I4: no CPU's CR3 points at a
// freed root. A CPU may walk speculatively whatever its CR3 reaches, so both are checked at the
// free, not at a walk. A structure-cache entry of a PCID that is not loaded may stay if it is
// dropped before the PCID is used again: it is condemned, and its use would be reported as I1.

import type { FrameNumber } from "../base/address.ts";
import { unreachable } from "../base/assert.ts";
import type { Restore } from "../base/restore.ts";
import type { Moment } from "../kernel/operation/event.ts";
import type { Kernel } from "../kernel/state/kernel.ts";
import type { Mm } from "../kernel/state/mm.ts";
import { VCPU_FLUSH_TLB } from "../kernel/cpu/steal-time.ts";
import {
  type CheckerOf,
  type EventOf,
  type Look,
  type Looks,
  nothingToRestore,
} from "./checker.ts";
import type { ViolationLog } from "./violation.ts";

type Watched = "tableFreed" | "rootFreed";

/** What is cached by way of the table is condemned. */
const lookAtReach = ({ mm }: { readonly mm: Mm }): readonly Look[] => [
  { kind: "translations", mm },
  { kind: "tlbs" },
];
const LOOKS: Looks<Watched> = { tableFreed: lookAtReach, rootFreed: lookAtReach };

/** Bits of Machine.reachesTable. */
const IN_CR3 = 1;
const IN_CURRENT_PCID = 2;
const IN_OTHER_PCID = 4;

export class FreedTableChecker implements CheckerOf<Watched> {
  readonly looksAt = LOOKS;

  constructor(
    private readonly kernel: Kernel,
    private readonly log: ViolationLog,
  ) {}

  observe(event: EventOf<Watched>, moment: Moment): void {
    switch (event.kind) {
      case "tableFreed":
        return this.check(event.mm, event.table, "table", moment);
      case "rootFreed":
        for (const root of event.mm.roots) this.check(event.mm, root, "root", moment);
        return;
      default:
        return unreachable(event);
    }
  }

  save(): Restore {
    return nothingToRestore;
  }

  private check(mm: Mm, frame: FrameNumber, what: "table" | "root", moment: Moment): void {
    const { machine, cpus } = this.kernel;
    for (const cpu of cpus) {
      const cached = machine.reachesTable(cpu.id, frame);
      // A preempted vCPU that is to be flushed keeps nothing but its CR3.
      const reach = (cpu.preempted.value & VCPU_FLUSH_TLB) !== 0 ? cached & IN_CR3 : cached;
      if (reach === 0) continue;
      if ((reach & IN_OTHER_PCID) !== 0) machine.condemnTable(cpu.id, frame);
      if ((reach & (IN_CR3 | IN_CURRENT_PCID)) === 0) continue;
      const lazy = cpu.tlb.isLazy.value ? "lazy " : "";
      const how = (reach & IN_CR3) !== 0 ? "has it in CR3" : "has it in a paging-structure cache";
      this.log.report({
        invariant: (reach & IN_CR3) !== 0 ? "I4" : "I2",
        message:
          `CPU ${moment.cpu} frees a page-table ${what} of ${mm.name} ` +
          `while ${lazy}CPU ${cpu.id} ${how}`,
        cycle: moment.cycle,
        cpus: moment.cpu === cpu.id ? [cpu.id] : [moment.cpu, cpu.id],
        mm,
      });
    }
  }
}
