// Translations under exploration. Hardware may fill a TLB at any time with what CR3 reaches, and
// may lose an entry at any time. Every CPU here fills as early as it can, so that its TLB holds
// the oldest translation that it may hold; where a younger one matters (an entry is changed again,
// or used), whether it was lost in between is a choice. So is filling a page for the first time,
// where the kernel goes by the accessed bit that it sets.

import { addressOfPage, type FrameNumber, hex, type PageNumber } from "../../base/address.ts";
import type { Machine } from "../../machine/machine.ts";
import { ACCESSED } from "../../machine/page-table.ts";
import type { Choices } from "../search/system.ts";

/** What a PCID of a CPU holds. */
interface Context {
  root: FrameNumber;
  /** By page: its entry was changed since it may have been cached. */
  changed: boolean[];
}

export class SpeculativeTlb {
  /** By PCID. */
  private contexts: (Context | undefined)[] = [];
  /** The current one. */
  pcid = 0;
  /** CR3. */
  root: FrameNumber;
  private saved: { contexts: (Context | undefined)[]; pcid: number; root: FrameNumber };

  /** @param pages - The pages that anybody uses. */
  constructor(
    private readonly machine: Machine,
    private readonly cpu: number,
    private readonly pages: readonly PageNumber[],
    /** Whether it fills a page whose accessed bit is still clear. */
    private readonly accessesEarly: () => boolean,
  ) {
    this.root = machine.root(cpu);
    this.saved = { contexts: [], pcid: 0, root: this.root };
  }

  save(): void {
    this.saved = { contexts: copyOf(this.contexts), pcid: this.pcid, root: this.root };
  }

  restore(): void {
    this.contexts = copyOf(this.saved.contexts);
    this.pcid = this.saved.pcid;
    this.root = this.saved.root;
  }

  /** Pages of the current PCID of which an older translation may be cached. */
  get older(): readonly string[] {
    const changed = this.contexts[this.pcid]?.changed ?? [];
    return this.pages.filter((_page, index) => changed[index] === true).map(hex);
  }

  /** Whether the translation of a page that the current PCID holds may be an older one. */
  mayBeOld(page: PageNumber): boolean {
    const { machine, contexts, pcid } = this;
    if (contexts[pcid]?.changed[this.pages.indexOf(page)] === true) return true;
    // Its table may have been unlinked, with the entry in it.
    const isMapped = machine.translate(this.root, page) !== 0n;
    return !isMapped && machine.remote.holdsPage(this.cpu, pcid, page);
  }

  /** The same of any PCID, as far as its entry was changed. `roots` as in changing. */
  mayHoldOlder(roots: readonly FrameNumber[] | null, page: PageNumber): boolean {
    const index = this.pages.indexOf(page);
    return this.contexts.some(
      (context) =>
        context !== undefined &&
        context.changed[index] === true &&
        roots?.includes(context.root) !== false,
    );
  }

  /** MOV CR3 was carried out. */
  loaded(root: FrameNumber, pcid: number, keep: boolean): void {
    this.root = root;
    this.pcid = pcid;
    const kept = this.contexts[pcid];
    if (!keep || kept === undefined) this.contexts[pcid] = { root, changed: [] };
    this.fill();
  }

  /** The entry of a page was invalidated, in one PCID, or in all of them. */
  invalidated(page: PageNumber, pcid: number | null): void {
    const index = this.pages.indexOf(page);
    const contexts = pcid === null ? this.contexts : [this.contexts[pcid]];
    for (const context of contexts) if (context !== undefined) context.changed[index] = false;
    this.fill();
  }

  /** Everything was invalidated, in one PCID, or in all of them. */
  emptied(pcid: number | null): void {
    const { contexts } = this;
    for (let each = 0; each < contexts.length; each++) {
      if (pcid !== null && each !== pcid) continue;
      if (each === this.pcid) contexts[each] = { root: this.root, changed: [] };
      else delete contexts[each];
    }
    this.fill();
  }

  /**
   * The entry of a page, now present, is about to change: has this CPU lost what it held, and
   * filled the present one? `roots` are those below which the entry is; null: all.
   */
  changing(roots: readonly FrameNumber[] | null, page: PageNumber, choices: Choices): void {
    const index = this.pages.indexOf(page);
    for (let pcid = 0; pcid < this.contexts.length; pcid++) {
      const context = this.contexts[pcid];
      if (context === undefined || roots?.includes(context.root) === false) continue;
      if (context.changed[index] === true && this.pcid === pcid) this.mayLose(page, choices);
      context.changed[index] = true;
    }
  }

  /** A page is about to be used: has this CPU lost an older translation of it? */
  using(page: PageNumber, choices: Choices): void {
    const index = this.pages.indexOf(page);
    if (this.contexts[this.pcid]?.changed[index] === true) this.mayLose(page, choices);
  }

  private mayLose(page: PageNumber, choices: Choices): void {
    if (choices.choose(2) === 0) return;
    this.machine.invlpg(this.cpu, page);
    this.invalidated(page, this.pcid);
  }

  /** Fills whatever CR3 reaches and the TLB does not hold. */
  fill(): void {
    for (let index = 0; index < this.pages.length; index++) {
      const page = this.pages[index]!;
      // A page fault would drop what is cached for the page; speculation raises none.
      const entry = this.machine.translate(this.root, page);
      if (entry === 0n || ((entry & ACCESSED) === 0n && !this.accessesEarly())) continue;
      const address = addressOfPage(page);
      this.machine.access(this.cpu, { address, kind: "read", user: !isKernelPage(page) });
    }
  }
}

const copyOf = (contexts: readonly (Context | undefined)[]): (Context | undefined)[] =>
  contexts.map((context) => context && { root: context.root, changed: [...context.changed] });

/** Of the upper half. */
export const isKernelPage = (page: PageNumber): boolean => page >= 2 ** 35;
