// INVLPGB and TLBSYNC (AMD APM volume 3): an invalidation on every core at once, and no interrupt.
// INVLPGB only begins it; TLBSYNC waits until all that this core has begun is done everywhere.
//
// Carried out is each as late as the manual allows: at the TLBSYNC, or when a core has more of them
// outstanding than there is room for. So a missing TLBSYNC shows.
//
//   an outstanding one:  | extent, a BROADCAST_* | PCID in bits 63:52, pages | first page |
//
//   pages: their number in bits 15:0, and bit 16 if they are of 2 MiB
//
// Left out: guests' ASIDs, ranges of all PCIDs without their global pages, "final translation
// only".

import { BROADCAST_PAGES, BROADCAST_PAGES_OF_ALL, COUNTER_INVLPGBS } from "./abi.ts";
import { count } from "./counters.ts";
import { invalidateAs, invalidatePageOfAll } from "./invalidate.ts";
import { broadcastAt, Core, coreAt, MACHINE, MAX_BROADCASTS } from "./layout.ts";
import { PAGE_BITS, PCID_BITS, PCID_SHIFT } from "./tag.ts";

function isOfPages(extent: u32): bool {
  return extent == BROADCAST_PAGES || extent == BROADCAST_PAGES_OF_ALL;
}

/** INVLPGB. Not serialising: it may overtake stores that are still posted. */
export function invlpgb(
  index: u32,
  extent: u32,
  pcid: u32,
  page: f64,
  pages: u32,
  large: u32,
): void {
  assert(MACHINE.broadcastPages != 0);
  assert(!isOfPages(extent) || (pages >= 1 && pages <= MACHINE.broadcastPages));
  const core = coreAt(index);
  if (core.broadcasts == MAX_BROADCASTS) carryOut(core);
  const request = broadcastAt(core, core.broadcasts++);
  store<u64>(request, extent);
  store<u64>(request, ((<u64>pcid) << PCID_SHIFT) | ((<u64>large) << 16) | pages, 8);
  store<u64>(request, (<u64>page) & PAGE_BITS, 16);
  core.clock += MACHINE.invlpgb;
  core.broadcastCycle = core.clock + MACHINE.broadcastCycles;
  count(core, COUNTER_INVLPGBS);
}

/** TLBSYNC: waits for the INVLPGBs of this core. */
export function tlbsync(index: u32): void {
  const core = coreAt(index);
  carryOut(core);
  core.clock = max<f64>(core.clock, core.broadcastCycle);
}

function carryOut(core: Core): void {
  for (let position: u32 = 0; position < core.broadcasts; position++) {
    const request = broadcastAt(core, position);
    for (let index: u32 = 0; index < MACHINE.coreCount; index++) invalidate(coreAt(index), request);
  }
  core.broadcasts = 0;
}

function invalidate(core: Core, request: usize): void {
  const extent = <u32>load<u64>(request);
  const named = load<u64>(request, 8);
  const first = load<u64>(request, 16);
  const pages: u64 = isOfPages(extent) ? named & 0xffff : 1;
  const step: u64 = (named & (1 << 16)) != 0 ? 512 : 1;
  for (let position: u64 = 0; position < pages; position++) {
    const page = first + position * step;
    if (extent == BROADCAST_PAGES_OF_ALL) invalidatePageOfAll(core, page);
    else invalidateAs(core, extent, named & PCID_BITS, page);
  }
}
