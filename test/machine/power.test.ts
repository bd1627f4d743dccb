// A core that loses its power in a deep idle state: what it has cached is gone, what it is is not.

import { expect, test } from "vitest";
import { addressOfPage, frameNumber, pageNumber, physicalAddress } from "../../src/base/address.ts";
import { Machine } from "../../src/machine/machine.ts";
import { PageTables } from "../../src/machine/page-table.ts";
import { MACHINE } from "./describe.ts";

const LOCAL = pageNumber(0x1000);
const GLOBAL = pageNumber(0x5000);
const PAGES = [LOCAL, GLOBAL];

const use = (machine: Machine, core: number): void => {
  for (const page of PAGES) {
    machine.access(core, { address: addressOfPage(page), kind: "read", user: true });
  }
};

/** Two cores with the same tables, each of which has used its pages, one of them global. */
function usedMachine(): Machine {
  const machine = new Machine(MACHINE);
  let next = 0x100;
  const tables = new PageTables(machine, () => frameNumber(next++));
  tables.map(LOCAL, { frame: frameNumber(0x900), user: true });
  tables.map(GLOBAL, { frame: frameNumber(0x901), user: true, global: true });
  for (const core of [0, 1]) {
    machine.writeCr4(core, { globalPages: true, pcid: true });
    machine.writeCr3(core, { root: tables.root, pcid: 3, keep: false });
    use(machine, core);
  }
  return machine;
}

const walksOf = (machine: Machine, core: number): number => {
  const before = machine.counters(core).walks;
  use(machine, core);
  return machine.counters(core).walks - before;
};

test("it walks again for every page, global ones included, and its neighbour does not", () => {
  const machine = usedMachine();
  expect([walksOf(machine, 0), walksOf(machine, 1)]).toEqual([0, 0]);
  machine.powerDown(0);
  expect([walksOf(machine, 0), walksOf(machine, 1)]).toEqual([PAGES.length, 0]);
});

test("its first walk begins at CR3: no paging-structure cache knows the way", () => {
  const machine = usedMachine();
  const loadsOfWalk = (): number => {
    const before = machine.counters(0).walkLoads;
    machine.access(0, { address: addressOfPage(LOCAL), kind: "read", user: true });
    return machine.counters(0).walkLoads - before;
  };
  machine.invlpg(0, LOCAL); // the paths of its PCID go too
  use(machine, 0);
  machine.powerDown(0);
  expect(loadsOfWalk()).toBe(machine.levels);
});

test("it loads from the cache that it shares what it had in its own", () => {
  const machine = new Machine(MACHINE);
  const line = physicalAddress(0x123_4000n);
  machine.touch(0, line);
  expect(machine.touch(0, line)).toBe(MACHINE.l1d.latencyCycles);
  machine.powerDown(0);
  expect(machine.touch(0, line)).toBe(MACHINE.llc.latencyCycles);
});

test("it keeps its registers and its interrupts", () => {
  const machine = usedMachine();
  const before = machine.registers(0);
  machine.sendIpi(1, 0, 0xfb);
  machine.powerDown(0);
  expect(machine.registers(0)).toEqual(before);
  expect(machine.nextInterrupt(0)).toBeLessThan(Infinity);
});
