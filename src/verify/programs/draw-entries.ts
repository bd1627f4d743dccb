// The entries of random programs: at first at every place that addresses lead to, and later here
// and there. They serve at any level; most point to a table, and are open.

import { ENTRY, SHAPES, shiftOf } from "../../reference/entry.ts";
import { bit, bits, pagingMode } from "../../reference/registers.ts";
import type { Dice } from "../../base/dice.ts";
import * as places from "./places.ts";
import type { EntryWrite, Program } from "./random-program.ts";

const GLOBAL = bit(8);
const OPEN = ENTRY.P | ENTRY.RW | ENTRY.US;
const POINTER = bits(51, 12) | ENTRY.PS | OPEN;

/** What entries are drawn for. */
export interface Ground extends Pick<Program, "features" | "registers"> {
  readonly dice: Dice;
  readonly space: places.Space;
}

export const bytesOf = ({ indexBits }: places.Space): 4 | 8 => (indexBits === 10 ? 4 : 8);

export interface FirstEntries {
  readonly entries: readonly EntryWrite[];
  /** Places on the paths to the addresses. */
  readonly paths: readonly bigint[];
}

/** Random ones, but for the paths to the addresses: most of those lead to the last level. */
export function firstEntries(ground: Ground, addresses: readonly bigint[]): FirstEntries {
  const { dice, space } = ground;
  const drawn = [
    ...places.entryPlaces(bytesOf(space)).map((place) => entryWrite(ground, place)),
    ...places.PDPTE_PLACES.map((place) => pdpteWrite(ground, place)),
  ].filter(() => !dice.once(32));
  const entries = new Map(drawn.map((entry) => [entry.address, entry]));
  const opened = addresses.filter(() => !dice.once(5));
  const paths = opened.flatMap((address) => openPath(ground, entries, address));
  return { entries: [...entries.values()], paths };
}

/** Makes every entry on the way to an address point to a table; the last stays as it is. */
function openPath(
  { dice, registers }: Ground,
  entries: Map<bigint, EntryWrite>,
  address: bigint,
): readonly bigint[] {
  const mode = pagingMode(registers);
  const shape = SHAPES[mode];
  const path: bigint[] = [];
  let table = registers.cr3 & bits(51, mode === "PAE" ? 5 : 12);
  for (const level of shape.levels) {
    const index = (address >> BigInt(shiftOf(shape, level))) & bits(shape.indexBits - 1, 0);
    const isPdpte = mode === "PAE" && level === 3;
    const at = table + (isPdpte ? index & 3n : index) * BigInt(shape.entryBytes);
    if (!isPdpte) path.push(at);
    if (level === 1) return path;
    const before = entries.get(at)?.value ?? 0n;
    const flags = isPdpte ? ENTRY.P : OPEN;
    const isOpen = places.TABLES.some((to) => (before & POINTER) === (to | flags));
    const value = isOpen ? before : dice.pick(places.TABLES) | flags;
    entries.set(at, { kind: "entry", address: at, bytes: shape.entryBytes, value });
    table = value & bits(51, 12);
  }
  return path;
}

export function entryWrite({ dice, features, space }: Ground, address: bigint): EntryWrite {
  const bytes = bytesOf(space);
  const value = entryValue(dice, features.physicalAddressBits, space);
  return { kind: "entry", address, bytes, value: BigInt.asUintN(8 * bytes, value) };
}

/** An entry that may serve at any level: a table, or a page, of rights that are mostly open. */
function entryValue(dice: Dice, physicalAddressBits: number, { width }: places.Space): bigint {
  if (dice.once(40)) return dice.once(2) ? 0n : dice.bits(64) & ~ENTRY.P;
  const flags =
    (dice.once(4) ? OPEN & ~dice.some(OPEN & ~ENTRY.P) : OPEN) |
    dice.flags([ENTRY.A, ENTRY.D], 3) |
    dice.flags([GLOBAL], 6) |
    dice.flags([ENTRY.XD], 20) |
    (dice.once(width === 32 ? 40 : 3) ? dice.pick([1n, 15n]) << 59n : 0n);
  const high = width === 32 ? 0n : bits(58, 52);
  const ignored = dice.once(10) ? dice.some(bits(4, 3) | bits(11, 9) | high) : 0n;
  const stray = dice.once(40) ? bit(dice.pick([7, 13, 21, physicalAddressBits, 51, 62])) : 0n;
  const others = flags | ignored | stray;
  if (dice.once(10)) return others | ENTRY.PS | places.frame(dice, true, physicalAddressBits);
  if (dice.once(12)) return others | places.frame(dice, false, physicalAddressBits);
  return others | dice.pick(places.TABLES);
}

export function pdpteWrite({ dice }: Ground, address: bigint): EntryWrite {
  const stray = dice.once(40) ? bit(dice.pick([1, 5, 7, 8, 52, 63])) : 0n;
  const present = dice.once(8) ? 0n : ENTRY.P;
  const value = dice.pick(places.TABLES) | present | stray | dice.some(bits(11, 9) | bits(4, 3));
  return { kind: "entry", address, bytes: 8, value };
}
