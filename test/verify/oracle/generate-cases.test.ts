import { describe, expect, test } from "vitest";
import { bootReference } from "../../../src/reference/reference.ts";
import { formatCase } from "../../../src/verify/oracle/format.ts";
import { CATEGORIES, generateCase } from "../../../src/verify/oracle/generate-cases.ts";
import * as bit from "../../../src/verify/oracle/geometry.ts";
import { ORACLES, type Oracle } from "../../../src/verify/oracle/oracles.ts";
import { parseCase } from "../../../src/verify/vectors/parse.ts";
import { runCase } from "../../../src/verify/vectors/run-vector.ts";
import { pagesOf, Tables } from "../../../src/verify/oracle/traversed.ts";
import type { Entry, VectorCase } from "../../../src/verify/vectors/vector.ts";

const CASES = 3000;
const TABLES = { from: 0x10_0000n, to: 0x40_0000n };
const DATA = { from: 0x40_0000n, to: 0xe0_0000n };
const HIGH_RAM_BYTES = 0x40_0000n;

const casesOf = (oracle: Oracle, seed = 1): readonly VectorCase[] =>
  Array.from({ length: CASES }, (_, index) => generateCase(oracle, seed, index));

const isWithin = (address: bigint, { from, to }: { from: bigint; to: bigint }): boolean =>
  address >= from && address < to;

const rootsOf = (the: VectorCase): readonly bigint[] =>
  [the.cr3, ...the.operations.flatMap((o) => (o.kind === "cr3" ? [o.value] : []))].map(
    (cr3) => cr3 & bit.ROOT_MASK[the.mode],
  );

const written = (the: VectorCase): readonly Entry[] => [
  ...the.entries,
  ...the.operations.flatMap((o) => (o.kind === "entry" ? [o] : [])),
];

/** The accesses that succeed on the reference model, with where they go. */
function reached(the: VectorCase): readonly { kind: string; physical: bigint }[] {
  const { outcomes } = runCase(bootReference, the);
  const tables = new Tables(the);
  return the.operations.flatMap((operation, index) => {
    tables.follow(operation);
    if (!("bytes" in operation) || outcomes[index]?.fault !== undefined) return [];
    const { kind, address, bytes } = operation;
    return pagesOf(address, bytes).map((page) => ({
      kind,
      physical: tables.walk(page).physical!,
    }));
  });
}

describe.each(Object.values(ORACLES))("random cases for $name", (oracle) => {
  const cases = casesOf(oracle);

  test("are the same for the same seed, and others for another", () => {
    expect(casesOf(oracle)).toEqual(cases);
    expect(casesOf(oracle, 2)).not.toEqual(cases);
  });

  test("are of every category and mode that the oracle can run", () => {
    for (const mode of oracle.modes) {
      const seen = new Set(cases.filter((the) => the.mode === mode).map((the) => the.category));
      const possible = Object.entries(CATEGORIES).filter(
        ([, { modes, isFor }]) => modes.includes(mode) && (isFor?.(oracle) ?? true),
      );
      expect([...seen].toSorted()).toEqual(possible.map(([name]) => name).toSorted());
    }
  });

  test("need only what the oracle's processor has", () => {
    for (const the of cases) {
      expect(oracle.modes).toContain(the.mode);
      expect(oracle.vendors).toContain(the.vendor);
      expect(oracle.physicalAddressBits).toContain(the.physicalAddressBits);
      expect(the.gigabytePages).toBe(oracle.gigabytePages);
      if (!oracle.protectionKeys) expect(the.cr4 & bit.CR4_PROTECTION_KEYS).toBe(0n);
    }
  });

  test("keep their tables where the harness has RAM for them", () => {
    for (const the of cases) {
      const addresses = [...written(the).map(({ address }) => address), ...rootsOf(the)];
      expect(addresses.filter((address) => !isWithin(address, TABLES))).toEqual([]);
    }
  });

  test("leave the harness's slots of their roots alone", () => {
    for (const the of cases) {
      const size = BigInt(bit.entryBytes(the.mode));
      const reserved = rootsOf(the).flatMap((root) =>
        bit.RESERVED_SLOTS[the.mode].map((slot) => root + BigInt(slot) * size),
      );
      expect(written(the).filter(({ address }) => reserved.includes(address))).toEqual([]);
    }
  });

  test("reach RAM or, where the oracle can do without, data outside the harness", () => {
    const high = oracle.highRam.map((from) => ({ from, to: from + HIGH_RAM_BYTES }));
    for (const the of cases) {
      for (const { kind, physical } of reached(the)) {
        const isData = [DATA, ...high].some((range) => isWithin(physical, range));
        const isTable = kind === "read" && isWithin(physical, TABLES);
        const isBeyond = oracle.answersWithoutRam && kind !== "execute" && physical >= 1n << 42n;
        expect(isData || isTable || isBeyond, `${the.id} ${kind} ${physical}`).toBe(true);
      }
    }
  });

  test("read the same after they were written as JSON", () => {
    for (const the of cases.slice(0, 500)) {
      expect(parseCase(the.id, formatCase(the))).toEqual(the);
    }
  });
});

test("accesses after a changed entry wait for an invalidation, but for rights that grow", () => {
  const changing = casesOf(ORACLES.tcg).filter(({ category }) => category === "seq");
  for (const { id, operations } of changing) {
    operations.forEach(({ kind }, index) => {
      if (kind !== "entry") return;
      expect(["invlpg", "cr3", "cr4"], id).toContain(operations[index + 1]?.kind);
    });
  }
});
