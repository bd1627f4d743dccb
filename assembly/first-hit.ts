// A hit in the first level's array of 4 KiB pages, and an entry from the second level, once for
// each shape that CPUs have: up to four ways in a power of two of sets, fully associative, and any
// other. The batch's loop is compiled for each, so that it does not ask the shape at every access.

import { REPLACE_FIFO, REPLACE_TREE_PLRU } from "./abi.ts";
import { dataOf, fill, findCompared, isFull, useData } from "./array.ts";
import { COMPARED_WAYS, Geometry, keepBits, PLAIN_TAGS, setBits } from "./geometry.ts";
import { findLinked, touchLinked } from "./linked.ts";
import { treeVictimOf4, victim } from "./replacement.ts";

/** The bytes of a set of FourWays. */
const SET_BYTES: u32 = 112;

/** Three or four ways, replaced by a matrix or a tree, in a power of two of sets. */
@unmanaged
export class FourWays extends Geometry {
  /** The data of the entry with this tag, which counts as used, or 0. */
  use(core: usize, number: u64, key: u64): u64 {
    const set = this.setFor(core, number);
    const entry = findCompared(set, key);
    if (entry == 0) return 0;
    this.touch(set, load<u64>(set), <u32>((entry - set - PLAIN_TAGS) >> 3));
    return load<u64>(entry, 8 * <usize>COMPARED_WAYS);
  }

  /** Enters a usual entry that is missed; the list holds usual entries only. */
  enter(core: usize, number: u64, key: u64, data: u64, root: u32): void {
    if (!isFull(this, core)) {
      fill(this, core, number, key, data, root);
      return;
    }
    const set = this.setFor(core, number);
    const order = load<u64>(set);
    const way = this.policy == REPLACE_TREE_PLRU ? treeVictimOf4(order) : victim(this, order);
    this.touch(set, order, way);
    const entry = set + ((<usize>way) << 3);
    store<u64>(entry, key, PLAIN_TAGS);
    store<u64>(entry, data, PLAIN_TAGS + 8 * <usize>COMPARED_WAYS);
    store<u32>(entry, root, PLAIN_TAGS + 16 * <usize>COMPARED_WAYS);
  }

  private setFor(core: usize, number: u64): usize {
    return core + this.first + <usize>(((<u32>number) & this.setMask) * SET_BYTES);
  }

  private touch(set: usize, order: u64, way: u32): void {
    store<u64>(set, (order & load<u64>(keepBits(this, way))) | load<u64>(setBits(this, way)));
  }
}

/** One set of more than 16 ways. */
@unmanaged
export class FullyAssociative extends Geometry {
  use(core: usize, number: u64, key: u64): u64 {
    const entry = findLinked(this, core, number, key);
    if (entry == 0) return 0;
    touchLinked(this, core, entry);
    return dataOf(this, entry);
  }

  enter(core: usize, number: u64, key: u64, data: u64, root: u32): void {
    fill(this, core, number, key, data, root);
  }
}

@unmanaged
export class AnyShape extends Geometry {
  use(core: usize, number: u64, key: u64): u64 {
    return useData(this, core, number, key);
  }

  enter(core: usize, number: u64, key: u64, data: u64, root: u32): void {
    fill(this, core, number, key, data, root);
  }
}

export function hasFourWays(g: Geometry): bool {
  const fits = g.setBytes == SET_BYTES && g.foldBits == 0 && (g.setMask != 0 || g.sets == 1);
  return fits && g.policy != REPLACE_FIFO;
}
