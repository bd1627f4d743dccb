// I7: mm_cpumask covers every CPU whose loaded_mm is that mm, init_mm excepted. What is loaded is
// read off CR3. Every era sets the bit before it writes CR3: judged at each write. While a CPU
// changes what it has loaded (switch_mm, enter_lazy_tlb, a call that it serves) it may be without
// its bit: Linux 4.14 to 6.13 leave the old mm's mask before they write CR3, leave_mm of the eras
// before did. It may not when that is over, nor when it has answered a flush, nor when another CPU
// begins one, which goes by the mask. Interrupts are off in the whole of a change, so that none is
// over in the middle.

import { unreachable } from "../base/assert.ts";
import type { Moment } from "../kernel/operation/event.ts";
import type { Kernel } from "../kernel/state/kernel.ts";
import type { Mm } from "../kernel/state/mm.ts";
import { type Restore, saveArray } from "../base/restore.ts";
import { type CheckerOf, type EventOf, type Look, lookAtNothing, type Looks } from "./checker.ts";
import type { Roots } from "./roots.ts";
import type { ViolationLog } from "./violation.ts";

type Watched =
  | "flushBegin"
  | "flushReturn"
  | "flushed"
  | "changeBegin"
  | "changeEnd"
  | "callsBegin"
  | "callsEnd"
  | "interruptTaken"
  | "interruptReturned"
  | "cr3Written";

const lookAtOwnPlace = (): readonly Look[] => [{ kind: "ownPlace" }];

/** A CPU is judged by its own bit, which no other changes; the others at the begin of a flush. */
const LOOKS: Looks<Watched> = {
  flushBegin: ({ mm }) => [
    { kind: "cpumask", mm },
    { kind: "roots" },
    { kind: "placesOutsideMask", mm },
    { kind: "ownPlace" },
  ],
  flushReturn: lookAtOwnPlace,
  flushed: lookAtNothing,
  changeBegin: lookAtOwnPlace,
  changeEnd: lookAtOwnPlace,
  callsBegin: lookAtOwnPlace,
  callsEnd: lookAtOwnPlace,
  interruptTaken: lookAtOwnPlace,
  interruptReturned: lookAtOwnPlace,
  cr3Written: lookAtNothing,
};

export class MaskChecker implements CheckerOf<Watched> {
  readonly looksAt = LOOKS;
  /** Per CPU: how many of switch_mm, an interrupt, calls, a flush of its own it is in. */
  private readonly depth: number[];

  constructor(
    private readonly kernel: Kernel,
    private readonly log: ViolationLog,
    private readonly roots: Roots,
  ) {
    this.depth = kernel.cpus.map(() => 0);
  }

  observe(event: EventOf<Watched>, moment: Moment): void {
    const { cpu } = moment;
    switch (event.kind) {
      case "flushBegin":
        this.judgeOthers(event.mm, moment);
        this.depth[cpu]!++;
        return;
      case "changeBegin":
      case "callsBegin":
      case "interruptTaken":
        this.depth[cpu]!++;
        return;
      case "flushReturn":
      case "interruptReturned":
        this.depth[cpu]!--;
        return;
      case "changeEnd":
        this.depth[cpu]!--;
        return this.judge(moment, "has changed what it has loaded");
      case "callsEnd":
        this.depth[cpu]!--;
        return this.judge(moment, "has served calls");
      case "cr3Written":
        return this.judge(moment, "has written CR3");
      case "flushed":
        return this.judge(moment, "has answered a flush");
      default:
        return unreachable(event);
    }
  }

  save(): Restore {
    return saveArray(this.depth);
  }

  private judge(moment: Moment, does: string): void {
    const { machine, initMm } = this.kernel;
    const { cpu, cycle } = moment;
    const mm = this.roots.mmOf(machine.root(cpu));
    if (mm === null || mm === initMm || mm.cpumask.has(cpu)) return;
    const message = `CPU ${cpu} ${does}: it runs on ${mm.name} and is not in its mm_cpumask`;
    this.log.report({ invariant: "I7", message, cycle, cpus: [cpu], mm });
  }

  /** A flush of `mm` will go by the mask: whom would it miss? */
  private judgeOthers(mm: Mm, { cpu, cycle }: Moment): void {
    const { machine, initMm, cpus } = this.kernel;
    if (mm === initMm) return;
    for (const { id } of cpus) {
      if (id === cpu || this.depth[id]! > 0 || mm.cpumask.has(id)) continue;
      if (!mm.roots.includes(machine.root(id))) continue;
      const message =
        `CPU ${cpu} begins a flush of ${mm.name}, on which CPU ${id} runs ` +
        "and is not in its mm_cpumask";
      this.log.report({ invariant: "I7", message, cycle, cpus: [cpu, id], mm });
    }
  }
}
