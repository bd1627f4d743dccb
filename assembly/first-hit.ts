// A hit in the first level's array of 4 KiB pages, once for each shape that CPUs have: up to four
// ways in a power of two of sets, fully associative, and any other. The batch's loop is compiled for
// each of them, so that it does not ask the shape at every access.

import { dataAt, useData } from "./array.ts";
import { Geometry, keepBits, setBits } from "./geometry.ts";
import { findLinked, touchLinked } from "./linked.ts";


/** Up to four ways, replaced by a matrix or a tree. */
@unmanaged
export class FourWays extends Geometry {
  /** The data of the entry with this tag, which counts as used, or 0. */
  use(core: usize, number: u64, key: u64): u64 {
    const set = (<usize>number) & <usize>this.setMask;
    const tags = core + this.tags + (set << 5);
    const wanted = i64x2.splat(key);
    const low = i64x2.bitmask(i64x2.eq(v128.load(tags), wanted));
    const high = i64x2.bitmask(i64x2.eq(v128.load(tags, 16), wanted));
    const equal = low | (high << 2);
    if (equal == 0) return 0;
    const way = ctz(equal);
    const order = core + this.order + (set << 3);
    const kept = load<u64>(order) & load<u64>(keepBits(this, way));
    store<u64>(order, kept | load<u64>(setBits(this, way)));
    return load<u64>(core + this.data + (set << 5) + ((<usize>way) << 3));
  }
}

/** One set of more than 16 ways. */
@unmanaged
export class FullyAssociative extends Geometry {
  use(core: usize, number: u64, key: u64): u64 {
    const slot = findLinked(this, core, number, key);
    if (slot < 0) return 0;
    touchLinked(this, core, slot);
    return dataAt(this, core, slot);
  }
}

@unmanaged
export class AnyShape extends Geometry {
  use(core: usize, number: u64, key: u64): u64 {
    return useData(this, core, number, key);
  }
}

export function hasFourWays(g: Geometry): bool {
  return g.stride == 4 && g.foldBits == 0 && (g.setMask != 0 || g.sets == 1) && g.listed == 0;
}
