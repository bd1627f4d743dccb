// What a machine weighs, how many cores it may have, and what the built wasm offers.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { frameNumber, pageNumber, physicalAddress } from "../../src/base/address.ts";
import { bootFrom, descriptionFields } from "../../src/machine/boot.ts";
import { Machine } from "../../src/machine/machine.ts";
import { userStream } from "../../src/machine/stream.ts";
import { instantiate, type MachineFunctions, watched } from "../../src/machine/wasm.ts";
import { WebAssembly } from "../../src/machine/webassembly.ts";
import { MACHINE, machineOfCores, machineWithTlb, TLB } from "./describe.ts";
import { Space } from "./space.ts";

const MEBIBYTE = 1 << 20;

describe("memory", () => {
  for (const cores of [1, 2, 28, 192, 1024]) {
    test(`of a machine of ${cores} cores is below 1 MiB a core`, () => {
      const { memoryBytes } = new Machine(machineOfCores(cores, 28));
      expect(memoryBytes / cores).toBeLessThan(MEBIBYTE);
    });
  }

  test("of one core stays below 1 MiB over a working set of 16 MiB, page tables aside", () => {
    const space = new Space(machineOfCores(1));
    const pages = 4096;
    for (let page = 0; page < pages; page++) space.map(page);
    const stream = userStream({ elements: pages, accesses: 3 * pages });
    expect(space.machine.runStream(0, stream, Infinity)).toBe("done");
    const tables = (pages / 512 + 3) * 4096;
    expect(space.machine.memoryBytes - tables).toBeLessThan(MEBIBYTE);
  });

  test("of released frames is used again", () => {
    const machine = new Machine(machineOfCores(1));
    const write = (frame: number): void =>
      machine.writeEntry(frameNumber(frame), 3, BigInt(frame) << 12n);
    for (let frame = 1; frame <= 64; frame++) write(frame);
    const before = machine.memoryBytes;
    for (let round = 1; round < 50; round++) {
      for (let frame = 1; frame <= 64; frame++) {
        machine.releaseFrame(frameNumber(frame + 64 * (round - 1)));
        write(frame + 64 * round);
      }
    }
    expect(machine.memoryBytes).toBe(before);
    expect(machine.readEntry(frameNumber(1), 3)).toBe(0n);
    expect(machine.readEntry(frameNumber(64 * 49 + 1), 3)).toBe(BigInt(64 * 49 + 1) << 12n);
  });

  test("never written reads as zero, and all 64 bits of a word are kept", () => {
    const machine = new Machine(MACHINE);
    const address = physicalAddress(0x3f_ffff_f008n);
    expect(machine.read64(address)).toBe(0n);
    machine.write64(address, 0xfedc_ba98_7654_3210n);
    expect(machine.read64(address)).toBe(0xfedc_ba98_7654_3210n);
    expect(machine.read64(physicalAddress(1n << 45n))).toBe(0n);
  });
});

describe("1024 cores", () => {
  test("boot and work, each with a state of its own", () => {
    const machine = new Machine(machineOfCores(1024, 64));
    const space = new Space(machine.description, machine);
    for (let page = 0; page < 8; page++) space.map(page);
    for (const core of [0, 1, 512, 1023]) {
      machine.writeCr3(core, { root: space.tables.root, pcid: 0, keep: false });
      expect(space.access(3, "read", true, core)).toMatchObject({ source: "walk" });
      expect(space.access(3, "read", true, core)).toMatchObject({ source: "l1" });
    }
    machine.sendIpi(0, 1023, 0xf0);
    expect(machine.nextInterrupt(1023)).toBeLessThan(Infinity);
    const line = machine.allocateLine(0);
    for (let core = 0; core < 1024; core++) machine.lineLoad(core, line);
    expect(machine.lineLocked(1023, line)).toBeGreaterThan(0);
    expect(machine.counters(1022)).toMatchObject({ accesses: 0, lineTransfers: 1 });
    machine.resetCounters();
    expect(machine.counters(1022)).toMatchObject({ lineTransfers: 0 });
  });

  test("are the most, and a core that does not exist is an error", () => {
    expect(() => new Machine(machineOfCores(1025))).toThrow("topology.coreCount: 1025");
    expect(() => new Machine(machineOfCores(0))).toThrow("topology.coreCount: 0");
    expect(() => new Machine(machineOfCores(2)).now(2)).toThrow(
      "Machine.now(core): 2: a whole number from 0 to 1",
    );
  });
});

