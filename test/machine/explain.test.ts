// How an access's translation was found, step by step.

import { expect, test } from "vitest";
import { pageNumber } from "../../src/base/address.ts";
import { explainAccess } from "../../src/machine/explain.ts";
import { MACHINE } from "./describe.ts";
import { at, Space } from "./space.ts";

const read = (page: number) => ({ address: at(page), kind: "read", user: true }) as const;

test("a cold walk begins at the root and loads one entry at each level", () => {
  const { machine, tables } = mapped(5);
  const { result, walk } = explainAccess(machine, 0, read(5));
  expect(result).toMatchObject({ source: "walk" });
  expect(walk?.startLevel).toBe(4);
  expect(walk?.steps.map(({ level }) => level)).toEqual([4, 3, 2, 1]);
  expect(walk?.steps[0]).toMatchObject({
    address: BigInt(tables.root) << 12n,
    cycles: MACHINE.dramCycles.local,
  });
});

test("a walk that a paging-structure cache shortens has only the steps that it made", () => {
  const { machine } = mapped(5, 6);
  explainAccess(machine, 0, read(5));
  const { walk } = explainAccess(machine, 0, read(6));
  expect(walk).toMatchObject({ startLevel: 1, steps: [{ level: 1 }] });
});

test("a translation that a TLB has takes no walk", () => {
  const { machine } = mapped(5);
  explainAccess(machine, 0, read(5));
  const { result, walk } = explainAccess(machine, 0, read(5));
  expect(result).toMatchObject({ source: "l1" });
  expect(walk).toBeUndefined();
});

test("a walk that ends in a fault shows the entry that it ended at", () => {
  const { machine } = mapped(5);
  const { result, walk } = explainAccess(machine, 0, read(6));
  expect(result.fault).toMatchObject({ vector: 14, errorCode: 4 });
  expect(walk?.steps.at(-1)).toMatchObject({ level: 1, value: 0n });
});

test("an access that crosses a page tells of the walk of each page, and whose it is", () => {
  const { machine } = mapped(5, 6);
  const across = { address: at(5, 0xffc), kind: "read", bytes: 8, user: true } as const;
  const { walk, firstWalk } = explainAccess(machine, 0, across);
  expect(firstWalk).toMatchObject({ address: at(5, 0xffc), startLevel: 4 });
  expect(walk).toMatchObject({ address: at(6), startLevel: 1 });
  machine.invlpg(0, pageNumber(5));
  const again = explainAccess(machine, 0, across);
  expect(again.walk).toMatchObject({ address: at(5, 0xffc) });
  expect(again.firstWalk).toBeUndefined();
});

function mapped(...pages: readonly number[]): Space {
  const space = new Space(MACHINE);
  for (const page of pages) space.map(page);
  return space;
}
