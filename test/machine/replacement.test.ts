// Which entry a full set gives up: long random runs over more pages than the TLBs hold, every
// policy and shape, against the plain twin.

import { describe, expect, test } from "vitest";
import { addressOfPage, frameNumber, pageNumber, physicalAddress } from "../../src/base/address.ts";
import { Random } from "../../src/base/random.ts";
import type { TlbArrayDescription } from "../../src/machine/description.ts";
import { Machine } from "../../src/machine/machine.ts";
import { MACHINE, machineWithTlb } from "./describe.ts";
import { PlainMachine } from "./plain-machine.ts";
import { Space } from "./space.ts";

type Shape = Pick<TlbArrayDescription, "entries" | "ways" | "replacement" | "index">;

const shape = (
  entries: number,
  ways: number,
  replacement: TlbArrayDescription["replacement"] = "lru",
  index: TlbArrayDescription["index"] = "linear",
): Shape => ({ entries, ways, replacement, index });

const CASES: readonly { readonly first: Shape; readonly second: Shape }[] = [
  { first: shape(64, 4), second: shape(1536, 12) },
  { first: shape(64, 4, "tree-plru"), second: shape(1536, 12, "mru-plus-one-plru", "xor-fold") },
  { first: shape(96, 96), second: shape(1536, 12, "mru-plus-one-plru") },
  { first: shape(64, 64), second: shape(2048, 16, "lru", "xor-fold") },
  { first: shape(72, 72), second: shape(3072, 24, "lru", "xor-fold") },
  { first: shape(16, 16, "tree-plru"), second: shape(512, 8, "tree-plru", "xor-fold") },
  { first: shape(16, 16, "mru-plus-one-plru"), second: shape(64, 8, "mru-plus-one-plru") },
  { first: shape(12, 1), second: shape(60, 12, "fifo") },
  { first: shape(45, 15, "fifo"), second: shape(330, 11, "lru", "xor-fold") },
  { first: shape(40, 20), second: shape(7 * 17, 17, "lru", "xor-fold") },
];

const nameOf = ({ entries, ways, replacement, index }: Shape): string =>
  `${entries}x${ways} ${replacement} ${index}`;

const FIRST_PAGE = 0x40_0000;
const FIRST_TABLE = 2;
/** Of the pages twice as many are as entries: each set is replaced whole more than once. */
const ACCESSES_PER_ENTRY = 5;

function mapAll(pages: number, write: (address: number, value: bigint) => void): void {
  const link = (table: number, index: number, frame: number): void =>
    write(table * 4096 + index * 8, (BigInt(frame) << 12n) | 7n);
  link(1, 0, FIRST_TABLE);
  link(FIRST_TABLE, FIRST_PAGE / 512 ** 2, FIRST_TABLE + 1);
  for (let page = 0; page < pages; page++) {
    const table = FIRST_TABLE + 2 + Math.floor(page / 512);
    if (page % 512 === 0) link(FIRST_TABLE + 1, page / 512, table);
    link(table, page % 512, 0x1000 + page);
  }
}

describe("the same entries are replaced as in the plain twin", () => {
  for (const { first, second } of CASES) {
    test(`${nameOf(first)}, ${nameOf(second)}`, () => {
      const description = machineWithTlb({
        firstLevelData: [{ ...first, pageSizes: ["4K"] }],
        secondLevelData: [{ ...second, pageSizes: ["4K", "2M"] }],
      });
      const machine = new Machine(description);
      const plain = new PlainMachine(description);
      const pages = second.entries * 2;
      mapAll(pages, (address, value) => {
        machine.write64(physicalAddress(BigInt(address)), value);
        plain.memory.set(address, value);
      });
      machine.writeCr3(0, { root: frameNumber(1), pcid: 0, keep: false });
      plain.writeCr3(1, 0, false);
      const random = new Random(first.entries * second.entries);
      const sources = { l1: 0, l2: 0, walk: 0 };
      for (let index = 0; index < ACCESSES_PER_ENTRY * second.entries + 3000; index++) {
        const range = [pages, pages, second.entries, first.entries * 2][random.below(4)]!;
        const page = FIRST_PAGE + random.below(range);
        const actual = machine.access(0, {
          address: addressOfPage(pageNumber(page)),
          kind: "read",
          user: true,
        });
        const expected = plain.access(page, 0, { kind: "read", user: true });
        if (actual.fault || expected.fault) throw new Error("every page is mapped");
        if (actual.source !== expected.source) expect(actual, `access ${index}`).toEqual(expected);
        sources[actual.source]++;
        if (random.below(200) === 0) {
          machine.invlpg(0, pageNumber(page));
          plain.invlpg(page);
        }
      }
      expect(machine.now(0)).toBe(plain.cycles);
      expect(Math.min(...Object.values(sources))).toBeGreaterThan(2 * first.entries);
    });
  }
});

describe("tags", () => {
  test("what a cached translation says is not taken for the tag of another page", () => {
    // A set of 12 ways; the word of a supervisor's read-only page would be the tag of LIKE_IT.
    const LIKE_IT = 0x1_0000;
    const SAME_SET = 0x80;
    const space = new Space(MACHINE);
    const frame = frameNumber(LIKE_IT >> 8);
    space.map(SAME_SET, { frame, user: false, writable: false });
    expect(space.source(SAME_SET, "read", false)).toBe("walk");
    expect(space.source(LIKE_IT, "read", false)).toBe("fault 0");
  });
});