describe("a description", () => {
  const array = TLB.firstLevelData[0]!;
  const BAD = [
    { change: { entries: 63 }, message: "firstLevelData[0].entries: 63" },
    { change: { ways: 32, replacement: "fifo" }, message: `"lru" with more than 16 ways` },
    { change: { entries: 60, ways: 12, replacement: "tree-plru" }, message: "a power of two" },
    {
      change: { entries: 60, ways: 6, replacement: "mru-plus-one-plru" },
      message: "multiple of 4",
    },
  ] as const;
  for (const { change, message } of BAD) {
    test(`that cannot be built is refused: ${message}`, () => {
      const description = machineWithTlb({ firstLevelData: [{ ...array, ...change }] });
      expect(() => new Machine(description)).toThrow(message);
    });
  }

  test("may name a page size in one array of a list only", () => {
    const description = machineWithTlb({ firstLevelData: [array, array] });
    expect(() => new Machine(description)).toThrow("tlb.firstLevelData[1].pageSizes");
  });
});

describe("the fields that describe a machine", () => {
  const fields = descriptionFields(instantiate(), MACHINE);
  const booting = (changed: readonly number[]) => () => bootFrom(instantiate(), changed);

  test("boot it as they are", () => {
    expect(booting(fields)).not.toThrow();
  });

  test.each([0, 1])("are refused with one more, %i, wherever the host alone writes it", (value) => {
    for (let index = 0; index <= fields.length; index++) {
      expect(booting(fields.toSpliced(index, 0, value)), `field ${index}`).toThrow();
    }
  });

  test("are refused with one less, wherever the machine alone reads it", () => {
    for (let index = 0; index < fields.length; index++) {
      expect(booting(fields.toSpliced(index, 1)), `field ${index}`).toThrow();
    }
  });

  test("are refused by the machine, where the end is not where it looks for it", () => {
    expect(booting([...fields, 0])).toThrow("invariant broken: assembly/description.ts");
    expect(booting(fields.slice(0, -1))).toThrow("invariant broken: assembly/description.ts");
  });

  test("are refused by the host too, where the one that is too many looks like their end", () => {
    const sentence = `the machine reads all ${fields.length + 1} fields (read: ${fields.length})`;
    expect(booting([...fields, fields.length])).toThrow(sentence);
  });
});

describe("the built wasm", () => {
  const bytes = readFileSync(new URL("../../dist/machine.wasm", import.meta.url));
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    env: { abort: () => undefined },
  });

  test("exports what the typed face declares, and nothing besides but constants", () => {
    const source = readFileSync(new URL("../../src/machine/wasm.ts", import.meta.url), "utf8");
    const declared = source.slice(
      source.indexOf("interface MachineFunctions"),
      source.indexOf("interface MachineInstance"),
    );
    const names = [...declared.matchAll(/^ {2}(\w+)\(/gm)].map(([, name]) => name!);
    const exported = Object.keys(instance.exports).filter((name) => /^[a-z]/.test(name));
    expect(exported.toSorted()).toEqual([...names, "memory"].toSorted());
  });

  test("takes no more arguments than a watched call passes on", () => {
    const counts: number[] = [];
    const noted = (...given: readonly unknown[]): unknown => counts.push(given.length);
    const real = instantiate();
    const most = Math.max(...Object.values(real.functions).map(({ length = 0 }) => length));
    const functions = { invlpgb: noted } as unknown as MachineFunctions;
    watched({ ...real, functions }, () => {}).functions.invlpgb(1, 2, 3, 4, 5, 6);
    expect(counts[0]).toBeGreaterThanOrEqual(most);
  });

  test("compares tags with SIMD", () => {
    // i64x2.eq and i32x4.eq: prefix fd, opcodes 214 (d6 01) and 55 (37).
    const has = (...code: number[]): boolean => bytes.includes(Buffer.from(code));
    expect(has(0xfd, 0xd6, 0x01)).toBe(true);
    expect(has(0xfd, 0x37)).toBe(true);
  });
});

test("a page number is the same whichever way it crosses", () => {
  const space = new Space(MACHINE);
  space.map(0xf_ffff_ffff_fff0, { frame: frameNumber(5) });
  expect(space.source(0xf_ffff_ffff_fff0)).toBe("walk");
  space.machine.invlpg(0, pageNumber(0xf_ffff_ffff_fff0));
  expect(space.source(0xf_ffff_ffff_fff0)).toBe("walk");
});
