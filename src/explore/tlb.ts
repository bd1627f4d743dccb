// Translations under exploration. Hardware may fill a TLB at any time with what CR3 reaches, and
// may lose an entry at any time. Every CPU here fills as early as it can, so that its TLB holds
// the oldest translation that it may hold; where a younger one matters (an entry is changed again,
// or used), whether it was lost in between is a choice.

import { addressOfPage, type FrameNumber, hex, type PageNumber } from "../base/address.ts";
import type { Machine } from "../machine/machine.ts";
import type { Choices } from "./system.ts";

/** What a PCID of a CPU holds. */
interface Context {
  root: FrameNumber;
  /** By page: its entry was changed since it may have been cached. */
  changed: boolean[];
}

export class SpeculativeTlb {
  /** By PCID. */
  private contexts: (Context | undefined)[] = [];
  private pcid = 0;
  /** CR3. */
  root: FrameNumber;
  private saved: { contexts: (Context | undefined)[]; pcid: number; root: FrameNumber };

  /** @param pages - The user pages that anybody uses. */
  constructor(
    private readonly machine: Machine,
    private readonly cpu: number,
    private readonly kernelRoot: FrameNumber,
    private readonly pages: readonly PageNumber[],
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

  /** MOV CR3 was carried out. */
  loaded(root: FrameNumber, pcid: number, keep: boolean): void {
    this.root = root;
    this.pcid = pcid;
    const kept = this.contexts[pcid];
    if (!keep || kept === undefined) this.contexts[pcid] = { root, changed: [] };
    this.fill();
  }

  /** The entry of a page was invalidated, in the current PCID. */
  invalidated(page: PageNumber): void {
    const context = this.contexts[this.pcid];
    if (context !== undefined) context.changed[this.pages.indexOf(page)] = false;
    this.fill();
  }

  /**
   * The entry of a page, now present, is about to change: has this CPU lost what it held, and
   * filled the present one?
   */
  changing(root: FrameNumber, page: PageNumber, choices: Choices): void {
    const index = this.pages.indexOf(page);
    for (let pcid = 0; pcid < this.contexts.length; pcid++) {
      const context = this.contexts[pcid];
      if (context?.root !== root) continue;
      if (context.changed[index] === true && this.root === root && this.pcid === pcid) {
        this.mayLose(page, choices);
      }
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
    this.invalidated(page);
  }

  /** Fills whatever CR3 reaches and the TLB does not hold. */
  fill(): void {
    if (this.root === this.kernelRoot) return;
    for (let index = 0; index < this.pages.length; index++) {
      const page = this.pages[index]!;
      // A page fault would drop what is cached for the page; speculation raises none.
      if (this.machine.translate(this.root, page) === 0n) continue;
      const address = addressOfPage(page);
      this.machine.access(this.cpu, { address, kind: "read", user: true });
    }
  }
}

const copyOf = (contexts: readonly (Context | undefined)[]): (Context | undefined)[] =>
  contexts.map((context) => context && { root: context.root, changed: [...context.changed] });
