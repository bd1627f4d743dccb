// A hit in the first level's array of 4 KiB pages, and an entry from the second level, once for
// each shape that CPUs have: up to four ways in a power of two of sets, fully associative, and any
// other. The batch's loop is compiled for each, so that it does not ask the shape at every access.

import { REPLACE_FIFO, REPLACE_TREE_PLRU } from "./abi.ts";
import { fill, useData, waysCompared } from "./array.ts";
import {
  COMPARED_WAYS,
  ENTRY_DATA,
  ENTRY_ROOT,
  Geometry,
  keepBits,
  PLAIN_TAGS,
} from "./geometry.ts";
import {
  chainOut,
  chainStart,
  enterInOnlySet,
  findFurther,
  oldestOf,
  touchInOnlySet,
} from "./linked.ts";
import { treeVictimOf4, victim } from "./replacement.ts";

/** The bytes of a set of FourWays. */
const SET_BYTES: u32 = 112;

/** What the shapes below have in common; the batch is compiled for one of them at a time. */
export interface FirstLevel {
  /** The data of the entry with this tag, which counts as used, or 0. */
  use(core: usize, number: u64, key: u64): u64;
  /** Enters an entry that is missed in the place of one of its kind: the array is full of them. */
  enterFull(core: usize, number: u64, key: u64, data: u64, root: u32): void;
}

/** Three or four ways, replaced by a matrix or a tree, in a power of two of sets. */
@unmanaged
export class FourWays extends Geometry {
  use(core: usize, number: u64, key: u64): u64 {
    const set = this.setFor(core, number);
    const equal = waysCompared(set, key);
    if (equal == 0) return 0;
    const way = ctz(equal);
    this.touch(set, load<u64>(set), way);
    return load<u64>(set + ((<usize>way) << 3), PLAIN_TAGS + 8 * <usize>COMPARED_WAYS);
  }

  enterFull(core: usize, number: u64, key: u64, data: u64, root: u32): void {
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
    const words = keepBits(this, way);
    store<u64>(set, (order & load<u64>(words)) | load<u64>(words, 8));
  }
}

/** One set of more than 16 ways. */
@unmanaged
export class FullyAssociative extends Geometry {
  use(core: usize, number: u64, key: u64): u64 {
    let entry = chainStart(this, core, key);
    if (entry == 0) return 0;
    if (load<u64>(entry) != key) {
      entry = findFurther(entry, key);
      if (entry == 0) return 0;
    }
    touchInOnlySet(this, core, entry);
    return load<u64>(entry, ENTRY_DATA);
  }

  enterFull(core: usize, number: u64, key: u64, data: u64, root: u32): void {
    const entry = oldestOf(this, core, 0);
    chainOut(this, core, entry);
    enterInOnlySet(this, core, entry, key);
    store<u64>(entry, data, ENTRY_DATA);
    store<u32>(entry, root, ENTRY_ROOT);
  }
}

@unmanaged
export class AnyShape extends Geometry {
  use(core: usize, number: u64, key: u64): u64 {
    return useData(this, core, number, key);
  }

  enterFull(core: usize, number: u64, key: u64, data: u64, root: u32): void {
    fill(this, core, number, key, data, root);
  }
}

export function isFullyAssociative(g: Geometry): bool {
  return g.linked != 0 && g.sets == 1;
}

export function hasFourWays(g: Geometry): bool {
  const fits = g.setBytes == SET_BYTES && g.foldBits == 0 && (g.setMask != 0 || g.sets == 1);
  return fits && g.policy != REPLACE_FIFO;
}
