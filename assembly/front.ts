// The most frequent case by hand: a 4 KiB page of the current PCID in a first-level TLB, and its
// line most recent in L1D. What does not succeed here has changed nothing and goes the general way.
//
// The batch loop is the only caller, so that all of this ends up inside it.

import { findWay } from "./array.ts";
import { accessCycles, L1D, LINE_SHIFT } from "./cache.ts";
import { Geometry, setOf } from "./geometry.ts";
import { Core, baseOf } from "./layout.ts";
import { chainNext, chainStart, touchLinked } from "./linked.ts";
import { touchWay } from "./replacement.ts";
import { tagFor } from "./tag.ts";
import { arrayOf, COMMON_KIND } from "./tlb.ts";

/** The array of a first-level list in which 4 KiB pages are. */
export function frontOf(list: u32): Geometry {
  return changetype<Geometry>(arrayOf(list, 0));
}

/** The data of the entry for a page, which counts as used, or 0. */
export function frontData(g: Geometry, core: usize, page: u64, pcidBits: u64): u64 {
  const key = tagFor(page, COMMON_KIND, pcidBits);
  let slot: u32;
  if (g.linked != 0) {
    slot = chainStart(g, core, page);
    while (slot != 0 && load<u64>(core + g.tags + ((<usize>slot) << 3)) != key) {
      slot = chainNext(g, core, slot);
    }
    if (slot == 0) return 0;
    touchLinked(g, core, slot);
  } else {
    const set = g.foldBits == 0 && g.setMask != 0 ? (<u32>page) & g.setMask : setOf(g, page);
    const first = set * g.stride;
    const way = findWay(core + g.tags + ((<usize>first) << 3), g.ways, key);
    if (way < 0) return 0;
    touchWay(g, core + g.order + ((<usize>set) << 3), way);
    slot = first + way;
  }
  return load<u64>(core + g.data + ((<usize>slot) << 3));
}

/** Cycles of an access whose line is most often the most recent of its set. */
export function frontCycles(core: Core, physical: u64): f64 {
  const line = <u32>(physical >> LINE_SHIFT);
  const set = baseOf(core) + L1D.offset + <usize>(line & L1D.setMask) * L1D.setBytes;
  // Without a mask the set is the wrong one, in which no line is found either.
  return load<u32>(set) == line + 1 ? L1D.latencyCycles : accessCycles(core, physical);
}
