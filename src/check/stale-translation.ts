// I1: after a flush of a range returns, no CPU uses a translation of that range older than the
// flush. When a flush returns, and again where the kernel relies on it (pages freed, rights
// withdrawn), every entry left over that no longer agrees with the page tables is condemned in the
// machine; also one that is dirty where they are clean, since a write through it would be lost.
// Holding one is legal (a lazy CPU, an ASID slot not loaded); using one is the violation, and the
// machine tells of it. What another CPU took away after a flush began is not that flush's to
// remove, but that of its own flush, or of reclaim's batched one, or nobody's until the pages of a
// postponed unmapping are freed; see unflushed.ts. What it took away before is: whoever returns
// answers for what was gone when it began, though another's flush of it may still be under way. A
// PCID that is loaded without a flush while it holds another address space's entries is reported at
// once.

import { type FrameNumber, hex, type PageNumber, type PageRange } from "../base/address.ts";
import { unreachable } from "../base/assert.ts";
import type { Broadcast } from "../machine/broadcast.ts";
import type { Moment } from "../kernel/operation/event.ts";
import type { Kernel } from "../kernel/state/kernel.ts";
import { type Mm, WHOLE_USER_HALF } from "../kernel/state/mm.ts";
import { type Restore, saveArray } from "../base/restore.ts";
import {
  type CheckerOf,
  type EventOf,
  lookAtAllCached,
  lookAtAllMappings,
  lookAtCached,
  lookAtFlushed,
  lookAtNothing,
  type Looks,
  lookAtMappings,
  lookAtTranslations,
} from "./checker.ts";
import type { LeftOver } from "./left-over.ts";
import type { Roots } from "./roots.ts";
import { type Condemned, UnflushedChanges } from "./unflushed.ts";
import type { ViolationLog } from "./violation.ts";

type Watched =
  | "flushBegin"
  | "flushReturn"
  | "entryWithdrawn"
  | "unmapDeferred"
  | "batchFlushBegin"
  | "batchFlushReturn"
  | "unmapPostponed"
  | "pagesFreed"
  | "revoking"
  | "revoked"
  | "cr3Written"
  | "broadcastBegun"
  | "broadcastsDone"
  | "invalidatedRemotely"
  | "staleUse"
  | "mmFreed";

const LOOKS: Looks<Watched> = {
  flushBegin: lookAtMappings,
  flushReturn: lookAtFlushed,
  entryWithdrawn: lookAtNothing, // the change of the entry has told of itself
  unmapDeferred: lookAtNothing, // excused by the change of the entry, which comes next
  batchFlushBegin: lookAtAllMappings,
  batchFlushReturn: lookAtAllCached,
  unmapPostponed: ({ mm, range }) => [
    { kind: "translations", mm },
    { kind: "leavesMappings", mm, range },
  ],
  pagesFreed: lookAtCached,
  revoking: lookAtMappings,
  revoked: lookAtCached,
  cr3Written: lookAtNothing,
  broadcastBegun: lookAtNothing,
  broadcastsDone: lookAtNothing,
  invalidatedRemotely: lookAtNothing,
  staleUse: lookAtNothing,
  mmFreed: lookAtTranslations,
};

export class StaleTranslationChecker implements CheckerOf<Watched> {
  readonly looksAt = LOOKS;
  /** CPUs that have had a root in CR3: only they can hold its entries. */
  private readonly cpusOfRoot = new Map<FrameNumber, Set<number>>();
  private readonly unflushed = new UnflushedChanges();
  /** Counts what begins, so that it can be told what was before. */
  private order = 0;
  /** Per CPU: when its last flush began, and when it began to withdraw, if it does. */
  private readonly flushBegan: number[];
  private readonly revokeBegan: (number | undefined)[];
  /** Per CPU: the root behind the entries that each PCID holds. */
  private readonly rootOfPcid: Map<number, FrameNumber>[];
  /** Per CPU: the INVLPGBs that it has not yet waited for. */
  private readonly broadcasts = new Map<number, Broadcast[]>();
  /** Something was observed since the last save or restore. */
  private hasChanged = false;

