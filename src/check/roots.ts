// Whose page tables a root is: what a checker sees of a CPU is its CR3, not what the kernel thinks.

import type { FrameNumber } from "../base/address.ts";
import type { Kernel } from "../kernel/state/kernel.ts";
import type { Mm } from "../kernel/state/mm.ts";
import type { Restore } from "../base/restore.ts";

export class Roots {
  /** As found; an mm that is no longer live may have left its root to another. */
  private found: ReadonlyMap<FrameNumber, Mm> = new Map();

  constructor(private readonly kernel: Kernel) {}

  /** The address space with that root, one of its roots; null: it has been freed. */
  mmOf(root: FrameNumber): Mm | null {
    const { initMm, liveMms } = this.kernel;
    const known = this.found.get(root);
    if (known !== undefined && (known === initMm || liveMms.has(known))) return known;
    const mms = [initMm, ...liveMms];
    this.found = new Map(mms.flatMap((mm) => mm.roots.map((one) => [one, mm] as const)));
    return this.found.get(root) ?? null;
  }

  /** The root whose tables decide about what was cached from `root`. */
  behind(root: FrameNumber): FrameNumber {
    return this.mmOf(root)?.rootBehind(root) ?? root;
  }

  save(): Restore {
    const { found } = this;
    return () => {
      this.found = found;
    };
  }
}
