// Cases about single walks: what each bit of each entry grants, refuses, or is reserved for.

import type { CaseBuilder, Path } from "./case-builder.ts";
import * as bit from "./geometry.ts";

export type Category = (the: CaseBuilder) => void;

/** Rights of one entry; each is refused once in `refusals` times. */
export function rights(the: CaseBuilder, refusals: number): bigint {
  const { dice } = the;
  let flags = dice.once(4 * refusals) ? 0n : bit.PRESENT;
  if (!dice.once(refusals)) flags |= bit.WRITABLE;
  if (!dice.once(refusals)) flags |= bit.USER;
  // Where bit 63 is reserved it would hide all else.
  const noExecuteInTimes = the.noExecute ? refusals : 8 * refusals;
  if (the.mode !== "l2" && dice.once(noExecuteInTimes)) flags |= bit.NO_EXECUTE;
  return flags | dice.flags([bit.ACCESSED], 2);
}

export const isPdpteOfPae = (the: CaseBuilder, shift: number): boolean =>
  the.mode === "pae" && shift === 30;

/** Gives all entries of a path new rights, and the last a page. */
export function rewrite(the: CaseBuilder, path: Path, refusals: number): void {
  const leaf = path.at(-1)!;
  for (const entry of path.slice(0, -1)) {
    if (isPdpteOfPae(the, entry.shift)) continue;
    const table = the.entries.get(entry.address)! & ~bit.OPEN_TABLE;
    the.set(entry.address, table | rights(the, refusals));
  }
  const dirty = the.dice.flags([bit.DIRTY], 2);
  the.set(leaf.address, the.leaf(leaf.shift) | rights(the, refusals) | dirty);
}

/** A page with the path to it, which refuses something now and then. */
export function page(the: CaseBuilder, refusals: number): { address: bigint; path: Path } {
  const shift = the.pageShift();
  const address = the.address(shift);
  const path = the.path(address, shift);
  rewrite(the, path, refusals);
  return { address, path };
}

/** Bits that no entry but a PDPTE of PAE gives a meaning to, as this mode has them. */
function ignoredBits(the: CaseBuilder, isLeaf: boolean): bigint {
  const software = the.mode === "pae" || the.mode === "l2" ? 0n : 0x7ffn << 52n;
  const cached = bit.WRITE_THROUGH | bit.CACHE_DISABLE;
  return bit.AVAILABLE | software | cached | (isLeaf ? bit.GLOBAL : bit.DIRTY);
}

/** The product of the rights of all levels, one access. */
export const systematic: Category = (the) => {
  const { address } = page(the, 3);
  the.access(address);
};

/** The same with ignored bits anywhere, and several accesses. */
export const random: Category = (the) => {
  const { address, path } = page(the, 6);
  path.forEach((entry, level) => {
    const isPdpte = isPdpteOfPae(the, entry.shift);
    const mask = ignoredBits(the, level === path.length - 1);
    the.or(entry.address, the.dice.some(isPdpte ? bit.AVAILABLE : mask));
  });
  if (path.at(-1)!.shift === 12 && the.dice.once(12)) readTable(the, address, path);
  else for (let count = 1 + the.dice.below(4); count > 0; count--) the.access(address);
};

/** Maps a table of the path in place of data, and reads the entry that the path goes through. The
 *  root is left alone: the harness has entries there. */
function readTable(the: CaseBuilder, address: bigint, path: Path): void {
  const leaf = path.at(-1)!.address;
  const shown = the.dice.pick(path.slice(1)).address;
  const flags = the.entries.get(leaf)! & 0xfff0_0000_0000_0fffn;
  the.set(leaf, flags | (shown & ~0xfffn));
  const bytes = bit.is64Bit(the.mode) ? 8 : 4;
  for (let count = 1 + the.dice.below(4); count > 0; count--) {
    the.access((address & ~0xfffn) | (shown & 0xfffn), { kind: "read", bytes });
  }
}

/** Reserved bits that an entry of this path can have set: of an address that is too wide, of a
 *  large page's frame, of a size that there is not, and bit 63 without EFER.NXE. */
