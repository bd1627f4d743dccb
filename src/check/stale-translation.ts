// I1: after a flush of a range returns, no CPU uses a translation of that range older than the
// flush. When a flush returns, and again where the kernel relies on it (pages freed, rights
// withdrawn), every entry left over that no longer agrees with the page tables is condemned in the
// machine. Holding one is legal (a lazy CPU, an ASID slot not loaded); using one is the violation,
// and the machine tells of it. Where flushes of one mm overlap in time and range, the last to
// return condemns for all: until then an entry may be out of date by the other's change. What
// reclaim has taken away may be used until its batched flush returns, or before that a flush or a
// withdrawal of rights that began later; what was unmapped lazily, until its pages are freed. A
// PCID that is loaded without a flush while it holds another address space's entries is reported at
// once.

import { type FrameNumber, hex, type PageRange } from "../base/address.ts";
import type { Broadcast } from "../machine/broadcast.ts";
import type { KernelEvent, Moment, Observer } from "../kernel/event.ts";
import type { KernelState } from "../kernel/kernel.ts";
import type { Mm } from "../kernel/mm.ts";
import { type Restore, saveArray } from "../kernel/save.ts";
import { WHOLE_USER_HALF } from "../kernel/shootdown/protocol.ts";
import type { ViolationLog } from "./violation.ts";

/** A flush that has begun, what it is to condemn, and when it began. */
interface InFlight {
  readonly mm: Mm;
  range: PageRange;
  since: number;
}

/** No CPU's batched flush ends this: the pages' free does. */
const NOBODY = -1;

/** Entries whose flush was put off at the moment `at`, until the next batched flush of `cpu`. */
interface Deferred {
  readonly cpu: number;
  readonly mm: Mm;
  readonly range: PageRange;
  readonly at: number;
}

export class StaleTranslationChecker implements Observer {
  /** CPUs that have had a root in CR3: only they can hold its entries. */
  private readonly cpusOfRoot = new Map<FrameNumber, Set<number>>();
  /** Flushes that have begun and not returned, with what they are to condemn. */
  private readonly inFlight = new Map<number, InFlight>();
  /** Entries that reclaim has taken away and not yet flushed: they may still be used. */
  private deferred: Deferred[] = [];
  /** Counts what begins, so that it can be told what was before. */
  private order = 0;
  /** Per CPU: when its last flush began, and when it began to withdraw, if it does. */
  private readonly flushBegan: number[];
  private readonly revokeBegan: (number | undefined)[];
  /** Per CPU: the root whose entries each PCID holds. */
  private readonly rootOfPcid: Map<number, FrameNumber>[];
  /** Per CPU: the INVLPGBs that it has not yet waited for. */
  private readonly broadcasts = new Map<number, Broadcast[]>();

  constructor(
    private readonly kernel: KernelState,
    private readonly log: ViolationLog,
  ) {
    this.flushBegan = kernel.cpus.map(() => 0);
    this.revokeBegan = kernel.cpus.map(() => undefined);
    this.rootOfPcid = kernel.cpus.map(() => new Map<number, FrameNumber>());
    for (const cpu of kernel.cpus) {
      this.noteRoot(cpu.id, kernel.machine.root(cpu.id), kernel.machine.pcid(cpu.id));
    }
  }

  observe(event: KernelEvent, moment: Moment): void {
    const { cpu } = moment;
    switch (event.kind) {
      case "flushBegin":
        this.flushBegan[cpu] = ++this.order;
        this.inFlight.set(cpu, { mm: event.mm, range: event.range, since: this.order });
        return;
      case "flushReturn":
        return this.returned(cpu);
      case "unmapDeferred":
        this.deferred.push({ cpu, mm: event.mm, range: event.range, at: ++this.order });
        return;
      case "batchFlushBegin":
        this.flushBegan[cpu] = ++this.order;
        return;
      case "batchFlushReturn":
        return this.batchReturned(cpu);
      case "unmapPostponed":
        this.deferred.push({ cpu: NOBODY, mm: event.mm, range: event.range, at: ++this.order });
        return;
      case "pagesFreed":
        this.endPostponed(event.mm, event.range);
        return this.condemn({ ...event, since: this.flushBegan[cpu]! }, cpu);
      case "revoking":
        this.revokeBegan[cpu] = ++this.order;
        return;
      case "revoked":
        return this.revoked(event, cpu);
      case "cr3Written":
        return this.checkPcid(event, moment);
      case "broadcastBegun":
        this.broadcasts.set(moment.cpu, [...(this.broadcasts.get(moment.cpu) ?? []), event.what]);
        return;
      case "broadcastsDone":
        return this.forgetPcids(moment.cpu);
      case "staleUse":
        return this.reportUse(event.page, moment);
      case "mmFreed":
        for (const root of event.mm.roots) this.cpusOfRoot.delete(root);
        return;
    }
  }