  constructor(
    private readonly kernel: Kernel,
    private readonly log: ViolationLog,
    private readonly roots: Roots,
    private readonly leftOver: LeftOver,
  ) {
    this.flushBegan = kernel.cpus.map(() => 0);
    this.revokeBegan = kernel.cpus.map(() => undefined);
    this.rootOfPcid = kernel.cpus.map(() => new Map<number, FrameNumber>());
    for (const cpu of kernel.cpus) {
      this.noteRoot(cpu.id, kernel.machine.root(cpu.id), kernel.machine.pcid(cpu.id));
    }
  }

  observe(event: EventOf<Watched>, moment: Moment): void {
    const { cpu } = moment;
    this.hasChanged = true;
    switch (event.kind) {
      case "flushBegin":
      case "batchFlushBegin":
        this.flushBegan[cpu] = ++this.order;
        return;
      case "flushReturn":
        return this.returned(event, moment);
      case "entryWithdrawn":
        return this.unflushed.withdrawn(cpu, event.mm, event.range, this.order);
      case "unmapDeferred":
        return this.unflushed.deferred(cpu, event.mm, event.range, ++this.order);
      case "batchFlushReturn":
        return this.batchReturned(moment);
      case "unmapPostponed":
        return this.unflushed.postponed(cpu, event.mm, event.range, this.flushBegan[cpu]!);
      case "pagesFreed":
        this.unflushed.endPostponed(event.mm, event.range);
        return this.condemn({ ...event, since: this.flushBegan[cpu]!, returned: false }, moment);
      case "revoking":
        this.revokeBegan[cpu] = ++this.order;
        return;
      case "revoked":
        return this.revoked(event, moment);
      case "cr3Written":
        return this.checkPcid(event, moment);
      case "broadcastBegun":
        this.broadcasts.set(moment.cpu, [...(this.broadcasts.get(moment.cpu) ?? []), event.what]);
        return;
      case "broadcastsDone":
        return this.forgetPcids(moment.cpu);
      case "invalidatedRemotely":
        return this.forgetPcid(event.what, event.cpus);
      case "staleUse":
        return this.reportUse(event, moment);
      case "mmFreed":
        this.unflushed.forget(event.mm);
        for (const root of event.mm.roots) {
          this.cpusOfRoot.delete(root);
          this.leftOver.forgetRoot(root);
        }
        return;
      default:
        return unreachable(event);
    }
  }

  /** Caller: no flush, withdrawal or broadcast is in progress. */
  save(): Restore {
    const cpusOfRoot = [...this.cpusOfRoot].map(([root, cpus]) => [root, [...cpus]] as const);
    const rootOfPcid = this.rootOfPcid.map((roots) => [...roots]);
    const { order } = this;
    const unflushed = this.unflushed.save();
    const flushBegan = saveArray(this.flushBegan);
    this.hasChanged = false;
    return () => {
      if (!this.hasChanged) return;
      this.hasChanged = false;
      this.order = order;
      unflushed();
      flushBegan();
      this.revokeBegan.fill(undefined);
      this.broadcasts.clear();
      this.cpusOfRoot.clear();
      for (const [root, cpus] of cpusOfRoot) this.cpusOfRoot.set(root, new Set(cpus));
      rootOfPcid.forEach((roots, cpu) => {
        this.rootOfPcid[cpu]!.clear();
        for (const [pcid, root] of roots) this.rootOfPcid[cpu]!.set(pcid, root);
      });
    };
  }

  private returned({ mm, range }: EventOf<"flushReturn">, moment: Moment): void {
    const since = this.flushBegan[moment.cpu]!;
    this.unflushed.flushed(moment.cpu, mm, since);
    this.condemn({ mm, range, since, returned: true }, moment);
  }

