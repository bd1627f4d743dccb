// INVLPGB and TLBSYNC: an invalidation on every core at once, begun by one instruction and waited
// for by the other.

import { type PageRange, pagesIn } from "../base/address.ts";
import { assert } from "../base/assert.ts";
import type { PageSize } from "./description.ts";
import { pagesPer } from "./page-table.ts";
import type { MachineInstance } from "./wasm.ts";

/** What an INVLPGB invalidates; global translations only with "all" and "pagesOfAll". */
export type Broadcast =
  | {
      readonly extent: "pages";
      readonly pcid: number;
      readonly range: PageRange;
      /** Steps of 2 MiB; 4K unless given. */
      readonly pageSize?: PageSize;
    }
  /** Pages of 4 KiB in every PCID, global ones included. */
  | { readonly extent: "pagesOfAll"; readonly range: PageRange }
  | { readonly extent: "pcid"; readonly pcid: number }
  | { readonly extent: "all" | "allButGlobals" };

/** The machine's numbers for extents. */
export const extentsOf = (
  instance: MachineInstance,
): Readonly<Record<Broadcast["extent"], number>> => ({
  pages: instance.constant("BROADCAST_PAGES"),
  pagesOfAll: instance.constant("BROADCAST_PAGES_OF_ALL"),
  pcid: instance.constant("BROADCAST_PCID"),
  all: instance.constant("BROADCAST_ALL"),
  allButGlobals: instance.constant("BROADCAST_ALL_BUT_GLOBALS"),
});

export class Broadcasts {
  private readonly extents: Readonly<Record<Broadcast["extent"], number>>;

  constructor(
    private readonly instance: MachineInstance,
    /** Pages that one INVLPGB covers; 0: this processor has none. */
    readonly pageLimit: number,
  ) {
    this.extents = extentsOf(instance);
  }

  /** INVLPGB: begins the invalidation. It need not have happened anywhere before the TLBSYNC. */
  issue(core: number, what: Broadcast): void {
    assert(this.pageLimit > 0, "INVLPGB is executed where the processor has it");
    const { functions } = this.instance;
    const pcid = "pcid" in what ? what.pcid : 0;
    const page = "range" in what ? what.range.start : 0;
    const { pageSize = "4K" } = what.extent === "pages" ? what : {};
    assert(pageSize !== "1G", "INVLPGB goes by steps of 4 KiB or 2 MiB");
    const pages = "range" in what ? pagesIn(what.range) / pagesPer(pageSize) : 0;
    const extent = this.extents[what.extent];
    functions.invlpgb(core, extent, pcid, page, pages, pageSize === "2M" ? 1 : 0);
  }

  /** TLBSYNC: waits until the core's INVLPGBs are done on every core. */
  complete(core: number): void {
    this.instance.functions.tlbsync(core);
  }
}
