// I3: the contents of an ASID slot are no staler than the generation recorded for it. The kernel's
// claim is read from its bookkeeping at the moments at which it is made: CR3 is loaded, a flush has
// been answered. What the slot holds is asked of the machine: an entry that a flush has condemned
// since, or before, must not be left where that flush's generation is recorded. Judged of the slot
// that is loaded; one that is not is judged when it is loaded again. Between the record and the
// flush that makes it true (load_new_mm_cr3) there is no such moment. Not judged: global ASIDs and
// protocols without generations, where no slot names the mm.

import type { FrameNumber } from "../base/address.ts";
import { unreachable } from "../base/assert.ts";
import type { Moment } from "../kernel/operation/event.ts";
import type { Kernel } from "../kernel/state/kernel.ts";
import type { Mm } from "../kernel/state/mm.ts";
import { type Restore, saveArray } from "../base/restore.ts";
import {
  type CheckerOf,
  type EventOf,
  lookAtAllCached,
  lookAtClaim,
  lookAtFlushed,
  type Looks,
} from "./checker.ts";
import type { Condemnation, LeftOver } from "./left-over.ts";
import type { Roots } from "./roots.ts";
import type { ViolationLog } from "./violation.ts";

/** What a slot has recorded that does not belong to what is loaded: less than any generation. */
const NONE = -1;
/** X86_CR3_PTI_PCID_USER_BIT is in the PCID of a slot's user half. */
const PCID_OF_SLOT = 0x7ff;

type Watched = "cr3Written" | "flushed" | "userPcidFlushed" | "flushReturn" | "batchFlushReturn";

/**
 * What is claimed is judged when it is claimed, and again, of every CPU, when a flush returns. The
 * CPU may have left by then what it made the claim of.
 */
const LOOKS: Looks<Watched> = {
  cr3Written: lookAtClaim,
  flushed: lookAtClaim,
  userPcidFlushed: lookAtClaim,
  flushReturn: lookAtFlushed,
  batchFlushReturn: lookAtAllCached,
};

export class SlotGenerationChecker implements CheckerOf<Watched> {
  readonly looksAt = LOOKS;
  /** Per CPU: the generation recorded for what CR3 holds, as last claimed. */
  private readonly recorded: number[];
  /** Per CPU: what was reported last, which is not reported again. */
  private readonly reported: (Condemnation | undefined)[];

  constructor(
    private readonly kernel: Kernel,
    private readonly log: ViolationLog,
    private readonly roots: Roots,
    private readonly leftOver: LeftOver,
  ) {
    this.recorded = kernel.cpus.map(() => NONE);
    this.reported = kernel.cpus.map(() => undefined);
  }

  observe(event: EventOf<Watched>, moment: Moment): void {
    switch (event.kind) {
      case "cr3Written":
        if (!this.isPutOff(moment.cpu)) return this.claimed(moment);
        this.recorded[moment.cpu] = NONE;
        return;
      case "flushed":
      case "userPcidFlushed":
        return this.claimed(moment);
      case "flushReturn":
        return this.judgeHolders(event.mm, moment);
      case "batchFlushReturn":
        for (const mm of this.kernel.liveMms) this.judgeHolders(mm, moment);
        return;
      default:
        return unreachable(event);
    }
  }

  save(): Restore {
    const recorded = saveArray(this.recorded);
    const reported = saveArray(this.reported);
    return () => {
      recorded();
      reported();
    };
  }

  private claimed(moment: Moment): void {
    this.recorded[moment.cpu] = this.recordOf(moment.cpu);
    this.judge(moment.cpu, moment);
  }

  /** The user PCID has been loaded, and pages wait for that: they go next, then it is claimed. */
  private isPutOff(cpu: number): boolean {
    const { cr3Mm, pendingUserFlush } = this.kernel.cpus[cpu]!.tlb;
    return pendingUserFlush !== null && this.kernel.machine.root(cpu) === cr3Mm.userRoot;
  }

  /** The generation recorded for what `cpu` has loaded. */
  private recordOf(cpu: number): number {
    const { machine, cpus } = this.kernel;
    const mm = this.roots.mmOf(machine.root(cpu));
    const slot = Math.max(0, (machine.pcid(cpu) & PCID_OF_SLOT) - 1);
    const context = cpus[cpu]!.tlb.contexts[slot];
    return mm !== null && context?.contextId === mm.contextId ? context.tlbGeneration : NONE;
  }

  /** The root whose tables decide about what `cpu` has loaded. */
  private rootOf(cpu: number): FrameNumber {
    return this.roots.behind(this.kernel.machine.root(cpu));
  }

  private judgeHolders(mm: Mm, moment: Moment): void {
    for (const root of mm.roots) {
      for (const cpu of this.leftOver.cpusOf(root)) {
        if (this.rootOf(cpu) === root) this.judge(cpu, moment);
      }
    }
  }

  /** Caller: at this moment CPU `cpu` claims what it has recorded. */
  private judge(cpu: number, { cycle }: Moment): void {
    const { machine } = this.kernel;
    const root = this.rootOf(cpu);
    const newest = this.leftOver.newestFlush(root, cpu);
    const recorded = this.recorded[cpu]!;
    if (newest === undefined || newest.generation! > recorded) return;
    if (newest === this.reported[cpu]) return;
    if (machine.holdsCondemned(cpu) === 0) return this.leftOver.forget(root, cpu);
    this.reported[cpu] = newest;
    const mm = this.roots.mmOf(root);
    const message =
      `CPU ${cpu} has recorded generation ${recorded} of ${mm?.name ?? "a freed mm"} for PCID ` +
      `${machine.pcid(cpu)}, which holds a translation older than generation ` +
      `${newest.generation}, flushed by CPU ${newest.cpu} at cycle ${newest.cycle}`;
    const cpus = newest.cpu === cpu ? [cpu] : [cpu, newest.cpu];
    this.log.report({ invariant: "I3", message, cycle, cpus, mm });
  }
}
