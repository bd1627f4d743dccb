// What each bit of a paging-structure entry says, in words: for explanations of a walk.

import {
  ENTRY,
  isLeaf,
  type Level,
  pageOf,
  reservedBits,
  SHAPES,
  shiftOf,
  tableOf,
} from "./entry.ts";
import { bit, bits, CR4, EFER, has, isLongMode, pagingMode, type Processor } from "./registers.ts";

export interface EntryBit {
  /** As the manual's tables name it: "R/W", "XD", "63:52". */
  readonly name: string;
  readonly value: bigint;
  readonly meaning: string;
}

const CACHING = { PWT: bit(3), PCD: bit(4) } as const;
const GLOBAL = bit(8);

/** Of an entry that is not present there is nothing to say but that; all else is ignored. */
export function entryBits(processor: Processor, level: Level, entry: bigint): EntryBit[] {
  if (!has(entry, ENTRY.P)) {
    return [{ name: "P", value: 0n, meaning: "not present; all other bits are ignored" }];
  }
  const found = [flag("P", entry, ENTRY.P, "present", "")];
  const mode = pagingMode(processor.registers);
  const isRegister = mode === "PAE" && level === 3;
  if (!isRegister) found.push(...rightsOf(entry), ...usageOf(processor, level, entry));
  found.push(addressOf(processor, level, entry));
  if (!isRegister) found.push(...highBitsOf(processor, level, entry));
  const reserved = entry & reservedBits(processor, level, entry);
  if (reserved !== 0n) {
    found.push({ name: "reserved", value: reserved, meaning: "must be 0 here: #PF with RSVD" });
  }
  return found;
}

function flag(name: string, entry: bigint, mask: bigint, set: string, clear: string): EntryBit {
  const isSet = has(entry, mask);
  return { name, value: isSet ? 1n : 0n, meaning: isSet ? set : clear };
}

const rightsOf = (entry: bigint): EntryBit[] => [
  flag("R/W", entry, ENTRY.RW, "writes allowed", "read-only"),
  flag("U/S", entry, ENTRY.US, "user-mode accesses allowed", "supervisor only"),
  flag("PWT", entry, CACHING.PWT, "write-through", "write-back"),
  flag("PCD", entry, CACHING.PCD, "not cached", "cached"),
  flag("A", entry, ENTRY.A, "has been used", "not used yet"),
];

function usageOf(processor: Processor, level: Level, entry: bigint): EntryBit[] {
  if (!isLeaf(processor, level, entry)) {
    return level === 1 ? [] : [flag("PS", entry, ENTRY.PS, "set", "references a table")];
  }
  const pageBytes = 1n << BigInt(shiftOf(SHAPES[pagingMode(processor.registers)], level));
  const isGlobal = has(processor.registers.cr4, CR4.PGE);
  return [
    flag("D", entry, ENTRY.D, "has been written", "not written yet"),
    ...(level === 1 ? [] : [flag("PS", entry, ENTRY.PS, `maps ${sizeName(pageBytes)}`, "")]),
    flag("G", entry, GLOBAL, isGlobal ? "global" : "ignored: CR4.PGE is 0", "not global"),
  ];
}

const SIZES: ReadonlyMap<bigint, string> = new Map([
  [1n << 21n, "a 2-MByte page"],
  [1n << 22n, "a 4-MByte page"],
  [1n << 30n, "a 1-GByte page"],
]);

const sizeName = (pageBytes: bigint): string => SIZES.get(pageBytes) ?? "a 4-KByte page";

function addressOf(processor: Processor, level: Level, entry: bigint): EntryBit {
  return isLeaf(processor, level, entry)
    ? { name: "page", value: pageOf(processor, level, entry), meaning: "where the page is" }
    : { name: "table", value: tableOf(entry), meaning: "where the next table is" };
}

function highBitsOf(processor: Processor, level: Level, entry: bigint): EntryBit[] {
  const { registers } = processor;
  if (pagingMode(registers) === "32-bit") return [];
  const found = [flag("XD", entry, ENTRY.XD, "no instruction fetches", "fetches allowed")];
  if (!has(registers.efer, EFER.NXE)) found.pop();
  const hasKeys = isLongMode(registers) && has(registers.cr4, CR4.PKE | CR4.PKS);
  if (hasKeys && isLeaf(processor, level, entry)) {
    const key = (entry & bits(62, 59)) >> 59n;
    found.push({ name: "key", value: key, meaning: `protection key ${key}` });
  }
  return found;
}
