// The PDPTE registers of PAE paging: what they refuse, and when they are loaded. SDM 3A 4.4.1.

import { describe, expect, test } from "vitest";
import type { ControlRegister } from "../../src/base/architecture.ts";
import type { ReferenceEngine } from "../../src/reference/reference.ts";
import { access, ALL, boot, GP, map, P, PAE, PG, PSE, SMAP, SMEP, tableOf, WP } from "./space.ts";

const ROOT = tableOf("PAE", 3);
const ADDRESS = 0x5000n;
const PGE = 1n << 7n;
const CD = 1n << 30n;
const CR0 = PG | WP | 0x33n;

const write = (engine: ReferenceEngine, register: ControlRegister, value: bigint) =>
  engine.control({ kind: "write", register, value });

function mapped(): ReferenceEngine {
  const engine = boot("PAE");
  map(engine, "PAE", { address: ADDRESS, leaf: 0x9000n | ALL });
  return engine;
}

const isMapped = (engine: ReferenceEngine): boolean =>
  engine.access(access("read", ADDRESS, { user: true })).fault === undefined;

describe("PDPTE registers", () => {
  test("their reserved bits are 2:1, 8:5 and 63:M", () => {
    const found: number[] = [];
    for (let position = 1; position < 64; position++) {
      const engine = boot("PAE");
      engine.writePhysical(ROOT + 24n, 8, P | (1n << BigInt(position)));
      if (write(engine, "cr3", ROOT) !== undefined) found.push(position);
    }
    const upper = Array.from({ length: 64 - 46 }, (_, index) => 46 + index);
    expect(found).toEqual([1, 2, 5, 6, 7, 8, ...upper]);
  });

  test("reserved bits of one that is not present do not matter", () => {
    const engine = boot("PAE");
    engine.writePhysical(ROOT, 8, ~P);
    expect(write(engine, "cr3", ROOT)).toBeUndefined();
  });

  test("a bad one leaves CR3 and all of them as they were", () => {
    const engine = mapped();
    engine.writePhysical(0x2_0000n, 8, P | 2n);
    expect(write(engine, "cr3", 0x2_0000n)).toEqual(GP);
    expect(isMapped(engine)).toBe(true);
  });

  test("a change in memory counts from the next load", () => {
    const engine = mapped();
    engine.writePhysical(ROOT, 8, 0n);
    expect(isMapped(engine)).toBe(true);
    write(engine, "cr3", ROOT);
    expect(isMapped(engine)).toBe(false);
  });

  test.each([
    ["CR0.CD", "cr0", CR0 | CD, true],
    ["CR0.WP", "cr0", CR0 & ~WP, false],
    ["CR4.PGE", "cr4", PAE | PGE, true],
    ["CR4.PSE", "cr4", PAE | PSE, true],
    ["CR4.SMEP", "cr4", PAE | SMEP, true],
    ["CR4.SMAP", "cr4", PAE | SMAP, false],
    ["nothing of CR4", "cr4", PAE, false],
  ] as const)("a write that changes %s loads them or not", (_, register, value, loads) => {
    const engine = mapped();
    engine.writePhysical(ROOT, 8, 0n);
    expect(write(engine, register, value)).toBeUndefined();
    expect(isMapped(engine)).toBe(!loads);
  });

  test.each([
    ["CR0.PG", "cr0", CR0, { cr0: 0x33n, cr4: PAE }],
    ["CR4.PAE", "cr4", PAE, { cr4: 0n }],
  ] as const)("setting %s loads them, and faults for a bad one", (_, register, value, before) => {
    const engine = boot("PAE", before);
    engine.writePhysical(ROOT, 8, P | (1n << 60n));
    write(engine, "cr3", ROOT);
    expect(write(engine, register, value)).toEqual(GP);
    engine.writePhysical(ROOT, 8, P);
    expect(write(engine, register, value)).toBeUndefined();
  });

  test("have no rights, and get no A flag", () => {
    const engine = mapped();
    expect(engine.access(access("write", ADDRESS, { user: true })).fault).toBeUndefined();
    expect(engine.readPhysical(ROOT, 8)).toBe(tableOf("PAE", 2) | P);
    const { walks } = engine.explain(access("read", ADDRESS));
    expect(walks[0]!.steps[0]).not.toHaveProperty("address");
  });
});
