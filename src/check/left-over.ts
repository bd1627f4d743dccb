// Which flushes have left something behind that they were to remove: an entry condemned on a CPU.
// Legal where the CPU forgets it before it is used again; the checkers judge by what is told here.

import type { FrameNumber, PageNumber, PageRange } from "../base/address.ts";
import type { Moment } from "../kernel/operation/event.ts";
import type { Restore } from "../base/restore.ts";

/** A flush that returned, or pages that were freed, while a CPU held an older entry. */
export interface Condemnation extends Moment {
  readonly range: PageRange;
  /** tlb_gen of the mm when a flush returned, no lower than the flush's own; null: no flush did. */
  readonly generation: number | null;
}

/** Past this many on one CPU the oldest is forgotten. */
const KEPT = 8;

export class LeftOver {
  private readonly byRoot = new Map<FrameNumber, Map<number, readonly Condemnation[]>>();

  add(root: FrameNumber, cpu: number, condemnation: Condemnation): void {
    const cpus = this.byRoot.get(root) ?? new Map<number, readonly Condemnation[]>();
    this.byRoot.set(root, cpus);
    cpus.set(cpu, [...(cpus.get(cpu) ?? []), condemnation].slice(-KEPT));
  }

  /** The CPUs that may hold a condemned entry from `root`. */
  cpusOf(root: FrameNumber): readonly number[] {
    return [...(this.byRoot.get(root)?.keys() ?? [])];
  }

  /** The last flush that has left something. */
  newestFlush(root: FrameNumber, cpu: number): Condemnation | undefined {
    return this.byRoot
      .get(root)
      ?.get(cpu)
      ?.findLast(({ generation }) => generation !== null);
  }

  /** Who condemned what `cpu` holds of a page, as far as is known. */
  covering(root: FrameNumber, cpu: number, page: PageNumber): Condemnation | undefined {
    const all = this.byRoot.get(root)?.get(cpu);
    return all?.findLast(({ range }) => page >= range.start && page < range.end);
  }

  /** What `cpu` has loaded from `root` holds nothing condemned. */
  forget(root: FrameNumber, cpu: number): void {
    this.byRoot.get(root)?.delete(cpu);
  }

  forgetRoot(root: FrameNumber): void {
    this.byRoot.delete(root);
  }

  save(): Restore {
    const saved = [...this.byRoot].map(([root, cpus]) => [root, [...cpus]] as const);
    return () => {
      if (this.byRoot.size > 0) this.byRoot.clear();
      for (const [root, cpus] of saved) this.byRoot.set(root, new Map(cpus));
    };
  }
}