  private batchReturned(moment: Moment): void {
    const since = this.flushBegan[moment.cpu]!;
    for (const one of this.unflushed.batchFlushed(moment.cpu)) {
      this.condemn({ ...one, since, returned: true }, moment);
    }
  }

  private revoked({ mm, range }: { mm: Mm; range: PageRange }, moment: Moment): void {
    const { cpu } = moment;
    const since = this.revokeBegan[cpu] ?? this.flushBegan[cpu]!;
    this.revokeBegan[cpu] = undefined;
    this.condemn({ mm, range, since, returned: false }, moment);
  }

  /** Condemns what `flush` was to remove, except what another CPU took away after it began. */
  private condemn(flush: Condemned, moment: Moment): void {
    const parts = this.unflushed.without(moment.cpu, flush);
    for (const part of parts) this.condemnPart(flush.mm, part, flush.returned, moment);
  }

  private condemnPart(mm: Mm, range: PageRange, returned: boolean, at: Moment): void {
    const generation = returned ? mm.tlbGeneration.value : null;
    const condemnation = { ...at, range, generation };
    for (const from of mm.roots) {
      const root = mm.rootBehind(from);
      for (const cpu of this.cpusOfRoot.get(from) ?? []) {
        const found = this.kernel.machine.condemnRange(cpu, from, root, range.start, range.end);
        if (found > 0) this.leftOver.add(root, cpu, condemnation);
      }
    }
  }

  /** What `cpu` has broadcast is done: the PCIDs that went as a whole hold nothing anywhere. */
  private forgetPcids(cpu: number): void {
    for (const what of this.broadcasts.get(cpu) ?? []) this.forgetPcid(what);
    this.broadcasts.delete(cpu);
  }

  private forgetPcid(what: Broadcast, cpus: Iterable<number> = this.rootOfPcid.keys()): void {
    for (const cpu of cpus) {
      const roots = this.rootOfPcid[cpu]!;
      if (what.extent === "pcid") roots.delete(what.pcid);
      else if (!("range" in what)) roots.clear();
    }
  }

  private checkPcid(
    { root, pcid, keep }: { root: FrameNumber; pcid: number; keep: boolean },
    { cpu, cycle }: Moment,
  ): void {
    const held = this.rootOfPcid[cpu]!.get(pcid);
    this.noteRoot(cpu, root, pcid);
    if (!keep || held === undefined || held === this.roots.behind(root)) return;
    const message =
      `CPU ${cpu} loads root ${hex(root)} without a flush into PCID ${pcid}, ` +
      `which holds translations of root ${hex(held)}`;
    this.log.report({ invariant: "I1", message, cycle, cpus: [cpu], mm: this.roots.mmOf(root) });
  }

  private reportUse({ page, root }: { page: PageNumber; root: FrameNumber }, at: Moment): void {
    const { cpu, cycle } = at;
    const mm = page < WHOLE_USER_HALF.end ? this.kernel.cpus[cpu]!.current.mm : null;
    const other = page < WHOLE_USER_HALF.end ? "no address space of its own" : "the kernel";
    const name = mm?.name ?? other;
    const flush = this.leftOver.covering(this.roots.behind(root), cpu, page);
    const by = flush === undefined ? "" : `, by CPU ${flush.cpu}, at cycle ${flush.cycle}`;
    const message =
      `CPU ${cpu} uses a translation of page ${hex(page)} (${name}) ` +
      `that is older than the flush of that page${by}`;
    const cpus = flush === undefined || flush.cpu === cpu ? [cpu] : [cpu, flush.cpu];
    this.log.report({ invariant: "I1", message, cycle, cpus, mm });
  }

  private noteRoot(cpu: number, root: FrameNumber, pcid: number): void {
    this.rootOfPcid[cpu]!.set(pcid, this.roots.behind(root));
    const cpus = this.cpusOfRoot.get(root);
    if (cpus === undefined) this.cpusOfRoot.set(root, new Set([cpu]));
    else cpus.add(cpu);
  }
}
