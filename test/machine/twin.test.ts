// Random programs on the machine and on its plain twin: every result and every cycle must agree.

import { describe, expect, test } from "vitest";
import { addressOfPage, frameNumber, pageNumber, physicalAddress } from "../../src/base/address.ts";
import { Random } from "../../src/base/random.ts";
import type { MachineDescription, TlbArrayDescription } from "../../src/machine/description.ts";
import { Machine } from "../../src/machine/machine.ts";
import { text } from "./both.ts";
import { machineWith, machineWithTlb, TLB } from "./describe.ts";
import { type PlainAccess, PlainMachine } from "./plain-machine.ts";

const array = (
  entries: number,
  ways: number,
  change: Partial<TlbArrayDescription> = {},
): TlbArrayDescription => ({
  entries,
  ways,
  pageSizes: ["4K"],
  replacement: "lru",
  index: "linear",
  ...change,
});

const all = { pageSizes: ["4K", "2M", "1G"] } as const;

/** Small first levels, so that every level fills up and evicts. */
const MACHINES: Readonly<Record<string, MachineDescription>> = {
  "set-associative LRU": machineWithTlb({
    firstLevelData: [array(16, 4), array(8, 2, { pageSizes: ["2M"] })],
    secondLevelData: [array(96, 12, { pageSizes: ["4K", "2M"] })],
  }),
  "tree-PLRU and Skylake's 12 ways": machineWithTlb({
    firstLevelData: [
      array(16, 4, { replacement: "tree-plru" }),
      array(4, 4, { pageSizes: ["2M"] }),
    ],
    secondLevelData: [
      array(96, 12, {
        pageSizes: ["4K", "2M"],
        replacement: "mru-plus-one-plru",
        index: "xor-fold",
      }),
      array(16, 16, { pageSizes: ["1G"], replacement: "tree-plru" }),
    ],
  }),
  "fully associative first level": machineWithTlb({
    firstLevelData: [array(24, 24, all)],
    secondLevelData: [array(128, 8, { pageSizes: ["4K", "2M"], index: "xor-fold" })],
    secondLevelInstruction: [array(64, 4)],
    firstLevelDataPerPcid: true,
  }),
  "24 ways in a power of two of sets": machineWithTlb({
    firstLevelData: [array(18, 18, all)],
    secondLevelData: [array(96, 24, { pageSizes: ["4K", "2M"], index: "xor-fold" })],
  }),
  "sets that are no power of two, fifo, odd ways": machineWithTlb({
    firstLevelData: [
      array(21, 3, { replacement: "fifo" }),
      array(9, 3, { pageSizes: ["2M", "1G"] }),
    ],
    secondLevelData: [array(55, 11, { pageSizes: ["4K", "2M"], index: "xor-fold" })],
  }),
  "no structure caches, small data caches": {
    ...machineWith({
      structureCaches: { pml5e: 0, pml4e: 0, pdpte: 0, pde: 0 },
      l1d: { sizeBytes: 2048, ways: 2, latencyCycles: 4 },
      l2: { sizeBytes: 6 * 64 * 10, ways: 10, latencyCycles: 14 },
      llc: { sizeBytes: 64 * 77, ways: 11, latencyCycles: 70 },
    }),
    tlb: { ...TLB, firstLevelData: [array(8, 8, all)] },
  },
  "32 entries of each structure cache": machineWith({
    structureCaches: { pml5e: 0, pml4e: 32, pdpte: 20, pde: 2 },
  }),
};

const ROOTS = [1, 2, 3];
const FIRST_TABLE = 16;

class Pair {
  readonly machine: Machine;
  readonly plain: PlainMachine;
  private nextTable = FIRST_TABLE;

  constructor(
    description: MachineDescription,
    private readonly random: Random,
  ) {
    this.machine = new Machine(description);
    this.plain = new PlainMachine(description);
  }

  private write(address: number, value: bigint): void {
    this.machine.write64(physicalAddress(BigInt(address)), value);
    this.plain.memory.set(address, value);
  }

