// Building, going through and taking apart page tables in emulated memory.

import { expect, test } from "vitest";
import { frameNumber, type PageNumber, pageNumber, pageRange } from "../../src/base/address.ts";
import { entryOf, frameOfEntry, NO_EXECUTE, PageTables } from "../../src/machine/page-table.ts";
import { MACHINE } from "./describe.ts";
import { Space } from "./space.ts";

/** Of the lower half. */
const ALL = { start: pageNumber(0), end: pageNumber(2 ** 35) };
const space = (): Space => new Space(MACHINE);

test("an entry is where the walk looks for it", () => {
  const s = space();
  s.map(0x1234);
  const address = s.tables.addressOfEntry(pageNumber(0x1234));
  expect(s.machine.read64(address)).toBe(s.tables.entryAt(pageNumber(0x1234)));
});

test("setting an entry returns the old one, and 0n makes no tables", () => {
  const s = space();
  const entry = entryOf(frameNumber(5), { user: true, noExecute: true });
  expect(s.tables.setEntry(pageNumber(7), 0n)).toBe(0n);
  expect(s.machine.nextPresent(s.tables.root, 0)).toBe(512);
  expect(s.tables.setEntry(pageNumber(7), entry)).toBe(0n);
  expect(s.tables.setEntry(pageNumber(7), 0n)).toBe(entry);
  expect(entry & NO_EXECUTE).toBe(NO_EXECUTE);
  expect(frameOfEntry(entry)).toBe(5);
});

test("the address of a missing entry is that of the deepest one on its path", () => {
  const s = space();
  const rootEntry = BigInt(s.tables.root) * 4096n + 8n;
  expect(s.tables.addressOfEntry(pageNumber(512 ** 3))).toBe(rootEntry);
});

test("present pages are found in order, across absent subtrees, a large page once", () => {
  const s = space();
  const pages = [0, 511, 512, 512 ** 2 - 1, 512 ** 3 * 3 + 5, 512 ** 3 * 255];
  for (const page of pages) s.map(page);
  s.map(512 * 20, { size: "2M", frame: frameNumber(512) });
  expect(s.tables.presentPages(ALL)).toEqual([...pages, 512 * 20].toSorted((a, b) => a - b));
  expect(s.tables.presentPages(pageRange(pageNumber(511), 2))).toEqual([511, 512]);
  expect(s.tables.presentPages(pageRange(pageNumber(600), 1000))).toEqual([]);
});

test("tables are detached from below, those still in use stay", () => {
  const s = space();
  for (const page of [0, 512, 512 ** 3]) s.map(page);
  const kept = pageNumber(512);
  const unused = ({ start, end }: { start: PageNumber; end: PageNumber }): boolean =>
    !(start <= kept && kept < end);
  const detached = s.tables.detach(ALL, unused);
  // The table of page 0, and the three below the root's second entry.
  expect(detached).toHaveLength(4);
  expect(s.tables.presentPages(ALL)).toEqual([512]);
  expect(s.tables.detach(ALL, () => true)).toHaveLength(3);
  expect(s.machine.nextPresent(s.tables.root, 0)).toBe(512);
});

test("only tables that overlap the range are detached", () => {
  const s = space();
  for (const page of [0, 512, 1024]) s.map(page);
  const detached = s.tables.detach(pageRange(pageNumber(512), 1), () => true);
  expect(detached).toHaveLength(3);
  const again = space();
  for (const page of [0, 512, 1024]) again.map(page);
  const small = again.tables.detach(
    pageRange(pageNumber(512), 1),
    ({ start, end }) => end - start === 512,
  );
  expect(small).toHaveLength(1);
  expect(again.tables.presentPages(ALL)).toEqual([0, 1024]);
});

test("the kernel's half has sign-extended page numbers", () => {
  const s = space();
  const page = pageNumber(0xf_ffff_8000_0000);
  s.map(page);
  expect(s.tables.presentPages(pageRange(page, 4))).toEqual([page]);
  expect(s.tables.detach(pageRange(page, 4), ({ start }) => start === page)).toHaveLength(3);
});

test("a second root gets every table of the user half and none of the other half", () => {
  const s = space();
  const root = s.allocate();
  const userRoot = s.allocate();
  const tables = new PageTables(s.machine, () => s.allocate(), root, userRoot);
  const high = 0xffffc90000000;
  for (const page of [7, 512 ** 3, high]) s.map(page, {}, tables);
  const mapped = (page: number): boolean[] =>
    [root, userRoot].map((from) => s.machine.translate(from, pageNumber(page)) !== 0n);
  expect([7, 512 ** 3, high].map(mapped)).toEqual([
    [true, true],
    [true, true],
    [true, false],
  ]);
  tables.detach(pageRange(pageNumber(0), 512 ** 3), () => true);
  expect([7, 512 ** 3].map(mapped)).toEqual([
    [false, false],
    [true, true],
  ]);
});

test("roots that share an entry of the root see what is mapped below it later", () => {
  const s = space();
  const other = s.newTables();
  const high = 0xffffc90000000;
  s.tables.makeTables(pageNumber(high));
  other.shareTop(s.tables, pageNumber(high));
  s.map(high + 3);
  expect(other.entryAt(pageNumber(high + 3))).toBe(s.tables.entryAt(pageNumber(high + 3)));
  expect(other.entryAt(pageNumber(high + 3))).not.toBe(0n);
});
