// DiDi: a directory, shared by all cores, of who holds which translation. The kernel's invalidation
// goes to the directory, and from there to the holders only, through their load/store queues: no
// interrupt, no mask in memory, no waiting CPU but the one that asks.
//
// Unlike the published design, as far as its abstract tells, the directory knows of
// paging-structure caches, too, and is asked for them when tables are freed: a core may have
// evicted each translation of the range and still walk by way of the table. Not modelled: the
// directory's capacity, whose evictions invalidate translations that are still good; its updates
// at every TLB fill; the queue slots of the holders.

import { flushingInHardware } from "./one-asid.ts";
import type { ShootdownProtocol } from "../state/shootdown-protocol.ts";

export const didi: ShootdownProtocol = {
  name: "didi",
  summary: "a shared directory of TLB contents: hardware invalidates on the holders alone",
  source: "Villavieja et al., DiDi: Mitigating the Performance Impact of TLB Shootdowns, PACT 2011",
  ...flushingInHardware({
    route: "directory",
    ceilingOf: ({ kernel }) => kernel.options.flushCeiling,
  }),
};