  /** Writes a random leaf of a random size (or none) for a page, with the tables above it. */
  map(root: number, page: number): void {
    const { random } = this;
    const leafLevel = [1, 1, 1, 1, 2, 2, 3][random.below(7)]!;
    let table = root;
    for (let level = 4; level > leafLevel; level--) {
      const address = table * 4096 + (Math.floor(page / 512 ** (level - 1)) % 512) * 8;
      const entry = this.plain.memory.get(address) ?? 0n;
      if ((entry & 1n) === 1n && (entry & 0x80n) === 0n) {
        table = Number((entry >> 12n) & 0xff_ffff_ffffn);
      } else {
        this.write(address, (BigInt(this.nextTable) << 12n) | (random.below(8) === 0 ? 5n : 7n));
        table = this.nextTable++;
      }
    }
    const span = 512 ** (leafLevel - 1);
    const frame = Math.floor((4096 + random.below(1 << 20)) / span) * span;
    let entry = (BigInt(frame) << 12n) | 1n;
    for (const [bit, oneIn] of [
      [2n, 4],
      [4n, 8],
      [0x40n, 3],
    ] as const) {
      if (random.below(oneIn) !== 0) entry |= bit;
    }
    if (random.below(4) === 0) entry |= 0x100n;
    if (random.below(6) === 0) entry |= 1n << 63n;
    if (leafLevel > 1) entry |= 0x80n;
    if (random.below(10) === 0) entry = 0n;
    this.write(table * 4096 + (Math.floor(page / span) % 512) * 8, entry);
  }

  access(page: number, line: number, access: PlainAccess): void {
    const address = addressOfPage(pageNumber(page)) + BigInt(line * 64);
    const actual = this.machine.access(0, {
      address,
      kind: access.kind,
      user: access.user,
    });
    const expected = this.plain.access(page, line, access);
    // Compared by hand: most of the time would be for what vitest makes of an assertion.
    const isSame = actual.fault
      ? expected.fault && expected.errorCode === actual.fault.errorCode
      : !expected.fault &&
        expected.source === actual.source &&
        expected.frame === Number(actual.physical >> 12n);
    if (!isSame) expect.fail(`${text(actual)} where the twin has ${text(expected)}`);
  }
}

/** A page of a few clusters, so that regions of all sizes are shared and collide. */
function somePage(random: Random): number {
  const cluster = [0, 512 * 3, 512 * 512 * 5, 512 ** 3 * 7 + 512 * 9][random.below(4)]!;
  return cluster + (random.below(3) === 0 ? random.below(4) * 512 : 0) + random.below(48);
}

function step(pair: Pair, random: Random): void {
  const { machine, plain } = pair;
  const page = somePage(random);
  const pcid = random.below(4);
  const what = random.below(1000);
  if (what < 60) {
    pair.map(ROOTS[random.below(3)]!, page);
  } else if (what < 90) {
    const root = ROOTS[random.below(3)]!;
    const keep = random.below(3) !== 0;
    machine.writeCr3(0, { root: frameNumber(root), pcid, keep });
    plain.writeCr3(root, pcid, keep);
  } else if (what < 110) {
    machine.invlpg(0, pageNumber(page));
    plain.invlpg(page);
  } else if (what < 126) {
    const type = random.below(4) as 0 | 1 | 2 | 3;
    const descriptor = { pcid: BigInt(pcid), address: addressOfPage(pageNumber(page)) };
    const fault = machine.invpcid(0, BigInt(type), descriptor);
    expect(fault !== undefined).toBe(!plain.invpcid(type, pcid, page));
  } else if (what < 129) {
    const control = { globalPages: random.below(4) !== 0, pcid: random.below(4) !== 0 };
    const kept = machine.registers(0).cr4 & ~((1n << 7n) | (1n << 17n));
    const cr4 = kept | (control.globalPages ? 1n << 7n : 0n) | (control.pcid ? 1n << 17n : 0n);
    const fault = machine.writeRegister(0, "cr4", cr4);
    expect(fault !== undefined).toBe(!plain.writeCr4(control.globalPages, control.pcid));
  } else {
    const kind = (["read", "read", "write", "execute"] as const)[random.below(4)]!;
    pair.access(page, random.below(64), { kind, user: random.below(3) !== 0 });
  }
}

describe("the machine agrees with its plain twin", () => {
  for (const [name, description] of Object.entries(MACHINES)) {
    test(name, () => {
      for (let seed = 1; seed <= 3; seed++) {
        const random = new Random(seed);
        const pair = new Pair(description, random);
        pair.machine.writeCr4(0, { globalPages: true, pcid: true });
        pair.plain.writeCr4(true, true);
        for (let index = 0; index < 300; index++) pair.map(ROOTS[index % 3]!, somePage(random));
        pair.machine.writeCr3(0, { root: frameNumber(1), pcid: 1, keep: false });
        pair.plain.writeCr3(1, 1, false);
        for (let index = 0; index < 6000; index++) {
          step(pair, random);
          const [now, expected] = [pair.machine.now(0), pair.plain.cycles];
          if (now !== expected) expect(now, `seed ${seed}, step ${index}`).toBe(expected);
        }
      }
    });
  }
});
