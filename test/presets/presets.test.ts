import { describe, expect, test } from "vitest";
import { BadInput } from "../../src/base/bad-input.ts";
import type { DistanceCycles, TlbArrayDescription } from "../../src/machine/description.ts";
import { describeMachine } from "../../src/presets/describe.ts";
import { presetListing } from "../../src/presets/listing.ts";
import { PRESET_NAMES, presetNamed, presets } from "../../src/presets/presets.ts";

const described = (name: string, cores = 1) => describeMachine(presetNamed(name), { cores });

describe.each(PRESET_NAMES)("preset %s", (name) => {
  const listing = presetListing(presets[name]);

  test("is filed under its own name", () => {
    expect(presets[name].name).toBe(name);
  });

  test("every number states its source", () => {
    expect(listing.length).toBeGreaterThan(60);
    for (const { key, source } of listing) expect(source.length, key).toBeGreaterThan(10);
  });

  test("every bare number or flag is inside a sourced value", () => {
    const bare = (node: unknown): boolean =>
      typeof node === "number" ||
      typeof node === "boolean" ||
      (typeof node === "object" &&
        node !== null &&
        !("source" in node) &&
        Object.values(node).some(bare));
    expect(bare(presets[name])).toBe(false);
  });

  test("estimates are marked, and those nobody measured are among them", () => {
    const estimates = listing.filter((entry) => entry.estimate).map((entry) => entry.key);
    expect(estimates).toContain("interrupt.sameSocket");
    expect(estimates).toContain("instruction.syscall");
    for (const { estimate, source } of listing) {
      if (/no .*figure (found|published)|not measured/.test(source)) expect(estimate).toBe(true);
    }
  });

  test("is described in whole cycles, none negative", () => {
    const numbers = (node: unknown): number[] =>
      typeof node === "number"
        ? [node]
        : typeof node === "object" && node !== null
          ? Object.values(node).flatMap(numbers)
          : [];
    const { frequencyGhz, ...rest } = described(name);
    expect(frequencyGhz).toBe(presets[name].frequency.value);
    for (const value of numbers(rest)) expect(Number.isInteger(value) && value >= 0).toBe(true);
  });

  test("nothing gets faster with distance or with cache level", () => {
    const { line, ipiDeliveryCycles, l1d, l2, llc, dramCycles } = described(name);
    expect(rises(byDistance(line.transferCycles))).toBe(true);
    expect(rises(byDistance(ipiDeliveryCycles))).toBe(true);
    expect(
      rises([
        l1d.latencyCycles,
        l2.latencyCycles,
        llc.latencyCycles,
        dramCycles.local,
        dramCycles.remote,
      ]),
    ).toBe(true);
  });

  test("every TLB array fits what the machine can hold", () => {
    const { tlb } = described(name);
    const second = tlb.secondLevelInstruction;
    for (const arrays of [
      tlb.firstLevelInstruction,
      tlb.firstLevelData,
      second === "shared" ? [] : second,
      tlb.secondLevelData,
    ]) {
      expect(arrays.length).toBeLessThanOrEqual(4);
      const sizes = arrays.flatMap((array) => array.pageSizes);
      expect(new Set(sizes).size).toBe(sizes.length);
      for (const array of arrays) expectArrayToBeBuildable(array);
    }
  });
});

const rises = (values: readonly number[]): boolean =>
  values.every((value, index) => index === 0 || value >= values[index - 1]!);
const byDistance = ({ sameLlc, sameSocket, oneHop, twoHops }: DistanceCycles) => [
  sameLlc,
  sameSocket,
  oneHop,
  twoHops,
];

function expectArrayToBeBuildable({ entries, ways, replacement }: TlbArrayDescription): void {
  expect(entries % ways).toBe(0);
  if (ways > 16) expect(replacement).toBe("lru");
  if (replacement === "tree-plru") expect(Math.log2(ways) % 1).toBe(0);
  if (replacement === "mru-plus-one-plru") expect(ways).toBe(12);
}

test("Skylake-SP has the 1536-entry, 12-way, XOR-indexed second level that TLB;DR measured", () => {
  expect(described("skylake-sp").tlb.secondLevelData[0]).toEqual({
    entries: 1536,
    ways: 12,
    pageSizes: ["4K", "2M"],
    replacement: "mru-plus-one-plru",
    index: "xor-fold",
  });
});

test("Skylake-SP keeps four PCIDs and drops its first-level data TLB at a PCID switch", () => {
  expect(described("skylake-sp").tlb).toMatchObject({
    pcidsTracked: 4,
    firstLevelDataPerPcid: true,
  });
});

test("Haswell-EP has 64 x 4 first-level and 1024 x 8 second-level entries", () => {
  const { tlb } = described("haswell-ep");
  expect(tlb.firstLevelData[0]).toMatchObject({ entries: 64, ways: 4, pageSizes: ["4K"] });
  expect(tlb.secondLevelData[0]).toMatchObject({ entries: 1024, ways: 8 });
  expect(tlb.secondLevelInstruction).toBe("shared");
});

test.each(["rome", "milan"])("%s has a fully associative first level of 64 entries", (name) => {
  const { firstLevelData } = described(name).tlb;
  expect(firstLevelData).toHaveLength(1);
  expect(firstLevelData[0]).toMatchObject({ entries: 64, ways: 64, pageSizes: ["4K", "2M", "1G"] });
});

test("Rome has no PCID, the others have", () => {
  const withPcid = PRESET_NAMES.filter((name) => presets[name].features.pcid.value);
  expect(withPcid).toEqual(["skylake-sp", "haswell-ep", "milan"]);
});

test("only Milan has INVLPGB", () => {
  expect(PRESET_NAMES.filter((name) => presets[name].features.invlpgb.value)).toEqual(["milan"]);
  expect(PRESET_NAMES.filter((name) => described(name).broadcast !== undefined)).toEqual(["milan"]);
});

test("only AMD looks a line up at its home socket", () => {
  for (const name of PRESET_NAMES) {
    expect(described(name).line.directoryAtHome).toBe(presets[name].vendor === "AMD");
  }
});

test("an IPI's three parts add up to the published end-to-end time", () => {
  const { frequencyGhz, instruction, ipiDeliveryCycles } = described("skylake-sp");
  const total = instruction.writeIcr + ipiDeliveryCycles.sameSocket + instruction.interruptEntry;
  expect(total / frequencyGhz).toBeCloseTo(700, 0);
});

test("a locked operation on another core's line takes the published hand-over time", () => {
  const { frequencyGhz, line } = described("rome");
  expect((line.transferCycles.oneHop + line.lockedCycles) / frequencyGhz).toBeCloseTo(266.7, 0);
});

test("an unknown preset is refused in one line that names the nearest one", () => {
  expect(() => presetNamed("skylake")).toThrow(BadInput);
  expect(() => presetNamed("milna")).toThrow(
    'cpu: "milna": did you mean milan? one of skylake-sp, haswell-ep, rome, milan',
  );
});
