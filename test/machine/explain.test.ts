// How an access's translation was found, step by step.

import { expect, test } from "vitest";
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

function mapped(...pages: readonly number[]): Space {
  const space = new Space(MACHINE);
  for (const page of pages) space.map(page);
  return space;
}
