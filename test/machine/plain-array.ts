// A TLB array as plainly as it can be said: sets of ways, each policy spelt out. The twin of
// assembly/array.ts and replacement.ts.

import type { TlbArrayDescription } from "../../src/machine/description.ts";

export interface PlainEntry {
  /** Page number in units of its size, or a prefix. */
  readonly number: number;
  readonly size: number;
  readonly global: boolean;
  readonly pcid: number;
  readonly frame: number;
  readonly writable: boolean;
  readonly user: boolean;
  readonly noExecute: boolean;
  readonly dirty: boolean;
}

export type Key = Pick<PlainEntry, "number" | "size" | "global" | "pcid">;

export const isFor = (entry: PlainEntry, key: Key): boolean =>
  entry.number === key.number &&
  entry.size === key.size &&
  entry.global === key.global &&
  (entry.global || entry.pcid === key.pcid);

interface PlainSet {
  readonly ways: (PlainEntry | null)[];
  /** Way numbers, most recently used first; for fifo, youngest first. */
  readonly order: number[];
  /** tree[group][node]: whether the right child is the one to replace. */
  readonly trees: boolean[][];
  lastGroup: number;
}

export class PlainArray {
  readonly sets: PlainSet[];

  constructor(readonly description: TlbArrayDescription) {
    const { entries, ways } = description;
    this.sets = Array.from({ length: entries / ways }, () => ({
      ways: Array.from({ length: ways }, () => null),
      order: Array.from({ length: ways }, (_, way) => way),
      trees: Array.from({ length: Math.max(1, ways / 4) }, () => Array<boolean>(ways).fill(false)),
      lastGroup: 0,
    }));
  }

  private setOf(number: number): PlainSet {
    const count = this.sets.length;
    if (this.description.index === "linear") return this.sets[number % count]!;
    const width = Math.ceil(Math.log2(count));
    let folded = 0n;
    if (width === 0) return this.sets[0]!;
    for (let rest = BigInt(number); rest !== 0n; rest >>= BigInt(width)) folded ^= rest;
    return this.sets[Number(BigInt.asUintN(width, folded)) % count]!;
  }

  /** The entry for a key, which counts as used. */
  use(key: Key): PlainEntry | null {
    const set = this.setOf(key.number);
    const way = set.ways.findIndex((entry) => entry !== null && isFor(entry, key));
    if (way < 0) return null;
    if (this.description.replacement !== "fifo") this.touch(set, way);
    return set.ways[way]!;
  }

  fill(entry: PlainEntry): void {
    const set = this.setOf(entry.number);
    let way = set.ways.findIndex((one) => one !== null && isFor(one, entry));
    const isNew = way < 0;
    if (way < 0) way = set.ways.indexOf(null);
    if (way < 0) way = this.victim(set);
    set.ways[way] = entry;
    if (isNew || this.description.replacement !== "fifo") this.touch(set, way);
  }

  drop(matches: (entry: PlainEntry) => boolean): void {
    for (const set of this.sets) {
      set.ways.forEach((entry, way) => {
        if (entry !== null && matches(entry)) set.ways[way] = null;
      });
    }
  }

  private touch(set: PlainSet, way: number): void {
    set.order.splice(set.order.indexOf(way), 1);
    set.order.unshift(way);
    const grouped = this.description.replacement === "mru-plus-one-plru";
    const group = grouped ? Math.floor(way / 4) : 0;
    const leaves = grouped ? 4 : this.description.ways;
    set.lastGroup = group;
    let node = 1;
    let from = 0;
    for (let half = leaves / 2; half >= 1; half /= 2) {
      const right = (way % leaves) - from >= half;
      set.trees[group]![node] = !right;
      if (right) from += half;
      node = 2 * node + Number(right);
    }
  }

  private victim(set: PlainSet): number {
    const { replacement, ways } = this.description;
    if (replacement === "lru" || replacement === "fifo") return set.order.at(-1)!;
    const grouped = replacement === "mru-plus-one-plru";
    const group = grouped ? (set.lastGroup + 1) % (ways / 4) : 0;
    const leaves = grouped ? 4 : ways;
    let node = 1;
    while (node < leaves) node = 2 * node + Number(set.trees[group]![node]!);
    return 4 * group + node - leaves;
  }
}
