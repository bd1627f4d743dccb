// Shared kernel lines: where a copy comes from, what it costs, and who waits for whom.

import { describe, expect, test } from "vitest";
import { Machine } from "../../src/machine/machine.ts";
import { MACHINE, machineOfCores, machineWith } from "./describe.ts";

const { localCycles, lockedCycles, transferCycles, memoryCycles, readOccupancyCycles } =
  MACHINE.line;

/** Two sockets of two LLCs of two cores. */
const EIGHT = machineWith({
  topology: { coreCount: 8, coresPerLlc: 2, llcsPerSocket: 2, oneHopSockets: 1 },
});
const LATER = 1_000_000;

/** A machine and a line of socket 0; clocks far enough ahead that nothing is still on its way. */
function start(description = EIGHT): { machine: Machine; line: number; settle: () => void } {
  const machine = new Machine(description);
  const line = machine.allocateLine(0);
  let time = 0;
  const settle = (): void => {
    time += LATER;
    for (let core = 0; core < machine.coreCount; core++) machine.advanceTo(core, time);
  };
  settle();
  return { machine, line, settle };
}

describe("a load", () => {
  test("of a line that nobody holds comes from the memory of its home", () => {
    const { machine, line } = start();
    expect(machine.lineLoad(0, line)).toBe(memoryCycles.local);
    const other = start();
    expect(other.machine.lineLoad(7, other.line)).toBe(memoryCycles.remote);
  });

  test("of a line that this core holds is local", () => {
    const { machine, line } = start();
    machine.lineLoad(0, line);
    expect(machine.lineLoad(0, line)).toBe(localCycles);
  });

  const FROM = [
    { core: 1, distance: "sameLlc" },
    { core: 2, distance: "sameSocket" },
    { core: 4, distance: "oneHop" },
  ] as const;
  for (const { core, distance } of FROM) {
    test(`of another core's line costs a transfer over ${distance}`, () => {
      const { machine, line, settle } = start();
      machine.lineLocked(core, line);
      settle();
      expect(machine.distance(0, core)).toBe(distance);
      expect(machine.lineLoad(0, line)).toBe(transferCycles[distance]);
    });
  }

  test("takes the nearest of several copies", () => {
    const { machine, line, settle } = start();
    for (const core of [7, 2, 1]) machine.lineLoad(core, line);
    settle();
    expect(machine.lineLoad(0, line)).toBe(transferCycles.sameLlc);
  });

  test("occupies the line for a short while only", () => {
    const { machine, line, settle } = start();
    machine.lineLocked(7, line);
    settle();
    machine.lineLoad(0, line);
    expect(machine.lineLoad(1, line)).toBe(readOccupancyCycles + transferCycles.sameLlc);
  });
});

describe("a locked operation", () => {
  test("on a line owned alone is cheap, on a shared one waits for the furthest copy", () => {
    const { machine, line, settle } = start();
    machine.lineLocked(0, line);
    settle();
    expect(machine.lineLocked(0, line)).toBe(lockedCycles);
    machine.lineLoad(1, line);
    machine.lineLoad(5, line);
    settle();
    expect(machine.lineLocked(0, line)).toBe(transferCycles.oneHop + lockedCycles);
    settle();
    expect(machine.lineLoad(5, line)).toBe(transferCycles.oneHop);
  });

  test("by N cores at once costs each N transfers: linear in N", () => {
    const mean = (cores: number): number => {
      const { machine, line, settle } = start(machineOfCores(cores));
      settle();
      let cycles = 0;
      const rounds = 20;
      for (let round = 0; round < rounds; round++) {
        for (let core = 0; core < cores; core++) cycles += machine.lineLocked(core, line);
      }
      return cycles / (rounds * cores);
    };
    expect(mean(16) / mean(8)).toBeCloseTo(2, 0);
    expect(mean(32) / mean(16)).toBeCloseTo(2, 0);
  });
});

describe("a store", () => {
  test("is posted: the core goes on, and what serialises waits until it is visible", () => {
    const { machine, line, settle } = start();
    machine.lineLocked(7, line);
    settle();
    expect(machine.lineStore(0, line)).toBe(1);
    const waits = transferCycles.oneHop - 1;
    expect(machine.fence(0)).toBe(waits + MACHINE.line.lockedCycles);
    expect(machine.fence(0)).toBe(MACHINE.line.lockedCycles);
  });

  const SERIALISING: Readonly<Record<string, (machine: Machine) => void>> = {
    "MOV CR3": (machine) => machine.writeCr3(0, { root: 1 as never, pcid: 0, keep: false }),
    "MOV CR4": (machine) => machine.writeCr4(0, { globalPages: false, pcid: false }),
    INVLPG: (machine) => machine.invlpg(0, 1 as never),
    INVPCID: (machine) => machine.invpcid(0, 2n, { pcid: 0n, address: 0n }),
    "an ICR write": (machine) => machine.sendIpi(0, 1, 0xf0),
    "a locked operation": (machine) => void machine.lineLocked(0, machine.allocateLine(0)),
  };
  for (const [what, does] of Object.entries(SERIALISING)) {
    test(`is waited for by ${what}`, () => {
      const { machine, line, settle } = start();
      machine.lineLocked(7, line);
      settle();
      machine.lineStore(0, line);
      does(machine);
      expect(machine.counters(0).drainWaitCycles).toBe(transferCycles.oneHop - 1);
    });
  }

  test("takes the line from all who share it", () => {
    const { machine, line, settle } = start();
    machine.lineLoad(1, line);
    machine.lineStore(0, line);
    settle();
    expect(machine.lineLoad(1, line)).toBe(transferCycles.sameLlc);
  });

  test("becomes visible after those before it", () => {
    const { machine, line, settle } = start();
    const near = machine.allocateLine(0);
    machine.lineLocked(7, line);
    settle();
    machine.lineStore(0, line);
    machine.lineStore(0, near);
    const before = machine.now(0);
    machine.fence(0);
    expect(machine.now(0) - before).toBe(transferCycles.oneHop - 2 + MACHINE.line.lockedCycles);
  });
});

test("a directory at the home makes neighbours of a remote home pay a hop", () => {
  const cost = (directoryAtHome: boolean, home: number, cores: [number, number]): number => {
    const description = { ...EIGHT, line: { ...EIGHT.line, directoryAtHome } };
    const { machine, settle } = start(description);
    const line = machine.allocateLine(home);
    machine.lineLocked(cores[0], line);
    settle();
    return machine.lineLoad(cores[1], line);
  };
  expect(cost(false, 1, [0, 2])).toBe(transferCycles.sameSocket);
  expect(cost(true, 0, [0, 2])).toBe(transferCycles.sameSocket);
  expect(cost(true, 1, [0, 2])).toBe(transferCycles.oneHop);
  expect(cost(true, 1, [0, 1])).toBe(transferCycles.sameLlc);
});

test("a freed line is given out again, held by nobody", () => {
  const { machine, line } = start();
  machine.lineLocked(0, line);
  machine.freeLine(line);
  expect(machine.allocateLine(1)).toBe(line);
  expect(machine.lineLoad(0, line)).toBe(memoryCycles.remote);
});

test("cores two links apart are two hops apart", () => {
  const topology = { coreCount: 4, coresPerLlc: 1, llcsPerSocket: 1, oneHopSockets: 1 };
  const machine = new Machine(machineWith({ topology }));
  const distances = [0, 1, 2].map((core) => machine.distance(0, core));
  expect(distances).toEqual(["self", "oneHop", "twoHops"]);
  expect([0, 1, 2, 3].map((core) => machine.socketOf(core))).toEqual([0, 1, 2, 3]);
});
