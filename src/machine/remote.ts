// Invalidations on other cores by hardware alone: no instruction and no cycle of theirs.

import { type PageNumber, pageRange, pagesIn } from "../base/address.ts";
import { type Broadcast, extentsOf } from "./broadcast.ts";
import { DISTANCES, type MachineDescription } from "./description.ts";
import type { MachineInstance } from "./wasm.ts";

/** How an invalidation finds the cores that it is for. */
export type Route =
  /** To all of them, for nothing: an upper bound, not a machine. */
  | "everywhere"
  /** A directory beside the last-level cache knows who holds what (DiDi). */
  | "directory";

/** What a core has others invalidate. */
export interface RemoteRequest {
  readonly what: Broadcast;
  readonly route: Route;
  /** Tables of the range will be freed: cores that hold no more than a path are to be found too. */
  readonly freedTables: boolean;
}

/** All pages that a tag can name: whatever a PCID holds. */
const EVERYTHING = { start: 0, pages: 2 ** 45 };

export class RemoteInvalidations {
  private readonly extents: Readonly<Record<Broadcast["extent"], number>>;

  constructor(
    private readonly instance: MachineInstance,
    private readonly description: MachineDescription,
  ) {
    this.extents = extentsOf(instance);
  }

  /**
   * The core has others invalidate, itself included, and waits until it is done; global pages of a
   * range go too. Returns the cores that were reached. Serialising.
   */
  request(core: number, { what, route, freedTables }: RemoteRequest): readonly number[] {
    const { functions } = this.instance;
    functions.fence(core);
    const all = Array.from({ length: this.description.topology.coreCount }, (_, id) => id);
    const isMeant = (other: number): boolean =>
      route === "everywhere" || this.holds(other, what, freedTables);
    const reached = all.filter(isMeant);
    for (const other of reached) this.invalidate(other, what);
    functions.advance(core, this.cyclesOf(core, what, route, reached));
    return reached;
  }

  /** Carries `what` out on a core, at no cost. */
  invalidate(core: number, what: Broadcast): void {
    const pcid = "pcid" in what ? what.pcid : 0;
    const page = "range" in what ? what.range.start : 0;
    const pages = "range" in what ? pagesIn(what.range) : 0;
    const extent = this.extents[what.extent];
    this.instance.functions.invalidateFromOutside(core, extent, pcid, page, pages);
  }

  /** Whether a core has cached a translation of a page in a PCID, or a global one. */
  holdsPage(core: number, pcid: number, page: PageNumber): boolean {
    return this.holds(core, { extent: "pages", pcid, range: pageRange(page, 1) }, false);
  }

  /** Whether a core has cached a translation that `what` is about, or with `paths` a way to one. */
  private holds(core: number, what: Broadcast, paths: boolean): boolean {
    if (!("pcid" in what)) return true;
    const { start, pages } =
      what.extent === "pages"
        ? { start: what.range.start, pages: pagesIn(what.range) }
        : EVERYTHING;
    return (
      this.instance.functions.holdsTranslation(core, what.pcid, start, pages, paths ? 1 : 0) !== 0
    );
  }

  /** From an ICR write to the vector at its target. */
  deliveryCycles(core: number, target: number): number {
    const distance = DISTANCES[this.instance.functions.distance(core, target)]!;
    return this.description.ipiDeliveryCycles[distance === "self" ? "sameLlc" : distance];
  }

  /**
   * Everywhere: one INVLPG, however much it is. By directory: an INVLPG for each page, a look-up at
   * the LLC, and there and back to the furthest holder as for a line that it shares.
   */
  private cyclesOf(
    core: number,
    what: Broadcast,
    route: Route,
    reached: readonly number[],
  ): number {
    const { instruction, llc, line } = this.description;
    if (route === "everywhere") return instruction.invlpg;
    const instructions = "range" in what ? pagesIn(what.range) : 1;
    let furthest = 0;
    for (const other of reached) {
      const distance = DISTANCES[this.instance.functions.distance(core, other)]!;
      if (distance !== "self") furthest = Math.max(furthest, line.transferCycles[distance]);
    }
    return instructions * instruction.invlpg + llc.latencyCycles + furthest;
  }
}