function reservedBits(the: CaseBuilder, shift: number, isLeaf: boolean): readonly bigint[] {
  const isLarge = isLeaf && shift > 12;
  if (the.mode === "l2") return isLarge ? [1n << 21n] : [];
  const widest = the.mode === "pae" ? 62 : 51;
  const bits: bigint[] = [];
  for (let at = the.physicalAddressBits; at <= widest; at++) bits.push(1n << BigInt(at));
  if (isLarge) for (let at = 13; at < shift; at++) bits.push(1n << BigInt(at));
  if (!isLeaf && shift >= 39) bits.push(bit.PAGE_SIZE);
  if (!isLeaf && shift >= 39 && the.vendor === "amd") bits.push(bit.GLOBAL);
  if (!the.noExecute) bits.push(bit.NO_EXECUTE);
  return bits;
}

/** Bits of a frame for which the oracle needs no RAM. */
function withoutRam(the: CaseBuilder): readonly bigint[] {
  const bits: bigint[] = [];
  if (!the.oracle.answersWithoutRam) return bits;
  for (let at = 42; at < Math.min(the.physicalAddressBits, 48); at++) bits.push(1n << BigInt(at));
  return bits;
}

/** One or two reserved bits in a path that grants everything. */
export const reserved: Category = (the) => {
  const shift = the.pageShift();
  const address = the.address(shift);
  const path = the.path(address, shift);
  const leaf = path.at(-1)!;
  the.set(leaf.address, the.leaf(shift) | bit.OPEN_TABLE);
  if (shift === 12 && the.dice.once(6) && withoutRam(the).length > 0) {
    the.or(leaf.address, the.dice.pick(withoutRam(the)));
    const kind = (["read", "write", "add"] as const)[the.dice.below(3)]!;
    the.access(address, { kind });
    return;
  }
  for (let count = the.dice.below(3); count > 0; count--) {
    const entry = the.dice.pick(path);
    if (isPdpteOfPae(the, entry.shift)) continue;
    const bits = reservedBits(the, entry.shift, entry === leaf);
    // The first is the lowest bit that no address has.
    if (bits.length > 0) the.or(entry.address, the.dice.once(4) ? bits[0]! : the.dice.pick(bits));
  }
  the.access(address);
  if (the.dice.once(4)) the.access(address);
};

/** Neighbouring pages of one page table, each with rights of its own. */
export const neighbours: Category = (the) => {
  const first = the.address() & ~(0xfn << 12n);
  const count = 4 + the.dice.below(8);
  for (let index = 0; index < count; index++) {
    const address = first + (BigInt(index) << 12n);
    const leaf = the.path(address, 12).at(-1)!;
    const flags = rights(the, 3) | the.dice.flags([bit.DIRTY], 2);
    the.set(leaf.address, the.leaf(12) | flags);
    the.access(address);
  }
};

/** A PDPTE that maps a gigabyte, on processors that know such pages and on others. */
export const gigabyte: Category = (the) => {
  const address = the.address(30);
  const path = the.path(address, 30);
  rewrite(the, path, 6);
  if (the.dice.once(4)) the.or(path.at(-1)!.address, 1n << BigInt(13 + the.dice.below(17)));
  for (let count = 1 + the.dice.below(3); count > 0; count--) the.access(address);
};

/** PDPTEs of PAE, which are loaded with CR3: ignored and reserved bits, and none. */
export const pdptes: Category = (the) => {
  const { address, path } = page(the, 8);
  const pdpte = path[0]!.address;
  the.or(pdpte, the.dice.some(bit.AVAILABLE | bit.WRITE_THROUGH | bit.CACHE_DISABLE));
  if (the.dice.once(6)) the.or(pdpte, the.dice.pick([bit.WRITABLE, bit.GLOBAL, bit.NO_EXECUTE]));
  if (the.dice.once(6)) the.set(pdpte, the.entries.get(pdpte)! & ~bit.PRESENT);
  the.access(address);
};
