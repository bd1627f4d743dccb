// The most frequent case by hand: a 4 KiB page of the current PCID in a first-level TLB, and its
// line most recent in L1D. What does not succeed here has changed nothing and goes the general way.
//
// The batch loop is the only caller, so that all of this ends up inside it, with the shape of the
// array in locals: the compiler cannot know that it does not change.

import { findWay } from "./array.ts";
import { Geometry, setOf } from "./geometry.ts";
import { chainNext, chainStart, touchLinked } from "./linked.ts";
import { touchWay } from "./replacement.ts";
import { arrayOf } from "./tlb.ts";

/** The array of a first-level list in which 4 KiB pages are. */
export function frontOf(list: u32): Geometry {
  return changetype<Geometry>(arrayOf(list, 0));
}

/** Whether a set is selected by `setMask` alone. */
export function hasMaskedSets(g: Geometry): bool {
  return g.linked == 0 && g.foldBits == 0 && (g.setMask != 0 || g.sets == 1);
}

/**
 * The data of the entry with the tag `key`, which counts as used, or 0: in an array of any shape.
 */
export function useAnyShape(g: Geometry, core: usize, page: u64, key: u64): u64 {
  let slot: u32;
  if (g.linked != 0) {
    slot = chainStart(g, core, page);
    while (slot != 0 && load<u64>(core + g.tags + ((<usize>slot) << 3)) != key) {
      slot = chainNext(g, core, slot);
    }
    if (slot == 0) return 0;
    touchLinked(g, core, slot);
  } else {
    const set = setOf(g, page);
    const first = set * g.stride;
    const way = findWay(core + g.tags + ((<usize>first) << 3), g.ways, key);
    if (way < 0) return 0;
    touchWay(g, core + g.order + ((<usize>set) << 3), way);
    slot = first + way;
  }
  return load<u64>(core + g.data + ((<usize>slot) << 3));
}
