// Tables that map one page: what they lead to, what not, and what is left afterwards.

import { describe, expect, test } from "vitest";
import { frameNumber, pageNumber } from "../../src/base/address.ts";
import type { PageSize } from "../../src/machine/description.ts";
import { entryOf, PAGE_SIZE } from "../../src/machine/page-table.ts";
import { SinglePath } from "../../src/machine/single-path.ts";
import { MACHINE } from "./describe.ts";
import { Space } from "./space.ts";

const PAGE = 0x7_1234_5600;

describe.each(["4K", "2M"] as const)("a path to a page of %s", (size: PageSize) => {
  const leaf = entryOf(frameNumber(0x20_0000), { user: true }) | (size === "2M" ? PAGE_SIZE : 0n);
  const linked = () => {
    const space = new Space(MACHINE);
    const path = new SinglePath(space.machine, () => space.allocate());
    const written = path.set(pageNumber(PAGE), leaf, size);
    const leadsTo = (page: number): bigint => space.machine.translate(path.root, pageNumber(page));
    return { space, path, written, leadsTo };
  };

  test("leads to that page alone, by one entry of each level", () => {
    const { written, leadsTo } = linked();
    expect(written).toHaveLength(size === "4K" ? 4 : 3);
    expect(leadsTo(PAGE)).toBe(leaf);
    for (const other of [PAGE - 1, PAGE + 512, PAGE ^ (2 ** 20)]) expect(leadsTo(other)).toBe(0n);
  });

  test("leads nowhere when it is unlinked, and then to the next page", () => {
    const { path, leadsTo } = linked();
    path.set(pageNumber(PAGE), null, size);
    expect(leadsTo(PAGE)).toBe(0n);
    path.set(pageNumber(512), leaf | PAGE_SIZE, "2M");
    expect([leadsTo(512), leadsTo(PAGE)]).toEqual([leaf | PAGE_SIZE, 0n]);
  });
});
