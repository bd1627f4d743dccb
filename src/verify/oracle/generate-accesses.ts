// Cases about accesses: across pages, with SMEP and SMAP, keys, and addresses that are none.

import * as bit from "./geometry.ts";
import { page, rights, type Category } from "./generate-entries.ts";

/** Loads and stores that begin on one page and end on the next. */
export const crossing: Category = (the) => {
  const { dice } = the;
  const first = the.address() & ~0x1fffn;
  for (const address of [first, first + 0x1000n]) {
    const leaf = the.path(address, 12).at(-1)!;
    the.set(leaf.address, the.leaf(12) | rights(the, 6) | dice.flags([bit.DIRTY], 2));
  }
  const sizes = bit.is64Bit(the.mode) ? ([2, 4, 8] as const) : ([2, 4] as const);
  for (let count = 1 + dice.below(3); count > 0; count--) {
    const bytes = dice.pick(sizes);
    const offset = 0x1000 - (dice.once(8) ? 8 : 1 + dice.below(bytes - 1));
    the.access(first + BigInt(offset), { kind: dice.pick(["read", "write"]), bytes });
  }
};

/** SMEP and SMAP in all combinations, and RFLAGS.AC. */
export const supervisorModes: Category = (the) => {
  the.cr4 |= the.dice.some(bit.CR4_SMEP | bit.CR4_SMAP);
  const { address } = page(the, 5);
  for (let count = 1 + the.dice.below(4); count > 0; count--) {
    the.access(address, { alignmentCheck: the.dice.once(2) });
  }
};

/** Protection keys for user pages, and PKRU changed in between. */
export const keys: Category = (the) => {
  const { dice } = the;
  the.cr4 |= bit.CR4_PROTECTION_KEYS | dice.flags([bit.CR4_SMEP, bit.CR4_SMAP], 4);
  the.pkru = dice.bits(32);
  const { address, path } = page(the, 8);
  for (const { address: entry } of path) the.or(entry, dice.some(0xfn << 59n));
  for (let count = 1 + dice.below(4); count > 0; count--) {
    if (dice.once(3)) the.operations.push({ kind: "pkru", value: dice.bits(32) });
    the.access(address, { alignmentCheck: dice.once(3) });
  }
};

/** Both edges of the hole between the canonical halves, and addresses within it. */
export const nonCanonical: Category = (the) => {
  const { dice, mode } = the;
  const bits = BigInt(bit.linearBits(mode));
  const top = 1n << (bits - 1n);
  const bottom = bit.canonical(mode, top);
  const edges = [top - 0x1000n, bottom];
  for (const address of edges) {
    the.set(the.path(address, 12).at(-1)!.address, the.leaf(12) | bit.OPEN_TABLE);
  }
  const within = (): bigint => {
    const address = dice.bits(64) & ~7n;
    return bit.canonical(mode, address) === address ? address ^ (1n << 63n) : address;
  };
  for (let count = 1 + dice.below(3); count > 0; count--) {
    const edge = dice.pick([top - 8n, bottom, top - 4n]);
    const address = dice.once(3) ? edge : dice.pick([top, bottom - 8n, within()]);
    // A jump to an edge itself would run into the hole.
    const isEdge = address === edge;
    const kind = dice.pick(["read", "write"] as const);
    if (isEdge || dice.once(2)) the.access(address, { kind, stack: dice.once(3) });
    else the.access(address, { kind: dice.pick(["execute", "add"]) });
  }
};