  /** Caller: no flush, withdrawal or broadcast is in progress. */
  save(): Restore {
    const cpusOfRoot = [...this.cpusOfRoot].map(([root, cpus]) => [root, [...cpus]] as const);
    const rootOfPcid = this.rootOfPcid.map((roots) => [...roots]);
    const { order, deferred } = this;
    const flushBegan = saveArray(this.flushBegan);
    return () => {
      this.inFlight.clear();
      this.order = order;
      this.deferred = [...deferred];
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

  private returned(cpu: number): void {
    const flush = this.inFlight.get(cpu)!;
    this.inFlight.delete(cpu);
    this.condemn(flush, cpu);
  }

  private batchReturned(cpu: number): void {
    const own = this.deferred.filter((one) => one.cpu === cpu);
    this.deferred = this.deferred.filter((one) => one.cpu !== cpu);
    for (const one of own) this.condemn({ ...one, since: this.flushBegan[cpu]! }, cpu);
  }

  /** The pages of an unmapping whose flush was left to the others are free: nobody may use them. */
  private endPostponed(mm: Mm, { start, end }: PageRange): void {
    const index = this.deferred.findIndex(
      (one) =>
        one.cpu === NOBODY && one.mm === mm && one.range.start === start && one.range.end === end,
    );
    if (index >= 0) this.deferred.splice(index, 1);
  }

  private revoked({ mm, range }: { mm: Mm; range: PageRange }, cpu: number): void {
    const since = this.revokeBegan[cpu] ?? this.flushBegan[cpu]!;
    this.revokeBegan[cpu] = undefined;
    this.condemn({ mm, range, since }, cpu);
  }

  /** Condemns what `flush` was to remove, but for what another CPU took away after it began. */
  private condemn(flush: InFlight, by: number): void {
    const { mm, range, since } = flush;
    for (const [cpu, other] of this.inFlight) {
      if (cpu === by || other.mm !== mm || !overlap(other.range, range)) continue;
      other.range = union(other.range, range);
      other.since = Math.min(other.since, since);
      return;
    }
    const excused = this.deferred.filter(
      (one) => one.cpu !== by && one.mm === mm && one.at > since && overlap(one.range, range),
    );
    for (const part of without(range, excused)) this.condemnPart(mm, part);
  }

  private condemnPart(mm: Mm, range: PageRange): void {
    for (const root of mm.roots) {
      for (const cpu of this.cpusOfRoot.get(root) ?? []) {
        this.kernel.machine.condemnRange(cpu, root, range.start, range.end);
      }
    }
  }

  /** What `cpu` has broadcast is done: the PCIDs that went as a whole hold nothing anywhere. */
  private forgetPcids(cpu: number): void {
    for (const what of this.broadcasts.get(cpu) ?? []) {
      for (const roots of this.rootOfPcid) {
        if (what.extent === "pcid") roots.delete(what.pcid);
        else if (what.extent !== "pages") roots.clear();
      }
    }
    this.broadcasts.delete(cpu);
  }

  private checkPcid(
    { root, pcid, keep }: { root: FrameNumber; pcid: number; keep: boolean },
    { cpu, cycle }: Moment,
  ): void {
    const held = this.rootOfPcid[cpu]!.get(pcid);
    this.noteRoot(cpu, root, pcid);
    if (!keep || held === undefined || held === root) return;
    const message =
      `CPU ${cpu} loads root ${hex(root)} without a flush into PCID ${pcid}, ` +
      `which holds translations of root ${hex(held)}`;
    this.log.report({ invariant: "I1", message, cycle, cpus: [cpu], mm: this.mmOf(root) });
  }

  private reportUse(page: number, { cpu, cycle }: Moment): void {
    const mm = page < WHOLE_USER_HALF.end ? this.kernel.cpus[cpu]!.current.mm : null;
    const other = page < WHOLE_USER_HALF.end ? "no address space of its own" : "the kernel";
    const name = mm?.name ?? other;
    const message =
      `CPU ${cpu} uses a translation of page ${hex(page)} (${name}) ` +
      "that is older than the flush of that page";
    this.log.report({ invariant: "I1", message, cycle, cpus: [cpu], mm });
  }

  private noteRoot(cpu: number, root: FrameNumber, pcid: number): void {
    this.rootOfPcid[cpu]!.set(pcid, root);
    const cpus = this.cpusOfRoot.get(root);
    if (cpus === undefined) this.cpusOfRoot.set(root, new Set([cpu]));
    else cpus.add(cpu);
  }

  private mmOf(root: FrameNumber): Mm | null {
    for (const mm of this.kernel.liveMms) if (mm.roots.includes(root)) return mm;
    return null;
  }
}

const overlap = (a: PageRange, b: PageRange): boolean => a.start < b.end && b.start < a.end;

const union = (a: PageRange, b: PageRange): PageRange => ({
  start: a.start < b.start ? a.start : b.start,
  end: a.end > b.end ? a.end : b.end,
});

/** What is left of the range when the others are taken out. */
function without(range: PageRange, others: readonly { readonly range: PageRange }[]): PageRange[] {
  const parts: PageRange[] = [];
  let { start } = range;
  for (const other of others.map((one) => one.range).sort((a, b) => a.start - b.start)) {
    if (other.start > start) parts.push({ start, end: other.start });
    if (other.end > start) start = other.end;
  }
  if (start < range.end) parts.push({ start, end: range.end });
  return parts;
}
