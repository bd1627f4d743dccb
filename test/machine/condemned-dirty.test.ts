// A cached entry that is dirty, where the one in memory has been made clean.

import { describe, expect, test } from "vitest";
import { frameNumber, pageNumber } from "../../src/base/address.ts";
import { DIRTY } from "../../src/machine/page-table.ts";
import { MACHINE } from "./describe.ts";
import { Space } from "./space.ts";

const PAGE = 0x1000;

const condemn = ({ machine, tables: { root } }: Space): number =>
  machine.condemnRange(0, root, root, pageNumber(PAGE), pageNumber(PAGE + 1));

describe("an entry through which writes set no dirty bit", () => {
  const written = (): Space => {
    const space = new Space(MACHINE);
    space.map(PAGE, { frame: frameNumber(7) });
    space.access(PAGE, "write");
    return space;
  };
  const clean = (space: Space): void => {
    const entry = space.tables.entryAt(pageNumber(PAGE));
    space.tables.setEntry(pageNumber(PAGE), entry & ~DIRTY);
  };

  test("is condemned where memory has it clean, since the write would be lost", () => {
    const space = written();
    expect(condemn(space)).toBe(0);
    clean(space);
    expect(condemn(space)).toBe(2);
    expect(space.access(PAGE, "write")).toMatchObject({ stale: true });
  });

  test("is none where it was filled by a read: a first write still sets the bit", () => {
    const space = written();
    clean(space);
    space.machine.invlpg(0, pageNumber(PAGE));
    space.access(PAGE, "read");
    expect(condemn(space)).toBe(0);
    expect(space.access(PAGE, "write")).toMatchObject({ stale: false });
    expect(space.tables.entryAt(pageNumber(PAGE)) & DIRTY).toBe(DIRTY);
  });
});
