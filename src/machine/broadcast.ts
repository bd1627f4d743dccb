// INVLPGB and TLBSYNC: an invalidation on every core at once, begun by one instruction and waited
// for by the other.

import type { PageRange } from "../base/address.ts";
import { pagesIn } from "../base/address.ts";
import { assert } from "../base/assert.ts";
import type { MachineInstance } from "./wasm.ts";

/** What an INVLPGB invalidates; global translations only with "all". */
export type Broadcast =
  | { readonly extent: "pages"; readonly pcid: number; readonly range: PageRange }
  | { readonly extent: "pcid"; readonly pcid: number }
  | { readonly extent: "all" | "allButGlobals" };

/** The machine's numbers for extents. */
export const extentsOf = (
  instance: MachineInstance,
): Readonly<Record<Broadcast["extent"], number>> => ({
  pages: instance.constant("BROADCAST_PAGES"),
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
    const page = what.extent === "pages" ? what.range.start : 0;
    const pages = what.extent === "pages" ? pagesIn(what.range) : 0;
    functions.invlpgb(core, this.extents[what.extent], pcid, page, pages);
  }

  /** TLBSYNC: waits until the core's INVLPGBs are done on every core. */
  complete(core: number): void {
    this.instance.functions.tlbsync(core);
  }
}
