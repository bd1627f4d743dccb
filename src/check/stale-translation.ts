// I1: after a flush of a range returns, no CPU uses a translation of that range older than the
// flush. When a flush returns, and again where the kernel relies on it (pages freed, rights
// withdrawn), every entry left over that no longer agrees with the page tables is condemned in the
// machine. Holding one is legal (a lazy CPU, an ASID slot not loaded); using one is the violation,
// and the machine tells of it. Where flushes of one mm overlap in time and range, the last to
// return condemns for all: until then an entry may be out of date by the other's change. A PCID
// that is loaded without a flush while it holds another address space's entries is reported at
// once.

import { type FrameNumber, hex, type PageRange } from "../base/address.ts";
import type { Broadcast } from "../machine/broadcast.ts";
import type { KernelEvent, Moment, Observer } from "../kernel/event.ts";
import type { KernelState } from "../kernel/kernel.ts";
import type { Mm } from "../kernel/mm.ts";
import type { ViolationLog } from "./violation.ts";

export class StaleTranslationChecker implements Observer {
  /** CPUs that have had a root in CR3: only they can hold its entries. */
  private readonly cpusOfRoot = new Map<FrameNumber, Set<number>>();
  /** Flushes that have begun and not returned, with what they are to condemn. */
  private readonly inFlight = new Map<number, { readonly mm: Mm; range: PageRange }>();
  /** Per CPU: the root whose entries each PCID holds. */
  private readonly rootOfPcid: Map<number, FrameNumber>[];
  /** Per CPU: the INVLPGBs that it has not yet waited for. */
  private readonly broadcasts = new Map<number, Broadcast[]>();

  constructor(
    private readonly kernel: KernelState,
    private readonly log: ViolationLog,
  ) {
    this.rootOfPcid = kernel.cpus.map(() => new Map<number, FrameNumber>());
    for (const cpu of kernel.cpus) {
      this.noteRoot(cpu.id, kernel.machine.root(cpu.id), kernel.machine.pcid(cpu.id));
    }
  }

  observe(event: KernelEvent, moment: Moment): void {
    switch (event.kind) {
      case "flushBegin":
        this.inFlight.set(moment.cpu, { mm: event.mm, range: event.range });
        return;
      case "flushReturn":
        return this.returned(moment.cpu);
      case "pagesFreed":
      case "revoked":
        return this.condemn(event.mm, event.range, moment.cpu);
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
        this.cpusOfRoot.delete(event.mm.root);
        return;
    }
  }

  private returned(cpu: number): void {
    const { mm, range } = this.inFlight.get(cpu)!;
    this.inFlight.delete(cpu);
    this.condemn(mm, range, cpu);
  }

  private condemn(mm: Mm, range: PageRange, by: number): void {
    for (const [cpu, other] of this.inFlight) {
      if (cpu === by || other.mm !== mm || !overlap(other.range, range)) continue;
      other.range = union(other.range, range);
      return;
    }
    for (const cpu of this.cpusOfRoot.get(mm.root) ?? []) {
      this.kernel.machine.condemnRange(cpu, mm.root, range.start, range.end);
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
    const mm = this.kernel.cpus[cpu]!.current.mm;
    const name = mm?.name ?? "no address space of its own";
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
    for (const mm of this.kernel.liveMms) if (mm.root === root) return mm;
    return null;
  }
}

const overlap = (a: PageRange, b: PageRange): boolean => a.start < b.end && b.start < a.end;

const union = (a: PageRange, b: PageRange): PageRange => ({
  start: a.start < b.start ? a.start : b.start,
  end: a.end > b.end ? a.end : b.end,
});
